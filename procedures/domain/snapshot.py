"""What is known about a case at a moment, for the safety rules. Frozen, plain, no names of patients. Pure.

What is absent is unknown, never *no*. The moment matters only for what has not been asked: before sign-in a question
may still wait, from sign-in on it weighs as unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from enum import StrEnum

from procedures.domain.answers import AnswerState

STAGES = ("pre_visit", "consent", "sign_in", "time_out", "sign_out")
#: From here on nothing may be left open.
DAY_OF = frozenset({"sign_in", "time_out", "sign_out"})


class Asked(StrEnum):
    """Whether a list (medicines, allergies) was asked for, and what came of it."""

    NOT_ASKED = "not_asked"
    UNKNOWN = "unknown"  # asked, and nobody knows
    NONE = "none"  # asserted by a named person
    LISTED = "listed"


class MedicineStatus(StrEnum):
    ONGOING = "ongoing"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Medicine:
    """One line of the medicine list. ``code``: a listed ingredient or product, empty when not recognised.

    ``confirmed_*``: who heard the last dose from the patient, when, and at which stage. ``tier``: stated by a
    clinician; else it is worked out from dose, unit and times per day. ``thins_blood``: said of a medicine that is not
    listed.
    """

    text: str
    code: str = ""
    dose: float | None = None
    unit: str = ""
    times_per_day: float | None = None
    route: str = ""  # iv, sc, oral, dialysis
    tier: str = ""
    status: MedicineStatus = MedicineStatus.UNKNOWN
    last_dose_at: datetime | None = None
    confirmed_by: str = ""
    confirmed_at: datetime | None = None
    confirmed_stage: str = ""
    planned_stop_at: datetime | None = None
    thins_blood: bool | None = None


@dataclass(frozen=True, kw_only=True)
class MedicineList:
    """``none_by``: who asserted that the patient takes none; without a name nobody has."""

    asked: Asked = Asked.NOT_ASKED
    entries: tuple[Medicine, ...] = ()
    none_by: str = ""
    valid_until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Allergy:
    """``category``: an allergen of the rule set, empty when not recognised. ``severity``: see ``reactions`` there."""

    text: str
    category: str = ""
    severity: str = "unknown"


@dataclass(frozen=True, kw_only=True)
class AllergyList:
    asked: Asked = Asked.NOT_ASKED
    entries: tuple[Allergy, ...] = ()
    none_by: str = ""
    valid_until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Pregnancy:
    """``status``: a code of the checklist's question (pregnant, possible, not_pregnant, unknown, declined…)."""

    status: str
    at: datetime
    by_test: bool = False


@dataclass(frozen=True, kw_only=True)
class LabValue:
    """``value`` None: asked for, and nobody knows it."""

    code: str
    value: float | None
    unit: str = ""
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class AnswerFact:
    state: AnswerState
    value: str = ""
    valid_until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class PatientFacts:
    """``conditions``: known from elsewhere than the checklist (True, False, or None for unknown); else they are read
    from its answers."""

    age: float | None = None
    weight_kg: float | None = None
    creatinine_mg_dl: float | None = None
    crcl: float | None = None
    crcl_at: datetime | None = None
    conditions: Mapping[str, bool | None] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ProcedureFacts:
    """What is planned. ``indication_kind``: meningitis, elective, or empty for unknown."""

    bleeding_class: str
    min_age: int | None = None
    location: str = ""
    fluoroscopy: bool | None = None
    antiseptic: str = ""
    anaesthetic: str = ""
    indication_kind: str = ""
    expected_volume_ml: float | None = None
    latex_free: bool | None = None  # room and kit are confirmed
    first_of_day: bool | None = None
    slot_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """``questions``: every question of the protocol with its stage; a rule about another question does not apply.
    None: not known, every rule applies. ``opened``: somebody has begun the checklist. ``zone``: the clinic's."""

    procedure: ProcedureFacts
    patient: PatientFacts = PatientFacts()
    medicines: MedicineList = MedicineList()
    allergies: AllergyList = AllergyList()
    pregnancy: Pregnancy | None = None
    labs: tuple[LabValue, ...] = ()
    answers: Mapping[str, AnswerFact] = field(default_factory=dict)
    questions: Mapping[str, str] | None = None
    moment: str = "pre_visit"
    opened: bool = True
    zone: tzinfo = UTC

    @property
    def day_of(self) -> bool:
        return self.moment in DAY_OF

    def is_due(self, question: str) -> bool:
        """Whether the question can no longer wait."""
        if not self.day_of:
            return False
        stage = (self.questions or {}).get(question, "pre_visit")
        return STAGES.index(stage) <= STAGES.index(self.moment)
