"""The rest of the checklist of an emergency."""

from __future__ import annotations

from followups.domain.kinds import Kind
from tests.domain.cases import (
    NOON,
    case,
    hours,
    only,
)


def test_an_emergency_start_owes_the_rest_of_the_checklist_within_a_day() -> None:
    promise = only(case(emergency_start=True, unsigned_stages=("consent",), countersigned=True))
    assert promise.kind is Kind.CHECKLIST_AFTER_EMERGENCY
    assert promise.due_at == NOON + hours(24)
