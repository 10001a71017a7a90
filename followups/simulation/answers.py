"""What people of the demonstration answer, write down and measure when nothing is out of the ordinary."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from procedures.domain.answers import Entry
from procedures.domain.protocol import Protocol, Question
from procedures.models import Procedure

#: Answers that are not simply *no*, *confirmed* or the first choice. ``=`` stands before a value.
PICKS = {
    "medicines": "none",
    "allergies": "none",
    "blood_thinner": "=none",
    "antiseptic_allergy": "=none",
    "albumin_reaction": "=none",
    "can_keep_still": "=yes",
    "bladder_empty": "=yes",
    "capacity": "=yes",
    "kidney_values_seen": "=yes",
    "pregnancy_basis": "=says_so",
    "stent_or_clot": "none",
    "interpreter": "=not_needed",
    "restart_plan": "=none_held",
    "albumin_done": "=not_needed",
    "albumin_explained": "=not_planned",
    "albumin_plan": "=ordered",
    "albumin_product": "=percent_25_100ml",
    "imaging_clear": "=clear",
    "reach": "=phone",
}
TYPED = {
    "albumin_grams": "48",
    "platelets": "118",
    "inr": "1.5",
    "caregiver": "A relative, present on the day and the day after",
    "escort": "Comes with a friend",
    "result_owner": "The responsible physician",
    "interpreter_name": "Telephone service",
}
#: What is different when more than five litres are expected.
LARGE = {"large_volume_expected": "=yes", "albumin_explained": "=accepted", "albumin_done": "=given"}
TOO_OLD = 55

RECORD: dict[str, dict[str, Any]] = {
    "paracentesis": {
        "position": "supine",
        "guidance": "ultrasound_real_time",
        "site": "left_lower",
        "antiseptic": "chlorhexidine_alcohol",
        "anaesthetic": "Lidocaine 1 %, 8 mL",
        "needle_type": "catheter_over_needle",
        "attempts": 1,
        "appearance": "clear_straw",
        "traumatic_tap": "no",
        "systolic_before": 118,
        "diastolic_before": 72,
        "heart_rate_before": 82,
        "systolic_after": 112,
        "diastolic_after": 70,
        "heart_rate_after": 84,
        "tolerance": "well",
        "discharge_criteria_met": "yes",
        "leak_at_discharge": "no",
    },
    "lumbar_puncture": {
        "position": "lateral",
        "guidance": "landmark",
        "site": "l3_4",
        "antiseptic": "chlorhexidine_alcohol",
        "anaesthetic": "Lidocaine 1 %, 4 mL",
        "needle_type": "atraumatic",
        "attempts": 1,
        "pressure_position": "lateral_extended",
        "appearance": "clear",
        "traumatic_tap": "no",
        "csf_total_ml": 12,
        "minutes_flat": 45,
        "leg_power": "as_before",
        "leg_sensation": "as_before",
        "voided": "yes",
        "tolerance": "well",
        "discharge_criteria_met": "yes",
    },
}

#: Final results that no rule remarks on, in the component's first unit. Serum partners first.
RESULTS: dict[str, dict[str, Any]] = {
    "serum_albumin": {"albumin": 2.9},
    "serum_glucose": {"glucose": 96},
    "serum_ldh": {"ldh": 214},
    "serum_igg": {"igg": 1010},
    "serum_creatinine": {"creatinine": 1.1},
    "serum_bilirubin": {"bilirubin": 1.9},
    "serum_sodium": {"sodium": 134},
    "serum_potassium": {"potassium": 4.2},
    "serum_oligoclonal_bands": {"serum_bands": 0},
    "ascites_cell_count": {"nucleated_cells": 140, "pmn_percent": 12, "red_cells": 210},
    "ascites_albumin": {"albumin": 1.1},
    "ascites_protein": {"protein": 1.8},
    "ascites_gram": {"result": "none_seen"},
    "ascites_culture": {"growth": "no_growth"},
    "ascites_cytology": {"result": "negative"},
    "ascites_ada": {"ada": 14},
    "ascites_afb": {"smear": "negative", "culture": "negative"},
    "ascites_amylase": {"amylase": 38},
    "ascites_lipase": {"lipase": 24},
    "ascites_triglycerides": {"triglycerides": 61},
    "csf_cell_count": {"white_cells": 2, "red_cells": 18},
    "csf_cell_count_first": {"white_cells": 2, "red_cells": 140},
    "csf_glucose": {"glucose": 61},
    "csf_protein": {"protein": 36},
    "csf_gram": {"result": "none_seen"},
    "csf_culture": {"growth": "no_growth"},
    "csf_xanthochromia": {"result": "absent"},
    "csf_me_panel": {},
    "csf_hsv_pcr": {"result": "not_detected"},
    "csf_cytology": {"result": "negative"},
    "csf_flow_cytometry": {"interpretation": "normal"},
    "oligoclonal_bands": {"csf_only_bands": 0, "csf_bands": 0},
    "igg_index": {"csf_igg": 2.6, "csf_albumin": 19, "reported_index": 0.55},
    "kappa_free_light_chains": {"kappa": 0.02},
    "myelin_basic_protein": {"interpretation": "normal"},
    "amyloid_tau": {"interpretation": "normal"},
    "neurofilament": {"interpretation": "normal"},
}
#: The same test in the other protocol's unit (mg/dL).
LUMBAR_RESULTS: dict[str, dict[str, Any]] = {"serum_albumin": {"albumin": 4150}}
#: A report on the way: what the laboratory says of a culture that has not ended.
SO_FAR: dict[str, dict[str, Any]] = {
    "ascites_culture": {"growth": "no_growth_so_far"},
    "csf_culture": {"growth": "no_growth_so_far"},
    "ascites_afb": {"smear": "negative", "culture": "negative_so_far"},
}


def stage(code: str, procedure: Procedure, now: datetime, special: Mapping[str, Entry]) -> dict[str, Entry]:
    """Every question of a stage that is asked, given these answers, and what is answered."""
    entries: dict[str, Entry] = {}
    for question in procedure.protocol_version.parsed.questions:
        if question.stage == code and _is_asked(question, entries):
            entries[question.code] = entry(question, procedure, now, special)
    return {code: found for code, found in entries.items() if not found.is_empty}


def _is_asked(question: Question, entries: Mapping[str, Entry]) -> bool:
    if not question.asked_if:
        return question.required
    other, _, wanted = question.asked_if.partition("=")
    given = entries.get(other)
    return given is not None and given.pick.removeprefix("=") in wanted.split("|")


def entry(question: Question, procedure: Procedure, now: datetime, special: Mapping[str, Entry]) -> Entry:
    """What is answered to ``question``; ``special`` by question code goes first."""
    if question.code in special:
        return special[question.code]
    if question.code == "pregnancy_status":
        return _pregnancy(procedure, now)
    if question.code in LARGE and procedure.variant == "large_volume":
        return Entry(pick=LARGE[question.code])
    if question.code == "interpreter" and procedure.patient.interpreter_needed:
        return Entry(pick="=remote")
    if question.code in TYPED:
        return Entry(value=TYPED[question.code])
    if question.code in PICKS:
        return Entry(pick=PICKS[question.code])
    return _by_kind(question, now)


def _by_kind(question: Question, now: datetime) -> Entry:
    if question.kind == "yes_no":
        return Entry(pick="=no")
    if question.kind == "confirm":
        return Entry(pick="=confirmed")
    if question.kind == "choice":
        return Entry(pick=f"={question.choices[0].code}", note="as discussed")
    if question.kind in ("date", "datetime"):
        moment = now - timedelta(days=2)
        return Entry(value=moment.date().isoformat() if question.kind == "date" else moment.isoformat())
    return Entry(pick="unknown")


def _pregnancy(procedure: Procedure, now: datetime) -> Entry:
    patient = procedure.patient
    if patient.sex == "male":
        return Entry(pick="=not_applicable", note="male")
    if patient.age_on(now.date()) > TOO_OLD:
        return Entry(pick="=not_applicable", note="after the menopause")
    return Entry(pick="=not_pregnant")


def record(procedure: Procedure, rng: random.Random) -> dict[str, Any]:
    """The record's fields of an uneventful procedure. Over five litres albumin was given, 8 g for each litre."""
    protocol = procedure.protocol_version.parsed
    fields = dict(RECORD[protocol.code])
    if protocol.code == "lumbar_puncture":
        fields["opening_pressure_cm"] = rng.randrange(11, 20)
        return _known(protocol, fields)
    litres = {"diagnostic": 0.2, "therapeutic": rng.choice((2.5, 3.5, 4.5))}.get(procedure.variant)
    litres = litres or rng.choice((5.5, 6.0, 7.5))
    fields["volume_removed_ml"] = round(litres * 1000)
    if litres > 5:
        fields |= {"albumin_product": "percent_25", "albumin_given_g": round(litres * 8)}
    return _known(protocol, fields)


