"""Proceed over a stop, without its second signature."""

from __future__ import annotations

from clinic.roles import Role
from followups.domain import facts as f
from followups.domain.kinds import Kind
from followups.domain.planner import plan
from tests.domain.cases import NOON, hours
from tests.domain.kinds.test_checklist_not_done import booked


def signing(*unsigned: f.UnsignedFact):
    facts = booked(stages_owed=(), safety=f.SafetyFact(to_sign=unsigned))
    return [p for p in plan(facts) if p.kind is Kind.SIGN_CLEARANCE]


def test_it_is_the_roles_and_one_for_each_decision() -> None:
    first, second = signing(
        f.UnsignedFact(decision=4, at=NOON - hours(90)), f.UnsignedFact(decision=5, at=NOON - hours(2))
    )
    early = booked().protocol.checklist_hours
    assert (first.role, first.responsible_id, first.level, first.due_at) == (
        Role.PHYSICIAN, None, "abnormal", NOON - hours(early),
    )  # fmt: skip
    assert (second.level, second.due_at) == ("critical", NOON)
    assert [p.about for p in (first, second)] == [{"decision": 4}, {"decision": 5}]


def test_without_one_nothing_is_owed() -> None:
    assert signing() == []
