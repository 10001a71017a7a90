"""A patient was asked by a link and has not answered: one call for all of it."""

from __future__ import annotations

from dataclasses import replace

from followups.domain import facts as f
from followups.domain.kinds import Kind
from followups.domain.planner import plan
from followups.domain.promise import Promise
from procedures.domain.states import EncounterClass
from tests.domain.cases import NOON, case, hours


def silent(**extra: object) -> f.ProcedureFacts:
    """After the first tap of somebody who may be written to; the morning is twenty hours later."""
    fields = {"flags": frozenset({"first"}), "by_message": True, "morning_after": lambda at: at + hours(20)}
    return case(symptoms=(), **{**fields, **extra})


def call(facts: f.ProcedureFacts) -> list[Promise]:
    return [p for p in plan(facts) if p.kind is Kind.CALL_SILENT]


def test_all_that_are_silent_are_one_call_in_the_morning_after_the_first() -> None:
    (promise,) = call(silent())
    assert promise.start_at == NOON + hours(44)
    assert (promise.level, promise.about["check"]) == ("normal", "day_1")


def test_where_the_risk_is_high_it_is_the_same_evening_and_reaches_whoever_is_on_call() -> None:
    (promise,) = call(silent(flags=frozenset({"first", "held"})))
    assert promise.start_at == NOON + hours(32)
    assert (promise.level, promise.due_at - promise.start_at) == ("abnormal", hours(1))


def test_ten_wrong_birth_dates_ask_for_the_call_at_once() -> None:
    locked = f.LockedFact(id=1, purpose="symptoms", at=NOON + hours(25), about="day_1")
    (promise,) = call(silent(locked=(locked,)))
    assert (promise.start_at, promise.about["locked"]) == (NOON + hours(25), True)
    assert call(silent(locked=(locked,), by_message=False))


def test_an_answer_moves_it_to_the_next_check_and_a_form_that_was_begun_does_not() -> None:
    begun = f.SymptomFact(check_code="day_1", outcome="begun", worst_tier="", at=NOON + hours(25))
    assert call(replace(silent(), symptoms=(begun,)))[0].about["check"] == "day_1"
    (promise,) = call(replace(silent(), symptoms=(replace(begun, outcome="answered"),)))
    assert (promise.about["check"], promise.start_at) == ("day_2", NOON + hours(68))


def test_who_is_not_written_to_and_who_lies_in_a_ward_is_asked_otherwise() -> None:
    assert not call(silent(by_message=False))
    assert not call(silent(encounter_class=EncounterClass.INPATIENT))
    assert not call(silent(deceased=True))


def test_a_check_that_is_asked_by_a_link_says_so() -> None:
    asked = [p for p in plan(silent()) if p.kind is Kind.SYMPTOM_CHECK]
    assert [(p.about["check"], p.about["by"]) for p in asked] == [(f"day_{n}", "link") for n in (1, 2, 7)]
    assert all("by" not in p.about for p in plan(silent(by_message=False)))
