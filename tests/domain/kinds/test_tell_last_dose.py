"""The patient is told when to take the last dose."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from followups.domain import facts as f
from followups.domain.kinds import Kind
from followups.domain.kinds.tell_last_dose import SPEC, working_day_before
from followups.domain.planner import plan
from procedures.domain.states import ProcedureStatus
from tests.domain.cases import NOON, case, hours
from tests.domain.kinds.test_checklist_not_done import booked

S = ProcedureStatus
HOLD = f.HoldFact(
    id=4, decided_at=NOON - hours(200), restart_due_at=None, decided=False, planned_last_dose_at=NOON - hours(72)
)


def telling(hold: f.HoldFact = HOLD, **extra: Any):
    facts = booked(**({"stages_owed": (), "holds": (hold,)} | extra))
    return [p for p in plan(facts) if p.kind is Kind.TELL_LAST_DOSE]


@pytest.mark.parametrize(("day", "before"), [(4, 3), (2, 27), (1, 27), (3, 2)])
def test_a_working_day_before_is_neither_saturday_nor_sunday(day: int, before: int) -> None:
    """March 2026 begins on a Sunday."""
    found = working_day_before(datetime(2026, 3, day, 9, tzinfo=UTC))
    assert (found.day, found.hour) == (before, 9)


def test_it_is_due_a_working_day_before_the_last_dose() -> None:
    (promise,) = telling()  # the last dose is on Friday
    assert (promise.start_at, promise.due_at) == (HOLD.decided_at, working_day_before(NOON - hours(72)))
    assert promise.about == {"hold": 4, "off": False}


def test_a_hold_that_is_decided_late_is_told_at_once() -> None:
    (promise,) = telling(replace(HOLD, decided_at=NOON - hours(73)))
    assert promise.due_at == NOON - hours(73)


def test_it_ends_when_the_patient_was_told_and_not_by_anything_else_that_is_said() -> None:
    assert telling(replace(HOLD, told=True)) == []
    assert telling(replace(HOLD, decided=True)) == []
    assert telling(replace(HOLD, planned_last_dose_at=None)) == []
    told, silent = (booked(holds=(replace(HOLD, told=told),)) for told in (True, False))
    assert (SPEC.kept({"hold": 4}, told), SPEC.kept({"hold": 4}, silent)) == (True, False)


@pytest.mark.parametrize("status", [S.CANCELLED, S.NO_SHOW])
def test_without_a_needle_the_patient_hears_at_once_that_nothing_need_be_stopped(status: ProcedureStatus) -> None:
    (promise,) = telling(status=status, ended_at=NOON - hours(100))
    assert (promise.due_at, promise.about) == (NOON - hours(100), {"hold": 4, "off": True})


def test_after_the_needle_and_after_a_death_nobody_is_told() -> None:
    assert [p.kind for p in plan(case(holds=(HOLD,)))] == [Kind.RESTART_MEDICINE]
    assert telling(deceased=True) == []
