"""Stops and cautions of a booked case that nobody has decided on."""

from __future__ import annotations

from typing import Any

import pytest

from followups.domain import facts as f
from followups.domain.kinds import Kind
from followups.domain.planner import plan
from procedures.domain.states import ProcedureStatus
from tests.domain.cases import NOON, hours
from tests.domain.kinds.test_checklist_not_done import booked

EARLY = booked().protocol.checklist_hours


def asked(safety: f.SafetyFact, **extra: Any):
    return [p for p in plan(booked(stages_owed=(), safety=safety, **extra)) if p.kind is Kind.CLEAR_FINDINGS]


def test_nothing_is_owed_where_nothing_was_found() -> None:
    assert asked(f.SafetyFact()) == []


def test_a_stop_is_decided_on_while_it_can_still_be_put_right() -> None:
    (promise,) = asked(f.SafetyFact(stops=2, cautions=1, since=NOON - hours(EARLY + 30)))
    assert (promise.level, promise.due_at) == ("abnormal", NOON - hours(EARLY))
    assert promise.about == {"stops": 2, "cautions": 1}


def test_a_stop_that_is_found_late_is_critical_and_due_at_the_slot() -> None:
    (promise,) = asked(f.SafetyFact(stops=1, since=NOON - hours(EARLY)))
    assert (promise.level, promise.due_at) == ("critical", NOON)


def test_a_caution_has_until_the_slot() -> None:
    (promise,) = asked(f.SafetyFact(cautions=1, since=NOON - hours(90)))
    assert (promise.level, promise.due_at) == ("normal", NOON)


@pytest.mark.parametrize("status", [ProcedureStatus.REQUESTED, ProcedureStatus.IN_PROGRESS, ProcedureStatus.CANCELLED])
def test_only_a_booked_case_waits_for_it(status: ProcedureStatus) -> None:
    assert asked(f.SafetyFact(stops=1, since=NOON - hours(90)), status=status) == []
