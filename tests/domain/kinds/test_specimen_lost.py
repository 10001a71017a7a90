"""A specimen that was lost or rejected."""

from __future__ import annotations

import pytest

from followups.domain.kinds import Kind
from procedures.domain.states import (
    TestStatus,
)
from tests.domain.cases import (
    NOON,
    case,
    hours,
    lab_fact,
    only,
    specimen,
)


@pytest.mark.parametrize("status", [TestStatus.REJECTED, TestStatus.LOST])
def test_a_lost_specimen_needs_a_decision(status: TestStatus) -> None:
    lost = lab_fact(status=status, ended_at=NOON + hours(3))
    promise = only(case(tests=(lost,), specimens=(specimen(lost_at=NOON + hours(3)),)))
    assert promise.kind is Kind.SPECIMEN_LOST
