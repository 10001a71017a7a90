"""A result that has not come: one promise per specimen and outer time."""

from __future__ import annotations

from followups.domain.kinds import Kind
from followups.domain.planner import plan
from procedures.domain.states import (
    TestStatus,
)
from tests.domain.cases import (
    NOON,
    case,
    hours,
    lab_fact,
    only,
    review,
    specimen,
    version,
)


def test_awaited_tests_of_one_specimen_and_one_limit_are_one_promise() -> None:
    tests = (lab_fact(1), lab_fact(2), lab_fact(3, outer_at=NOON + hours(1344), extended=True))
    promises = plan(case(tests=tests, specimens=(specimen(),)))
    assert [(p.due_at, p.about["tests"]) for p in promises] == [
        (NOON + hours(24), ["test_1", "test_2"]),
        (NOON + hours(1344), ["test_3"]),
    ]
    assert [p.about["extended"] for p in promises] == [False, True]


def test_a_culture_stays_awaited_until_it_is_final() -> None:
    preliminary = version(status="preliminary", review=review())
    promise = only(case(tests=(lab_fact(status=TestStatus.PRELIMINARY, current=preliminary),), specimens=(specimen(),)))
    assert promise.kind is Kind.AWAITED_RESULT
