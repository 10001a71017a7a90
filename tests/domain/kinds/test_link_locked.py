"""A patient's link was locked by wrong birth dates: a person calls."""

from __future__ import annotations

from followups.domain import facts as f
from followups.domain.kinds import Kind
from followups.domain.planner import plan
from tests.domain.cases import NOON, case, hours


def test_a_locked_link_asks_for_a_call() -> None:
    facts = case(locked=(f.LockedFact(id=3, purpose="results", at=NOON + hours(30)),))
    (promise,) = plan(facts)
    assert (promise.kind, promise.key) == (Kind.LINK_LOCKED, "link_locked:3")
    assert promise.due_at == NOON + hours(34)
    assert plan(case(locked=facts.locked, deceased=True)) == ()
