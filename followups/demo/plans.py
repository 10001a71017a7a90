"""Who comes when: the cases that the demonstration shows, and as many ordinary ones as are asked for."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from followups.simulation.links import Answers
from followups.simulation.stories import DAY, HOUR, MINUTE, Plan
from procedures.domain.states import Disposition, Outcome

QUARTER = 15 * MINUTE
INPATIENT = {"encounter_class": "inpatient", "reach_by": "facility", "facility": "Ward 4 East"}
MS, LP = "multiple_sclerosis", "lumbar_puncture"
NEVER_TOLD = frozenset({"tell"})
TEXTS, BOTH = ("sms",), ("sms", "email")
ENGLISH = {"language": "English", "interpreter_needed": False}
SPANISH = {"language": "Spanish", "interpreter_needed": True}


def on_the_hour(now: datetime) -> datetime:
    """The last quarter of an hour."""
    return now - timedelta(minutes=now.minute % 15, seconds=now.second, microseconds=now.microsecond)


def shown(now: datetime) -> list[Plan]:
    """Every state that the product knows, the most telling first. Deterministic but for the present moment."""
    return [*_today(on_the_hour(now)), *_waiting(now), *_to_do(now), *_by_themselves(now), *_coming(now), *_odd(now)]


def _one(start: datetime, **more: Any) -> Plan:
    return Plan(start=start, room="one", operator="pia", **more)


def _two(start: datetime, **more: Any) -> Plan:
    return Plan(start=start, room="two", operator="carl", **more)


def _today(base: datetime) -> list[Plan]:
    """Two rooms: done, under way, here, still to come, each as ready as it happens to be."""
    silent = frozenset({"ascites_cell_count"})
    return [
        _one(base - QUARTER, indication="new_ascites", never=frozenset({"complete"})),
        _two(base + QUARTER, indication="relief", never=frozenset({"start"})),
        _one(base + HOUR, protocol=LP, indication=MS, never=frozenset({"arrive"})),
        _two(base + 3 * HOUR, protocol=LP, indication="neuropathy", half=True),
        _one(base + 135 * MINUTE, indication="serial_relief", never=frozenset({"pre_visit"}), known_as="S"),
        _one(base - 4 * HOUR, never=frozenset({"receive"}), missing=silent),
        _one(base - 2 * HOUR, protocol=LP, indication="intracranial_hypertension"),
        _two(base - 3 * HOUR, protocol=LP, indication=MS, never=frozenset({"record"})),
        _two(base - 75 * MINUTE, indication="new_ascites", ends="no_show", ended_at=base - 10 * MINUTE),
    ]


def _waiting(now: datetime) -> list[Plan]:
    """Requests without a slot: one waits too long, one is urgent."""
    unbooked = frozenset({"book"})
    return [
        Plan(requested_at=now - 4 * DAY, indication="relief_up_to_5_l", never=unbooked),
        Plan(requested_at=now - HOUR, urgency="urgent", indication="suspected_infection", never=unbooked),
        Plan(requested_at=now - 3 * HOUR, protocol=LP, indication="normal_pressure_hydrocephalus", never=unbooked),
    ]


def _to_do(now: datetime) -> list[Plan]:
    """What waits on the lists of nurse and physician."""
    return [
        # unread and critical: more than 250 neutrophils, an inpatient, reported a moment ago
        Plan(
            start=on_the_hour(now) - 5 * HOUR,
            requested_at=now - 8 * HOUR,
            indication="suspected_infection",
            location="bedside",
            patient=INPATIENT,
            disposition=Disposition.WARD,
            handed_to="carl",  # who has not answered yet
            values={"ascites_cell_count": {"nucleated_cells": 940, "pmn_percent": 82, "red_cells": 400}},
            arrivals={"ascites_cell_count": now - 20 * MINUTE},
            never=frozenset({"review"}),
        ),
        # cytology that should have been here two days ago
        Plan(
            day=-8,
            indication="malignancy",
            missing=frozenset({"ascites_cytology"}),
            taken=("awaited_result", now - 5 * HOUR),
        ),
        # tuberculosis: weekly preliminaries, the last word after eight weeks
        Plan(day=-15, indication="tuberculosis"),
        # a count that was corrected after the patient had been told
        Plan(
            day=-6,
            operator="carl",
            corrected=("ascites_cell_count", {"nucleated_cells": 310, "pmn_percent": 30, "red_cells": 90}, now - HOUR),
        ),
        # apixaban is to be restarted today
        Plan(day=-1, protocol=LP, indication=MS, held="Apixaban", never=frozenset({"restart"})),
        # bands are due in two days; well at every check, by a link
        Plan(
            day=-4, protocol=LP, indication=MS, operator="carl", allergy="Penicillin",
            agrees=TEXTS, patient=ENGLISH, by_link=Answers(),
        ),
        # everything is read, nobody has called; sent by a link, which is not told
        Plan(day=-2, protocol=LP, indication="neuropathy", never=NEVER_TOLD),
        Plan(
            day=-3, indication="new_ascites", operator="carl", told_by_link=True,
            agrees=BOTH, patient={**ENGLISH, "email": "reads.later@example.org"},
        ),
        # malignant cells: told, the referral is not written
        Plan(
            day=-5,
            indication="malignancy",
            values={"ascites_cytology": {"result": "malignant"}},
            never=frozenset({"act"}),
        ),
        # nobody has asked about danger signs
        Plan(day=-3, indication="relief", never=frozenset({"ask"})),
        # a headache that depends on posture
        Plan(day=-7, protocol=LP, indication=MS, signs={"headache": "postural"}),
        # a tube that broke: another needle, or none?
        Plan(day=-1, indication="malignancy", lost="ascites_cytology", operator="carl"),
        # cancelled with a medicine held and nobody told
        Plan(
            day=2, protocol=LP, indication=MS, held="Rivaroxaban", ends="cancelled", ended_at=now - 2 * HOUR,
            never=frozenset({"tell", "pre_visit"}),
        ),
        # the emergency of last night owes its checklist and the second signature
        Plan(
            start=now - 9 * HOUR, protocol=LP, indication="meningitis", location="bedside", operator="carl",
            urgency="emergency", disposition=Disposition.ADMITTED, never=frozenset({"sign_out"}),
        ),
    ]  # fmt: skip


def _by_themselves(now: datetime) -> list[Plan]:
    """Patients who agreed to messages, and what they answer by a link, or do not."""
    return [
        # a postural headache, strong and growing: call within the hour
        Plan(
            day=-2, protocol=LP, indication=MS, agrees=TEXTS, patient=ENGLISH,
            by_link=Answers(
                signs={"headache": "postural", "headache_trend": "worse", "headache_strength": "severe"},
                at=now - 20 * MINUTE,
            ),
        ),
        # words that a person reads, in Spanish
        Plan(
            day=-2, indication="new_ascites", agrees=TEXTS, patient=SPANISH,
            by_link=Answers(words="¿Puedo tomar ibuprofeno para la rodilla?", at=now - 50 * MINUTE),
        ),
        # the fluid is back after a week
        Plan(
            day=-6, indication="relief", agrees=TEXTS, patient=ENGLISH,
            by_link=Answers(signs={"fluid_back": "yes"}, when="day_7"),
        ),
        # asked, and nobody answers
        Plan(day=-1, protocol=LP, indication=MS, agrees=TEXTS, patient=ENGLISH, by_link=Answers(at=now + DAY)),
    ]  # fmt: skip


def _coming(now: datetime) -> list[Plan]:
    """The next two weeks, more or less prepared."""
    return [
        Plan(day=1, indication="relief", allergy="Chlorhexidine"),
        Plan(day=1, protocol=LP, indication=MS, held="Apixaban", operator="carl"),
        # the form before the visit is answered; another one is open, in Spanish, with a question in return
        Plan(day=2, indication="new_ascites", never=frozenset({"pre_visit"}), agrees=TEXTS, patient=ENGLISH, form=True),
        Plan(
            day=5, protocol=LP, indication="inflammatory", agrees=BOTH,
            patient={**SPANISH, "email": "paciente@example.org"},
            texts=(now - 50 * MINUTE, "¿Puedo desayunar antes de ir?"),
        ),
        # still on a blood thinner: to be decided on, decided by one of two, to be told when to stop
        Plan(day=6, protocol=LP, indication=MS, thinner="Rivaroxaban", agrees=TEXTS, locked_at=now - 3 * HOUR),
        Plan(day=7, protocol=LP, indication="neuropathy", thinner="Rivaroxaban", proceeds=True, operator="carl"),
        Plan(day=9, protocol=LP, indication="dementia", thinner="Rivaroxaban", untold=True),
        # and a text did not arrive
        Plan(
            day=8, protocol=LP, indication="failed_landmark", location="radiology", operator="carl",
            agrees=TEXTS, patient=ENGLISH, undelivered_at=now - 2 * HOUR,
        ),
    ]  # fmt: skip


def _odd(now: datetime) -> list[Plan]:
    """What also happens."""
    return [
        Plan(day=-9, indication="new_ascites", outcome=Outcome.NO_FLUID),
        Plan(day=-10, indication="malignancy", dies_at=now - 6 * DAY, operator="carl"),
        Plan(day=-4, indication="new_ascites", ends="no_show", rebooked=True),
        Plan(day=-12, indication="new_ascites", ends="cancelled", ended_at=now - 17 * DAY),
        Plan(day=-5, indication="serial_relief", ends="entered_in_error", ended_at=now - 8 * DAY),
        Plan(day=-20, indication="serial_relief", known_as="S"),
        # every fortnight: three lie behind, and nothing is booked ahead
        Plan(day=-24, indication="serial_relief", every=14, operator="carl"),
        Plan(day=-10, indication="serial_relief", known_as="S"),
        Plan(day=-22, protocol=LP, indication=MS, held="Apixaban", values={"oligoclonal_bands": {"csf_only_bands": 5}}),
    ]


def ordinary(rng: random.Random, days: int) -> Iterator[Plan]:
    """Uneventful cases without end, spread over ``days`` working days that lie behind."""
    while True:
        day, operator = -rng.randrange(2, days), rng.choice(("pia", "carl"))
        if rng.random() < 0.55:
            indication = rng.choice(("relief_up_to_5_l", "serial_relief", "new_ascites", "relief", "malignancy"))
            yield Plan(day=day, operator=operator, indication=indication)
        else:
            indication = rng.choice((MS, "neuropathy", "intracranial_hypertension", "normal_pressure_hydrocephalus"))
            held = "Apixaban" if rng.random() < 0.2 else ""
            yield Plan(day=day, operator=operator, protocol=LP, indication=indication, held=held)
