"""One round of a checklist as plain values: what is current in it, and who signed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from procedures.domain import doses
from procedures.domain.answers import AnswerState
from procedures.domain.reported import Report


def _utc(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat() if moment else None


@dataclass(frozen=True, kw_only=True)
class AnswerRow:
    """A current answer."""

    id: int
    question: str
    state: AnswerState
    value: Any
    note: str
    confirmed: bool
    reported: bool
    answered_at: datetime
    answered_by: str
    valid_until: datetime | None


@dataclass(frozen=True, kw_only=True)
class MedicineRow:
    """A current line of the medicine list.

    ``code``: the listed medicine it was recognised as, empty when none was. ``amount`` with ``unit`` is one dose;
    ``dose`` is what was written in free words.
    """

    id: int
    name: str
    dose: str
    indication: str
    prescriber: str
    status: str
    last_dose_at: datetime | None
    thins_blood: bool | None
    confirmed: bool
    recorded_at: datetime
    recorded_by: str
    code: str = ""
    amount: float | None = None
    unit: str = ""
    times_per_day: float | None = None
    route: str = ""
    tier: str = ""
    planned_stop_at: datetime | None = None

    @property
    def named(self) -> str:
        return self.name

    @property
    def said_dose(self) -> str:
        """The dose in words: the fields', then what was written besides."""
        fields = doses.words(self.amount, self.unit, self.times_per_day)
        return f"{fields} ({self.dose})" if fields and self.dose else fields or self.dose

    def signed_part(self) -> list[Any]:
        """What a signature stands for. Lines from before the details were kept read as they were signed."""
        plain = [self.name, self.dose, self.indication, self.prescriber, self.status, _utc(self.last_dose_at)]
        details = [self.code, self.amount, self.unit, self.times_per_day, self.route, self.tier]
        if not any(details) and self.planned_stop_at is None:
            return [*plain, self.thins_blood]
        return [*plain, self.thins_blood, *details, _utc(self.planned_stop_at)]


@dataclass(frozen=True, kw_only=True)
class AllergyRow:
    """A current line of the allergy list."""

    id: int
    substance: str
    category: str
    reaction: str
    severity: str
    confirmed: bool
    recorded_at: datetime
    recorded_by: str

    @property
    def named(self) -> str:
        return self.substance

    def signed_part(self) -> list[Any]:
        return [self.substance, self.category, self.reaction, self.severity]


@dataclass(frozen=True, kw_only=True)
class SignatureRow:
    id: int
    stage: str
    signed_at: datetime
    signed_by: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class Round:
    """One round of questions with what is current in it."""

    id: int
    number: int
    opened_at: datetime
    answers: Mapping[str, AnswerRow]
    medicines: tuple[MedicineRow, ...] = ()
    allergies: tuple[AllergyRow, ...] = ()
    signatures: tuple[SignatureRow, ...] = ()
    report: Report | None = None  # the newest that the patient said themselves

    def rows(self, kind: str) -> tuple[MedicineRow, ...] | tuple[AllergyRow, ...]:
        """The lines a question of this kind speaks about."""
        return self.medicines if kind == "medicines" else self.allergies if kind == "allergies" else ()

    def first_signed(self, stage: str) -> datetime | None:
        return min((s.signed_at for s in self.signatures if s.stage == stage), default=None)

    def last_signature(self, stage: str) -> SignatureRow | None:
        return max((s for s in self.signatures if s.stage == stage), key=lambda s: (s.signed_at, s.id), default=None)
