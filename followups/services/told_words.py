"""What a patient is told about a result, in English for the staff and in the language they read.

A sentence of the reader's own stands in English until somebody puts it into the patient's language: what was prepared
in that language then no longer says the same, and is not sent in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from followups.models import Review
from followups.models.reviews import TellHow
from followups.patient_language import language_of
from procedures.domain import languages, result_words
from procedures.domain.states import ResultStatus
from procedures.models import Procedure, ResultVersion


@dataclass(frozen=True, kw_only=True)
class Told:
    """``english`` for the staff; ``theirs`` in ``language``, empty when that is English or nobody has put it so."""

    english: str
    theirs: str
    language: str

    @property
    def readable(self) -> str:
        """What the patient can be given to read; empty: an interpreter says it."""
        return self.english if self.language == languages.DEFAULT else self.theirs


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """The sentences that are prepared for one version, by interpretation, in English and in the patient's language."""

    language: str
    english: Mapping[str, str]
    theirs: Mapping[str, str]


def prepared(version: ResultVersion, procedure: Procedure) -> Prepared:
    """What the product proposes for each interpretation."""
    protocol = procedure.protocol_version.parsed
    language = language_of(procedure.patient, protocol)
    preliminary = version.status == ResultStatus.PRELIMINARY
    code = version.test.code

    def sentences(lang: str) -> Mapping[str, str]:
        return result_words.by_interpretation(protocol.in_language(lang), code, preliminary=preliminary)

    english = sentences(languages.DEFAULT)
    return Prepared(
        language=language, english=english, theirs={} if language == languages.DEFAULT else sentences(language)
    )


def of_review(
    version: ResultVersion, procedure: Procedure, interpretation: str, tell: str, english: str, theirs: str
) -> Told:
    """What is kept with a reading: the reader's words, else the prepared sentence; nothing when nothing is told."""
    words = prepared(version, procedure)
    written, translated = english.strip(), theirs.strip()
    if tell == TellHow.NOT_THIS:
        return Told(english=written, theirs=translated, language=words.language)
    proposal = words.english.get(interpretation, "")
    if not translated and written in {"", proposal}:
        translated = words.theirs.get(interpretation, "")
    return Told(english=written or proposal, theirs=translated, language=words.language)


def of(review: Review, language: str) -> Told:
    """What a kept reading says to a patient who now reads ``language``; kept in another one it is not readable."""
    theirs = review.patient_message_theirs if review.patient_language == language else ""
    return Told(english=review.patient_message, theirs=theirs, language=language)
