"""A message did not reach the patient: somebody calls."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from clinic.roles import Role
from followups.domain.kinds import Kind
from followups.domain.planner import plan
from tests.domain.cases import NOON, case


def test_one_call_for_a_case_whose_messages_come_back() -> None:
    facts = replace(case(), unreached_since=NOON)
    (promise,) = [p for p in plan(facts) if p.kind is Kind.MESSAGE_UNDELIVERED]
    assert (promise.role, promise.start_at, promise.due_at) == (Role.NURSE, NOON, NOON + timedelta(hours=4))


def test_none_while_all_arrive_and_none_after_death() -> None:
    assert not any(p.kind is Kind.MESSAGE_UNDELIVERED for p in plan(case()))
    assert not any(
        p.kind is Kind.MESSAGE_UNDELIVERED for p in plan(replace(case(), unreached_since=NOON, deceased=True))
    )
