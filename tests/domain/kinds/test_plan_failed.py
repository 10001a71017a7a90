"""The planner raised: made without it, so that no fact is ever lost."""

from __future__ import annotations

from followups.domain import closing, kinds
from followups.domain.kinds import Closed, Kind
from procedures.domain.states import ProcedureStatus
from tests.domain.cases import case


def test_no_rule_makes_it_and_a_plan_that_can_be_made_again_keeps_it() -> None:
    assert kinds.of(Kind.PLAN_FAILED).rules == ()
    for status in ProcedureStatus:
        assert closing.because(Kind.PLAN_FAILED, {}, case(status=status)) is Closed.KEPT
