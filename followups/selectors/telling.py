"""What a patient is told about the results of a case: the sentences, what follows, and how it can reach them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from followups import wording
from followups.models import Action, PatientContact, Review
from followups.models.contacts import TOLD, ContactOutcome
from followups.models.reviews import Interpretation, TellHow
from followups.patient_language import language_of
from followups.services import contacts, told_words
from procedures.domain import languages
from procedures.domain.states import Level
from procedures.models import Procedure, ResultVersion


@dataclass(frozen=True, kw_only=True)
class Line:
    """One reviewed result. ``readable``: what may be given to the patient to read; empty when it is only to be said."""

    version: ResultVersion
    name: str
    interpretation: str
    english: str
    theirs: str
    readable: str
    language: str
    follows: str  # what the reader decided shall be done, in the staff's words
    not_told_because: str
    told_at: datetime | None
    critical: bool

    @property
    def label(self) -> str:
        """One line of a list to tick."""
        return f"{self.name}: {self.english}" if self.english else self.name

    @property
    def waits(self) -> bool:
        """It is still to be told."""
        return self.told_at is None and not self.not_told_because


def lines(procedure: Procedure) -> list[Line]:
    """Every reviewed result that counts now; three queries, however many."""
    protocol = procedure.protocol_version.parsed
    language = language_of(procedure.patient, protocol)
    tries = list(PatientContact.objects.filter(procedure=procedure, outcome__in=TOLD).order_by("at"))
    follows = dict(Action.objects.filter(procedure=procedure, not_done=False).values_list("review_id", "what"))
    return [
        _line(version, wording.test_label(version.test.code, protocol), language, tries, follows)
        for version in contacts.tellable(procedure)
    ]


def _line(
    version: ResultVersion, label: str, language: str, tries: list[PatientContact], follows: dict[int, str]
) -> Line:
    review: Review = max(version.reviews.all(), key=lambda r: r.pk)
    told = told_words.of(review, language)
    not_told = review.tell_reason if review.tell == TellHow.NOT_THIS else ""
    return Line(
        version=version,
        name=f"{label} ({version.get_status_display()})",
        interpretation=review.get_interpretation_display(),
        english=told.english,
        theirs=told.theirs,
        readable=told.readable,
        language="" if language == languages.DEFAULT else language,
        follows=follows.get(review.pk, ""),
        not_told_because=not_told,
        told_at=next((c.at for c in tries if version.pk in c.told_versions and c.at >= review.at), None),
        critical=review.interpretation == Interpretation.CRITICAL or version.level == Level.CRITICAL,
    )


def wants_call(tries: Iterable[PatientContact]) -> PatientContact | None:
    """The patient has read a message and asks to be called, and nobody has reached them since. ``tries``: of the case,
    the newest first.
    """
    newest = next((c for c in tries if c.outcome in TOLD or c.outcome == ContactOutcome.CALL_WANTED), None)
    return newest if newest is not None and newest.outcome == ContactOutcome.CALL_WANTED else None
