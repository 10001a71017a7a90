"""Ordered tests without a specimen."""

from __future__ import annotations

from followups.domain.kinds import Kind
from procedures.domain.states import (
    TestStatus,
)
from tests.domain.cases import (
    case,
    lab_fact,
    only,
)


def test_ordered_tests_must_be_collected_after_the_needle() -> None:
    promise = only(case(tests=(lab_fact(status=TestStatus.ORDERED, specimen_id=None),)))
    assert promise.kind is Kind.COLLECT_TESTS
