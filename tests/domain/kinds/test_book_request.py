"""A request that has no slot yet."""

from __future__ import annotations

import pytest

from clinic.roles import Role
from followups.domain.kinds import Kind
from procedures.domain.states import (
    ProcedureStatus,
    Urgency,
)
from tests.domain.cases import (
    case,
    hours,
    only,
)

S = ProcedureStatus


@pytest.mark.parametrize("urgency", list(Urgency))
def test_a_request_must_be_booked_in_time_for_its_urgency(urgency: Urgency) -> None:
    facts = case(status=S.REQUESTED, urgency=urgency, started_at=None, completed_at=None, outcome=None, symptoms=())
    promise = only(facts)
    assert promise.kind is Kind.BOOK_REQUEST
    assert promise.due_at == facts.requested_at + hours(facts.protocol.book_within_hours[str(urgency)])
    assert promise.role is (Role.PHYSICIAN if urgency is Urgency.EMERGENCY else Role.SCHEDULER)
