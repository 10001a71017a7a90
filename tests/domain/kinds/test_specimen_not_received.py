"""A specimen on its way to the laboratory."""

from __future__ import annotations

from followups.domain.kinds import Kind
from followups.domain.planner import plan
from tests.domain.cases import (
    NOON,
    case,
    hours,
    lab_fact,
    specimen,
)


def test_a_specimen_that_did_not_arrive_alarms_once_however_many_tests_it_carries() -> None:
    tests = (lab_fact(1), lab_fact(2))
    facts = case(tests=tests, specimens=(specimen(received=False),))
    found = [p for p in plan(facts) if p.kind is Kind.SPECIMEN_NOT_RECEIVED]
    assert len(found) == 1
    assert found[0].due_at == NOON + hours(2)
