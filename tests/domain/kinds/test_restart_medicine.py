"""A medicine that was held."""

from __future__ import annotations

from dataclasses import replace

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
