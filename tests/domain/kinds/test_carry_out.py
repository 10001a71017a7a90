"""A booked or begun case."""

from __future__ import annotations

import pytest

from followups.domain.kinds import Kind
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


@pytest.mark.parametrize("status", [S.SCHEDULED, S.ARRIVED, S.IN_PROGRESS])
def test_a_booked_case_must_be_carried_out_or_recorded(status: ProcedureStatus) -> None:
    facts = case(status=status, completed_at=None, outcome=None, record_signed_at=None, symptoms=())
    promise = only(facts)
    assert promise.kind is Kind.CARRY_OUT
    assert promise.due_at == NOON + hours(2)
