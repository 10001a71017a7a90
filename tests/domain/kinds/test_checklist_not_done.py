"""A booked case whose checklist is not signed."""

from __future__ import annotations

from typing import Any

import pytest

from followups.domain import facts as f
from followups.domain.kinds import Kind
from followups.domain.planner import plan
from procedures.domain.states import ProcedureStatus
from tests.domain.cases import NOON, case, hours

S = ProcedureStatus
DAYS = 24


def booked(**extra: Any) -> f.ProcedureFacts:
    """Asked for ten days before its slot, and nothing of the checklist is signed."""
    fields: dict[str, Any] = {
        "status": S.SCHEDULED,
        "requested_at": NOON - hours(10 * DAYS),
        "started_at": None,
        "completed_at": None,
        "outcome": None,
        "record_signed_at": None,
        "symptoms": (),
        "stages_owed": ("pre_visit", "consent"),
    }
    return case(**(fields | extra))


def checklist(facts: f.ProcedureFacts):
    return [p for p in plan(facts) if p.kind is Kind.CHECKLIST_NOT_DONE]


def test_it_is_due_so_long_before_the_slot_that_something_can_still_be_done() -> None:
    (promise,) = checklist(booked())
    assert promise.due_at == NOON - hours(booked().protocol.checklist_hours)
    assert promise.about == {"stages": ["pre_visit", "consent"]}


def test_a_case_that_was_asked_for_late_has_as_long_as_its_booking_and_never_beyond_the_slot() -> None:
    late = booked(requested_at=NOON - hours(60))
    assert checklist(late)[0].due_at == late.book_by  # 48 hours after the request
    today = booked(requested_at=NOON - hours(3))
    assert checklist(today)[0].due_at == NOON


@pytest.mark.parametrize("status", [s for s in S if s not in {S.SCHEDULED, S.ARRIVED}])
def test_only_a_case_that_waits_for_its_needle_owes_it(status: ProcedureStatus) -> None:
    assert checklist(booked(status=status)) == []


def test_a_signed_checklist_owes_nothing_and_one_that_changed_owes_it_again() -> None:
    assert checklist(booked(stages_owed=())) == []
    assert checklist(booked(stages_owed=("consent",)))[0].about == {"stages": ["consent"]}
