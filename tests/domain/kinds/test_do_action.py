"""What a review decided."""

from __future__ import annotations

from dataclasses import replace

from followups.domain import facts as f
from followups.domain.kinds import Kind
from followups.domain.planner import plan
from tests.domain.cases import (
    NOON,
    case,
    hours,
    only,
)


def test_an_action_keeps_the_case_open_until_it_is_done() -> None:
    action = f.ActionFact(id=3, plan="refer", created_at=NOON, due_at=NOON + hours(48), done=False, responsible_id=9)
    promise = only(case(actions=(action,)))
    assert (promise.kind, promise.responsible_id) == (Kind.DO_ACTION, 9)
    assert plan(case(actions=(replace(action, done=True),))) == ()
