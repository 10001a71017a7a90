"""The rules were run again and say something else."""

from __future__ import annotations

from typing import Any

from followups.domain import facts as f
from followups.domain.kinds import Kind
from followups.domain.planner import plan
from procedures.domain.states import ProcedureStatus
from tests.domain.cases import NOON, hours
from tests.domain.kinds.test_checklist_not_done import booked

CHANGED = f.SafetyFact(changed_run=3, changed_at=NOON - hours(30))


def looking(**extra: Any):
    facts = booked(**({"stages_owed": (), "safety": CHANGED} | extra))
    return [p for p in plan(facts) if p.kind is Kind.RERUN_SAFETY]


def test_somebody_looks_at_the_difference_by_the_evening_before() -> None:
    (promise,) = looking()
    assert (promise.start_at, promise.due_at) == (NOON - hours(30), NOON - hours(12))
    assert promise.about == {"run": 3}


def test_what_changes_later_is_due_at_once() -> None:
    (promise,) = looking(safety=f.SafetyFact(changed_run=3, changed_at=NOON - hours(2)))
    assert promise.due_at == NOON - hours(2)


def test_once_the_patient_is_here_everything_is_asked_again_anyway() -> None:
    assert looking(status=ProcedureStatus.ARRIVED) == []
    assert looking(safety=f.SafetyFact()) == []
