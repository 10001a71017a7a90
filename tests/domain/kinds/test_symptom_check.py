"""The danger signs are asked about."""

from __future__ import annotations

from dataclasses import replace

from followups.domain import facts as f
from followups.domain.closing import because
from followups.domain.kinds import Closed, Kind
from followups.domain.planner import plan
from tests.domain.cases import NOON, case, hours, kinds, protocol


def test_every_symptom_check_is_asked_and_not_reached_is_no_answer() -> None:
    facts = case(symptoms=())
    due = [c for c in facts.protocol.symptom_checks if not c.only_if or facts.flags.intersection(c.only_if)]
    assert kinds(facts) == [Kind.SYMPTOM_CHECK] * len(due)
    silent = tuple(f.SymptomFact(check_code=c.code, outcome="not_reached", worst_tier="", at=NOON) for c in due)
    assert plan(replace(facts, symptoms=silent)) == plan(facts)


def test_a_later_answer_to_the_same_questions_also_answers_the_silent_check_before_it() -> None:
    late = f.SymptomFact(check_code="day_7", outcome="answered", worst_tier="", at=NOON + hours(170))
    assert [p.about["check"] for p in plan(case(symptoms=(late,)))] == []
    early = replace(late, at=NOON + hours(30))  # asked before day 2 had come
    assert [p.about["check"] for p in plan(case(symptoms=(early,)))] == ["day_2"]
    fewer = f.SymptomFact(check_code="day_1", outcome="answered", worst_tier="", at=NOON + hours(60))
    assert [p.about["check"] for p in plan(case(symptoms=(fewer,)))] == ["day_2", "day_7"]


def test_a_form_that_was_begun_answers_nothing() -> None:
    begun = f.SymptomFact(check_code="day_2", outcome="begun", worst_tier="", at=NOON + hours(49))
    assert "day_2" in [p.about["check"] for p in plan(case(symptoms=(begun,)))]


def test_a_headache_is_asked_about_every_day_until_it_is_gone() -> None:
    facts = case(protocol=protocol("lumbar_puncture"), symptoms=(), flags=frozenset({"headache", "headache_now"}))
    days = [p.about["check"] for p in plan(facts) if p.kind is Kind.SYMPTOM_CHECK]
    assert days == [f"day_{n}" for n in range(1, 15)]
    gone = [p.about["check"] for p in plan(replace(facts, flags=frozenset({"headache"})))]
    assert gone == ["day_1", "day_2", "day_5", "day_7", "day_14"]
    assert because(Kind.SYMPTOM_CHECK, {"check": "day_3"}, replace(facts, flags=frozenset())) is Closed.NO_LONGER_NEEDED
