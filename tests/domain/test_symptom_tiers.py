"""Danger signs after the needle: how urgent each answer is, and when."""

from __future__ import annotations

import pytest

from procedures.domain.patient_content import SymptomQuestion
from procedures.domain.protocol import Protocol
from procedures.domain.symptoms import UnknownAnswer, advice, choice, tier, worst
from tests.domain.protocol_files import protocol

LP, PARA = protocol("lumbar_puncture"), protocol("paracentesis")


def question(source: Protocol, code: str) -> SymptomQuestion:
    return next(q for q in source.symptom_questions if q.code == code)


@pytest.mark.parametrize(
    ("code", "answer", "hours", "expected"),
    [
        ("legs", "weak_or_numb", 10, "A"),
        ("legs", "ache_only", 10, "D"),
        ("legs", "not_sure", 10, "B"),
        ("bladder_bowel", "yes", 10, "A"),
        ("sudden", "yes", 10, "A"),
        ("fever_with", "yes", 10, "A"),
        ("temperature", "high", 10, "B"),
        ("temperature", "shivering", 10, "B"),
        ("headache", "postural", 24, "C"),
        ("headache", "postural", 168, "B"),
        ("headache", "not_postural", 47.9, "D"),
        ("headache", "not_postural", 48, "C"),
        ("headache", "changed", 24, "B"),
        ("headache_strength", "severe", 24, "B"),
        ("headache_relief", "no_help", 24, "B"),
        ("headache_with", "yes", 24, "B"),
        ("senses", "yes", 24, "B"),
        ("back", "severe", 24, "B"),
        ("back", "mild", 24, "D"),
        ("back", "mild", 200, "C"),
        ("site", "clear_fluid", 24, "B"),
        ("site", "soaking", 24, "A"),
        ("site", "inflamed", 24, "B"),
        ("site", "sore", 24, "D"),
        ("restarted", "no", 24, "C"),
    ],
)
def test_after_a_lumbar_puncture(code: str, answer: str, hours: float, expected: str) -> None:
    assert tier(question(LP, code), answer, hours) == expected


@pytest.mark.parametrize(
    ("code", "answer", "hours", "expected"),
    [
        ("belly_pain", "severe", 10, "A"),
        ("faint", "yes", 10, "A"),
        ("swelling", "growing", 10, "B"),
        ("bleeding", "oozing", 10, "B"),
        ("bleeding", "not_stopping", 10, "A"),
        ("inner_bleeding", "yes", 10, "A"),
        ("confusion", "yes", 10, "A"),
        ("temperature", "high", 10, "B"),
        ("site", "tender", 10, "D"),
        ("site", "inflamed", 10, "B"),
        ("site", "discharge", 10, "B"),
        ("leak", "clear", 24, "D"),
        ("leak", "clear", 48, "C"),
        ("leak", "worse", 24, "B"),
        ("urine", "much_less", 24, "B"),
        ("urine", "thirst_or_cramps", 24, "C"),
        ("pain_reliever", "yes", 24, "C"),
    ],
)
def test_after_a_paracentesis(code: str, answer: str, hours: float, expected: str) -> None:
    assert tier(question(PARA, code), answer, hours) == expected


def test_fluid_that_comes_back_asks_for_an_appointment() -> None:
    assert choice(question(PARA, "fluid_back"), "yes").action == "rebook"


def test_an_unknown_time_takes_the_more_urgent_tier() -> None:
    assert tier(question(PARA, "leak"), "clear", None) == "C"


def test_an_answer_that_the_question_does_not_have_is_refused() -> None:
    with pytest.raises(UnknownAnswer, match="maybe is not an answer to legs"):
        tier(question(LP, "legs"), "maybe", 1)
    with pytest.raises(UnknownAnswer):
        tier(question(LP, "legs"), "", 1)


def test_the_worst_tier_counts() -> None:
    assert worst(["D", "", "B", "C"]) == "B"
    assert worst(["B", "A"]) == "A"
    assert worst(["", "D"]) == "D"
    assert worst([]) == ""


def test_advice_is_given_where_there_is_some() -> None:
    assert "common" in advice(question(LP, "legs"), "ache_only")
    assert advice(question(LP, "legs"), "normal") == ""


@pytest.mark.parametrize("source", [LP, PARA], ids=lambda p: p.code)
def test_not_being_sure_about_an_emergency_sign_is_never_no_sign(source: Protocol) -> None:
    for q in source.symptom_questions:
        answers = {a.code: a.tier for a in q.answers}
        if "A" in answers.values() and "not_sure" in answers:
            assert answers["not_sure"] == "B", q.code
