"""A result that nobody has read."""

from __future__ import annotations

import pytest

from followups.domain import facts as f
from followups.domain.kinds import Kind
from procedures.domain.states import (
    TestStatus,
)
from tests.domain.cases import (
    NOON,
    case,
    hours,
    kinds,
    lab_fact,
    only,
    specimen,
    version,
)


@pytest.mark.parametrize(
    ("level", "counts_as"),
    [("normal", "normal"), ("abnormal", "abnormal"), ("critical", "critical"), ("unknown", "abnormal")],
)
def test_a_final_result_must_be_read_and_what_cannot_be_graded_is_never_normal(level: str, counts_as: str) -> None:
    facts = case(tests=(lab_fact(status=TestStatus.FINAL, current=version(level=level)),), specimens=(specimen(),))
    promise = only(facts)
    assert promise.kind is Kind.REVIEW_RESULT
    assert promise.level == counts_as
    assert promise.due_at == NOON + hours(5) + hours(facts.protocol.review_hours[counts_as])


def test_a_newer_version_is_a_new_promise_to_read() -> None:
    def final(v: f.VersionFact):
        test = lab_fact(status=TestStatus.FINAL, current=v, reviewed_before=True)
        return only(case(tests=(test,), specimens=(specimen(),)))

    before, after = final(version(10)), final(version(11))
    assert before.key != after.key
    assert after.about["corrected"] is True


def test_an_abnormal_preliminary_is_read_at_once_and_a_negative_one_is_only_listed() -> None:
    def prelim(level: str):
        found = version(status="preliminary", level=level)
        return case(tests=(lab_fact(status=TestStatus.PRELIMINARY, current=found),), specimens=(specimen(),))

    assert set(kinds(prelim("critical"))) == {Kind.REVIEW_RESULT, Kind.AWAITED_RESULT}
    assert kinds(prelim("normal")) == [Kind.AWAITED_RESULT]
