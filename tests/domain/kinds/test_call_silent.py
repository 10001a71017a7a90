"""A patient was asked by a link and has not answered: one call for all of it."""

from __future__ import annotations

from dataclasses import replace

from followups.domain import facts as f
from followups.domain.kinds import Kind
from followups.domain.planner import plan
from followups.domain.promise import Promise
from procedures.domain.states import EncounterClass
from tests.domain.cases import NOON, case, hours


def sent(code: str, after: float, **extra: object) -> f.AskedFact:
    at = NOON + hours(after)
    return f.AskedFact(**{"check_code": code, "at": at, "morning": at + hours(20), **extra})


def silent(*asked: f.AskedFact, **extra: object) -> f.ProcedureFacts:
    return case(symptoms=(), asked=asked, **{"flags": frozenset({"first"}), **extra})


def call(facts: f.ProcedureFacts) -> list[Promise]:
    return [p for p in plan(facts) if p.kind is Kind.CALL_SILENT]


def test_all_that_are_silent_are_one_call_in_the_morning_after_the_first() -> None:
    (promise,) = call(silent(sent("day_2", 48), sent("day_1", 24)))
    assert promise.start_at == NOON + hours(44)
    assert (promise.level, promise.about["check"]) == ("normal", "day_1")


def test_where_the_risk_is_high_it_is_the_same_evening_and_reaches_whoever_is_on_call() -> None:
    (promise,) = call(silent(sent("day_1", 24), flags=frozenset({"first", "held"})))
    assert promise.start_at == NOON + hours(32)
    assert (promise.level, promise.due_at - promise.start_at) == ("abnormal", hours(1))


def test_ten_wrong_birth_dates_ask_for_the_call_at_once() -> None:
    (promise,) = call(silent(sent("day_1", 24, locked_at=NOON + hours(25))))
    assert (promise.start_at, promise.about["locked"]) == (NOON + hours(25), True)


def test_an_answer_ends_it_and_a_form_that_was_begun_does_not() -> None:
    facts = silent(sent("day_1", 24))
    begun = f.SymptomFact(check_code="day_1", outcome="begun", worst_tier="", at=NOON + hours(25))
    assert call(replace(facts, symptoms=(begun,)))
    assert not call(replace(facts, symptoms=(replace(begun, outcome="answered"),)))


def test_who_was_not_asked_by_a_link_and_who_lies_in_a_ward_is_asked_otherwise() -> None:
    assert not call(silent())
    assert not call(silent(sent("day_1", 24), encounter_class=EncounterClass.INPATIENT))
    assert not call(silent(sent("day_1", 24), deceased=True))


def test_the_check_that_was_sent_says_so() -> None:
    by = {p.about["check"]: p.about.get("by") for p in plan(silent(sent("day_1", 24))) if p.kind is Kind.SYMPTOM_CHECK}
    assert by == {"day_1": "link", "day_2": None, "day_7": None}
