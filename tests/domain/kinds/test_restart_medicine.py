"""A medicine that was held."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from followups.domain import facts as f
from followups.domain.kinds import Kind
from followups.domain.planner import plan
from procedures.domain.states import (
    ProcedureStatus,
)
from tests.domain.cases import (
    NOON,
    case,
    hours,
    only,
)

S = ProcedureStatus


def test_a_held_medicine_survives_a_cancel_and_is_then_due_at_once() -> None:
    hold = f.HoldFact(id=4, decided_at=NOON - hours(48), restart_due_at=NOON + hours(24), decided=False)
    done = only(case(holds=(hold,)))
    assert (done.kind, done.due_at) == (Kind.RESTART_MEDICINE, NOON + hours(24))
    cancelled = case(
        status=S.CANCELLED,
        started_at=None,
        completed_at=None,
        outcome=None,
        ended_at=NOON - hours(20),
        holds=(hold,),
        symptoms=(),
    )
    restart = next(p for p in plan(cancelled) if p.kind is Kind.RESTART_MEDICINE)
    assert restart.due_at == NOON - hours(20)
    assert plan(case(holds=(replace(hold, decided=True),))) == ()


def restarting(hold: f.HoldFact, **extra: Any):
    return only(case(holds=(hold,), **extra))


def ruled(**extra: Any) -> f.HoldFact:
    fields = {"ruled": True, "restart_hours": 24, "traumatic_hours": 48, "restart_due_at": None} | extra
    return f.HoldFact(id=4, decided_at=NOON - hours(48), decided=False, **fields)


def test_the_rule_that_it_was_held_under_says_when_and_a_traumatic_tap_lengthens_it() -> None:
    ended = case().needle_ended_at
    assert restarting(ruled()).due_at == ended + hours(24)
    assert restarting(ruled(), flags=frozenset({"first", "traumatic"})).due_at == ended + hours(48)
    early = ruled(restart_due_at=ended + hours(30))
    assert restarting(early).due_at == ended + hours(30)
    assert restarting(early, flags=frozenset({"first", "traumatic"})).due_at == ended + hours(48)


def test_where_the_rule_leaves_it_to_the_physician_the_time_is_set_before_the_patient_leaves() -> None:
    traumatic = frozenset({"first", "traumatic"})
    promise = restarting(ruled(traumatic_hours=None), flags=traumatic)
    assert (promise.due_at, promise.about) == (case().needle_ended_at, {"hold": 4, "set": True})
    assert restarting(ruled(traumatic_hours=None)).about == {"hold": 4}
    later = NOON + hours(60)
    set_by_hand = restarting(ruled(traumatic_hours=None, restart_due_at=later), flags=traumatic)
    assert (set_by_hand.due_at, set_by_hand.about) == (later, {"hold": 4})
