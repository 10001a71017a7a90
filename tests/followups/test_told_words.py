"""What a patient is told: the reader's words, in the language the patient reads."""

from __future__ import annotations

from typing import Any

import pytest

from clinic.roles import Role
from followups.models import Review
from followups.selectors import telling
from followups.services import reviews
from procedures.models import ResultVersion
from tests import make

pytestmark = pytest.mark.django_db

NAME = "csf_glucose"


def version(language: str = "English") -> ResultVersion:
    patient = make.patient(language=language)
    case = make.procedure(code="lumbar_puncture", status="completed", patient=patient)
    return make.result(make.lab_test(case, NAME))


def read(found: ResultVersion, **words: Any) -> Review:
    given: dict[str, Any] = {"interpretation": "normal", "plan": "none", "tell": "with_all", **words}
    return reviews.review(version=found, actor=make.actor(Role.PHYSICIAN), **given)


def test_without_words_of_the_reader_the_prepared_sentence_is_kept() -> None:
    kept = read(version())
    assert kept.patient_message.endswith("as it should be.")
    assert (kept.patient_message_theirs, kept.patient_language) == ("", "en")


def test_a_spanish_reader_gets_the_prepared_sentence_in_spanish_too() -> None:
    found = version("Spanish")
    kept = read(found)
    assert kept.patient_message_theirs.endswith("como debe ser.")
    (line,) = telling.lines(found.test.procedure)
    assert line.readable == kept.patient_message_theirs


def test_words_of_the_readers_own_are_not_answered_by_a_prepared_translation() -> None:
    found = version("Spanish")
    kept = read(found, patient_message="Your sugar is fine, but we will repeat it.")
    assert kept.patient_message_theirs == ""
    (line,) = telling.lines(found.test.procedure)
    assert line.readable == ""
    assert line.english == "Your sugar is fine, but we will repeat it."


def test_words_of_the_readers_own_in_both_languages_are_kept() -> None:
    kept = read(version("Spanish"), patient_message="Fine.", patient_message_theirs="Todo bien.")
    assert (kept.patient_message, kept.patient_message_theirs) == ("Fine.", "Todo bien.")


def test_nothing_is_prepared_for_what_is_not_told() -> None:
    found = version()
    kept = read(found, tell="not_this", tell_reason="Told by the ward already")
    assert kept.patient_message == ""
    (line,) = telling.lines(found.test.procedure)
    assert (line.waits, line.not_told_because) == (False, "Told by the ward already")


def test_a_language_we_do_not_write_is_told_in_english_words_by_an_interpreter() -> None:
    found = version("Vietnamese")
    kept = read(found)
    assert kept.patient_language == "en"
    assert kept.patient_message.endswith("as it should be.")
