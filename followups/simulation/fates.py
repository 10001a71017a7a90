"""What becomes of a case, drawn once from the seed. How often is invented: often enough that a year has all of it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from procedures.domain.states import Disposition, Outcome

T = TypeVar("T")
PARACENTESIS, LUMBAR = "paracentesis", "lumbar_puncture"
INDICATIONS: dict[str, dict[str, int]] = {
    PARACENTESIS: {
        "relief_up_to_5_l": 26, "serial_relief": 22, "relief": 16, "new_ascites": 14, "suspected_infection": 6,
        "infection_recheck": 3, "malignancy": 5, "admission": 3, "heart_or_kidney": 2, "tuberculosis": 1,
        "pancreatic": 1, "chylous": 1, "bowel_injury": 1,
    },
    LUMBAR: {
        "multiple_sclerosis": 28, "intracranial_hypertension": 14, "neuropathy": 13, "meningitis": 9,
        "normal_pressure_hydrocephalus": 9, "inflammatory": 7, "dementia": 6, "malignancy": 5,
        "autoimmune_encephalitis": 4, "subarachnoid_haemorrhage": 3, "tuberculosis": 2, "prion": 1,
        "intrathecal_medicine": 2, "meningitis_immunocompromised": 2, "failed_landmark": 1,
    },
}  # fmt: skip
ENDS = {"": 880, "moved": 45, "no_show": 35, "cancelled": 30, "entered_in_error": 6, "late_error": 4}
OUTCOMES = {Outcome.DONE: 940, Outcome.PARTIAL: 25, Outcome.NO_FLUID: 25, Outcome.NOT_ATTEMPTED: 10}
ELSEWHERE = {Disposition.ADMITTED: 20, Disposition.EMERGENCY_DEPARTMENT: 10, Disposition.HOME: 970}
TIERS = {"": 84, "D": 5, "C": 5, "B": 4, "A": 2}
CHANNELS: dict[tuple[str, ...], int] = {(): 50, ("sms",): 30, ("sms", "email"): 14, ("email",): 6}
FORGOTTEN = ("book", "pre_visit", "record", "receive")


@dataclass(frozen=True, kw_only=True)
class Fate:
    """One case. ``forgotten``: what nobody does of their own accord, so that a list must ask."""

    protocol: str
    indication: str
    lead_days: int
    urgency: str = "elective"
    ends: str = ""
    outcome: Outcome = Outcome.DONE
    disposition: Disposition = Disposition.HOME
    inpatient: bool = False
    comes_again: bool = False
    held: bool = False
    thinner: bool = False
    allergy: str = ""
    agrees: tuple[str, ...] = ()
    answers: bool = False  # by the link of a message; the others are silent
    form: bool = False
    tier: str = ""
    words: str = ""
    writes: str = ""
    locked: bool = False
    undelivered: bool = False
    lost: bool = False
    dies_after_days: float | None = None
    forgotten: frozenset[str] = field(default_factory=frozenset)

    @property
    def emergency(self) -> bool:
        return self.urgency == "emergency"


def pick(rng: random.Random, weights: Mapping[T, int]) -> T:
    return rng.choices(list(weights), list(weights.values()))[0]


def draw(rng: random.Random) -> Fate:
    """The same random numbers, the same fate."""
    protocol = PARACENTESIS if rng.random() < 0.6 else LUMBAR
    urgency = pick(rng, {"elective": 90, "urgent": 7, "emergency": 3})
    inpatient = rng.random() < (0.6 if urgency == "emergency" else 0.1)
    agrees = () if inpatient else pick(rng, CHANNELS)
    indication = pick(rng, INDICATIONS[protocol])
    if urgency == "emergency":
        indication = "suspected_infection" if protocol == PARACENTESIS else "meningitis"
    return Fate(
        protocol=protocol,
        indication=indication,
        lead_days=1 if urgency == "urgent" else rng.randrange(3, 11),
        urgency=urgency,
        ends="" if urgency == "emergency" else pick(rng, ENDS),
        outcome=Outcome.DONE if urgency == "emergency" else pick(rng, OUTCOMES),
        disposition=Disposition.WARD if inpatient else pick(rng, ELSEWHERE),
        inpatient=inpatient,
        comes_again=protocol == PARACENTESIS and rng.random() < 0.4,
        held=protocol == LUMBAR and urgency == "elective" and rng.random() < 0.12,
        thinner=urgency == "elective" and rng.random() < 0.02,
        allergy=rng.choice(("Penicillin", "Chlorhexidine", "Latex", "Lidocaine")) if rng.random() < 0.06 else "",
        agrees=agrees,
        answers=bool(agrees) and rng.random() < 0.6,
        form=bool(agrees) and rng.random() < 0.5,
        tier=pick(rng, TIERS),
        words="May I take ibuprofen for my knee?" if rng.random() < 0.06 else "",
        writes=rng.choice(("May I eat before?", "STOP", "HELP", "I bleed a lot")) if rng.random() < 0.04 else "",
        locked=bool(agrees) and rng.random() < 0.02,
        undelivered=bool(agrees) and rng.random() < 0.03,
        lost=rng.random() < 0.015,
        dies_after_days=rng.uniform(0.5, 20) if rng.random() < 0.012 else None,
        forgotten=frozenset(step for step in FORGOTTEN if rng.random() < 0.05),
    )