#: What the record says where no fluid came.
NO_FLUID: dict[str, dict[str, Any]] = {
    "paracentesis": {"appearance": "none", "volume_removed_ml": 0},
    "lumbar_puncture": {"appearance": "none", "csf_total_ml": 0},
}


def without_fluid(procedure: Procedure) -> dict[str, Any]:
    """What is different in the record of an attempt that gave none."""
    return NO_FLUID[procedure.protocol_version.parsed.code]


def result(procedure: Procedure, code: str, preliminary: bool) -> dict[str, Any]:
    """Ordinary values of a test."""
    if preliminary:
        return SO_FAR.get(code) or _so_far(procedure.protocol_version.parsed, code)
    if procedure.protocol_version.parsed.code == "lumbar_puncture" and code in LUMBAR_RESULTS:
        return LUMBAR_RESULTS[code]
    return RESULTS.get(code) or _first_choices(procedure.protocol_version.parsed, code)


def _so_far(protocol: Protocol, code: str) -> dict[str, Any]:
    """What the protocol itself calls *so far*; of a test that has no such words its ordinary answer."""
    found = {c.code: a.code for c in protocol.test(code).components for a in c.choices if a.code.endswith("so_far")}
    return found or _first_choices(protocol, code)


def _first_choices(protocol: Protocol, code: str) -> dict[str, Any]:
    """The first answer of each required choice: the protocols name what is normal first."""
    required = [c for c in protocol.test(code).components if c.required]
    return {c.code: c.choices[0].code if c.choices else 0 for c in required}


def _known(protocol: Protocol, fields: dict[str, Any]) -> dict[str, Any]:
    """Only what the pinned version of the protocol asks for."""
    known = {item.code for item in protocol.record_fields}
    return {code: value for code, value in fields.items() if code in known}
