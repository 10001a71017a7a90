"""Snapshots of imaginary cases for the tests of the safety rules, and the rule set of the product's own files."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from procedures.domain import load_ruleset
from procedures.domain import snapshot as s
from procedures.domain.answers import AnswerState
from procedures.domain.findings import Finding
from procedures.domain.ruleset import RuleSet
from tests.domain.protocol_files import data, protocol

NEEDLE = datetime(2026, 3, 5, 14, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PROTOCOLS = {"neuraxial": "lumbar_puncture", "low_risk": "paracentesis"}
#: The answers of somebody with nothing that matters.
GOOD = {
    "neuraxial": {
        "blood_thinner": None,
        "latex": "no", "anaesthetic_allergy": "no", "antiseptic_allergy": None, "adhesive_allergy": "no",
        "bleeding_history": "no", "liver_disease": "no", "blood_disorder": "no", "kidney_disease": "no",
        "bleeding_trigger": "no", "heparin_over_4_days": "no", "stent_or_clot": None, "skin_infection": "no",
        "epidural_abscess": "no", "spine_surgery": "no", "breathing_lying": "no", "can_keep_still": "yes",
        "suspected_meningitis": "no", "imaging_clear": "clear", "papilloedema": "no", "meningitis_ct_signs": "no",
    },
    "low_risk": {
        "blood_thinner": None,
        "latex": "no", "anaesthetic_allergy": "no", "antiseptic_allergy": None, "adhesive_allergy": "no",
        "bleeding_history": "no", "liver_disease": "no", "blood_disorder": "no", "kidney_disease": "no",
        "bleeding_trigger": "no", "nsaid": "no", "albumin_reaction": None, "clotting_breakdown": "no",
        "surgical_abdomen": "no", "skin_infection": "no", "bowel_distended": "no", "can_keep_still": "yes",
        "bladder_empty": "yes", "fluid_seen": "yes", "cause_of_ascites": "cancer", "large_volume_expected": "no",
    },
}  # fmt: skip
UNKNOWN = s.AnswerFact(state=AnswerState.UNKNOWN)


def files() -> dict[str, Any]:
    """Fresh data of both files, to be changed at will."""
    return {name: data(name) for name in load_ruleset.FILES}


@cache
def rules() -> RuleSet:
    return load_ruleset.parse(files())


def hours(n: float) -> timedelta:
    return timedelta(hours=n)


def said(value: str | None) -> s.AnswerFact:
    """An answer; None stands for an asserted none."""
    if value is None:
        return s.AnswerFact(state=AnswerState.NONE)
    return s.AnswerFact(state=AnswerState.ANSWERED, value=value)


def case(kind: str = "neuraxial", /, **extra: Any) -> s.Snapshot:
    """A case on the day with every answer good: the rules find nothing hard. ``answers`` are laid over the good ones;
    ``medicines`` and ``allergies`` are lines; what belongs to patient or procedure goes there by its name."""
    answers = {code: said(value) for code, value in GOOD[kind].items()} | extra.pop("answers", {})
    procedure: dict[str, Any] = {
        "bleeding_class": kind, "min_age": 18, "location": "clinic", "fluoroscopy": False, "antiseptic": "alcohol",
        "anaesthetic": "none", "indication_kind": "elective", "expected_volume_ml": 1000, "latex_free": True,
        "first_of_day": True, "slot_at": NEEDLE,
    }  # fmt: skip
    patient: dict[str, Any] = {
        "age": 50, "weight_kg": 80, "creatinine_mg_dl": 0.9, "crcl": 90, "crcl_at": NEEDLE - hours(48),
    }  # fmt: skip
    for part in (procedure, patient):
        part.update({key: extra.pop(key) for key in list(extra) if key in part or key == "conditions"})
    procedure.pop("conditions", None)
    base = s.Snapshot(
        procedure=s.ProcedureFacts(**procedure),
        patient=s.PatientFacts(**patient),
        medicines=medicine_list(extra.pop("medicines", ())),
        allergies=allergy_list(extra.pop("allergies", ())),
        pregnancy=s.Pregnancy(status="not_pregnant", at=NEEDLE - hours(2)),
        answers=answers,
        questions={q.code: q.stage for q in protocol(PROTOCOLS[kind]).questions},
        moment="time_out",
    )
    return replace(base, **extra)


def medicine_list(lines: Iterable[s.Medicine]) -> s.MedicineList:
    entries = tuple(lines)
    if not entries:
        return s.MedicineList(asked=s.Asked.NONE, none_by="Nurse Example")
    return s.MedicineList(asked=s.Asked.LISTED, entries=entries)


def allergy_list(lines: Iterable[s.Allergy]) -> s.AllergyList:
    entries = tuple(lines)
    if not entries:
        return s.AllergyList(asked=s.Asked.NONE, none_by="Nurse Example")
    return s.AllergyList(asked=s.Asked.LISTED, entries=entries)


def taken(code: str, **extra: Any) -> s.Medicine:
    return s.Medicine(**{"text": code, "code": code, "status": s.MedicineStatus.ONGOING} | extra)


def stopped(code: str, last: datetime, *, confirmed: bool = True, **extra: Any) -> s.Medicine:
    """Stopped, the last dose told to a nurse at sign-in an hour before the needle (or, else, to nobody yet)."""
    told = {"confirmed_by": "Nurse Example", "confirmed_at": NEEDLE - hours(1), "confirmed_stage": "sign_in"}
    fields = {"text": code, "code": code, "status": s.MedicineStatus.STOPPED, "last_dose_at": last}
    return s.Medicine(**fields | (told if confirmed else {}) | extra)


def lab(code: str, value: float | None, age_hours: float = 2, unit: str = "") -> s.LabValue:
    return s.LabValue(code=code, value=value, unit=unit, at=NEEDLE - hours(age_hours))


def one(found: Iterable[Finding], key: str) -> Finding:
    """The finding about ``key``."""
    matching = [f for f in found if f.key == key]
    assert len(matching) == 1, (key, [f.key for f in found])
    return matching[0]


def changed(path: list[Any], value: Any) -> RuleSet:
    """The rule set after one change in the data of its files."""
    content = copy.deepcopy(files())
    place: Any = content
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return load_ruleset.parse(content)
