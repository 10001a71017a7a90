"""Nobody came."""

from __future__ import annotations

from followups.domain.kinds import Kind
from procedures.domain.states import (
    ProcedureStatus,
)
from tests.domain.cases import (
    NOON,
    case,
    only,
)

S = ProcedureStatus


def test_a_no_show_must_be_rebooked_or_ended() -> None:
    facts = case(status=S.NO_SHOW, started_at=None, completed_at=None, outcome=None, ended_at=NOON, symptoms=())
    assert only(facts).kind is Kind.REBOOK_NO_SHOW
