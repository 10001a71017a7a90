"""The sentences that are prepared for the patient."""

from __future__ import annotations

from dataclasses import replace

import pytest

from procedures.domain import result_words
from procedures.domain.patient_content import TestWords
from procedures.domain.problems import Problems
from procedures.domain.protocol import Protocol
from procedures.domain.validate_patient import validate_patient
from tests.domain.protocol_files import protocol as protocol_of

CODES = ("lumbar_puncture", "paracentesis")


@pytest.mark.parametrize("code", CODES)
def test_every_test_has_a_sentence_for_every_interpretation(code: str) -> None:
    protocol = protocol_of(code)
    for test in protocol.tests:
        found = result_words.by_interpretation(protocol, test.code)
        assert set(found) == {"normal", "abnormal", "critical"}, test.code
        assert all(sentence.endswith(".") and "{" not in sentence for sentence in found.values())


def test_a_test_without_words_of_its_own_gets_the_general_ones_with_its_name() -> None:
    protocol = protocol_of("lumbar_puncture")
    words, name = protocol.result_words, result_words.name_of(protocol, "csf_glucose")
    assert words is not None
    assert result_words.prepared(protocol, "csf_glucose", "normal") == f"{name[0].upper()}{name[1:]}: {words.normal}"


def test_what_is_preliminary_says_that_it_can_change() -> None:
    protocol = protocol_of("paracentesis")
    words = protocol.result_words
    assert words is not None
    final = result_words.prepared(protocol, "ascites_culture", "normal")
    so_far = result_words.prepared(protocol, "ascites_culture", "normal", preliminary=True)
    assert so_far == f"{final} {words.so_far}"


def test_nothing_is_prepared_for_another_word_or_by_an_older_version() -> None:
    protocol = protocol_of("paracentesis")
    assert result_words.prepared(protocol, "ascites_culture", "unknown") == ""
    older = replace(protocol, result_words=None)
    assert result_words.by_interpretation(older, "ascites_culture") == {}


@pytest.mark.parametrize(
    ("tests", "said"),
    [
        ((TestWords(code="nothing_like_it", normal="Fine."),), "is not in tests"),
        ((TestWords(code="ascites_gram"),), "says nothing of its own"),
        ((TestWords(code="ascites_gram", normal="Fine."),) * 2, "is there twice"),
    ],
)
def test_a_wrong_sentence_is_refused_with_its_place(tests: tuple[TestWords, ...], said: str) -> None:
    protocol = protocol_of("paracentesis")
    assert protocol.result_words is not None
    wrong: Protocol = replace(protocol, result_words=replace(protocol.result_words, tests=tests))
    problems = Problems("file")
    validate_patient(wrong, problems)
    assert any(said in line and "result_words.tests[" in line for line in problems.lines)
