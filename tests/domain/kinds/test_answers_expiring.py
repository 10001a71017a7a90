"""Answers that will be too old when the needle goes in."""

from __future__ import annotations

from typing import Any

from followups.domain import facts as f
from followups.domain.kinds import Kind
from followups.domain.planner import plan
from tests.domain.cases import NOON, hours
from tests.domain.kinds.test_checklist_not_done import booked

DAYS = 24


def answer(question: str, *, until: float, good_for: float) -> f.AnswerFact:
    """``until``: hours after the slot; below zero it has expired by then."""
    return f.AnswerFact(question=question, valid_until=NOON + hours(until), valid_for=hours(good_for))


def expiring(*answers: f.AnswerFact, **extra: Any):
    facts = booked(**({"stages_owed": (), "answers": answers} | extra))
    return [p for p in plan(facts) if p.kind is Kind.ANSWERS_EXPIRING]


def test_an_answer_that_is_still_good_at_the_slot_is_left_alone() -> None:
    assert expiring(answer("pregnancy", until=0, good_for=7 * DAYS)) == []
    assert len(expiring(answer("pregnancy", until=-0.01, good_for=7 * DAYS))) == 1


def test_it_is_asked_again_so_late_that_the_new_answer_holds_until_the_slot() -> None:
    (promise,) = expiring(
        answer("pregnancy", until=-48, good_for=36), answer("infection", until=-72, good_for=7 * DAYS)
    )
    assert promise.start_at == NOON - hours(36)
    assert promise.due_at == NOON - hours(18)
    assert promise.about == {"questions": ["infection", "pregnancy"]}


def test_what_is_good_for_a_day_only_is_asked_on_the_day_itself() -> None:
    assert expiring(answer("capacity", until=-100, good_for=24)) == []


def test_never_before_the_case_was_asked_for() -> None:
    (promise,) = expiring(answer("inr", until=-1, good_for=400 * DAYS))
    assert promise.start_at == booked().requested_at
    assert promise.due_at == NOON - hours(booked().protocol.checklist_hours)


def test_whoever_completes_the_checklist_sees_what_has_expired_so_nothing_is_asked_twice() -> None:
    assert expiring(answer("inr", until=-1, good_for=48), stages_owed=("consent",)) == []
