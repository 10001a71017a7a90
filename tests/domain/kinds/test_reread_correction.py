"""A result that was corrected after somebody had read it."""

from __future__ import annotations

import pytest

from followups.domain import closing
from followups.domain import facts as f
from followups.domain.kinds import Closed, Kind
from procedures.domain.states import TestStatus
from tests.domain.cases import NOON, case, hours, kinds, lab_fact, only, replace, review, specimen, version


def corrected(level: str = "normal", **extra: object) -> f.ProcedureFacts:
    test = lab_fact(
        status=TestStatus.CORRECTED,
        current=version(11, number=2, status="corrected", level=level),
        reviewed_before=True,
        involved=frozenset({8, 7}),
    )
    return case(tests=(replace(test, **extra),), specimens=(specimen(),))


@pytest.mark.parametrize(
    ("level", "counts_as"),
    [("normal", "abnormal"), ("abnormal", "abnormal"), ("unknown", "abnormal"), ("critical", "critical")],
)
def test_a_correction_is_never_read_as_calmly_as_a_normal_result(level: str, counts_as: str) -> None:
    promise = only(corrected(level))
    assert (promise.kind, promise.level) == (Kind.REREAD_CORRECTION, counts_as)
    assert promise.due_at == NOON + hours(5) + hours(corrected().protocol.review_hours[counts_as])


def test_it_names_everybody_who_acted_on_the_old_value() -> None:
    assert only(corrected()).about == {"test": "test_1", "version": 11, "involved": [7, 8]}


def test_a_correction_of_what_nobody_had_read_is_an_ordinary_result() -> None:
    assert kinds(corrected(reviewed_before=False)) == [Kind.REVIEW_RESULT]


def test_it_is_kept_by_reading_this_version_and_only_by_that() -> None:
    about = only(corrected()).about
    unread = corrected()
    read = corrected(current=version(11, status="corrected", review=review(), told_at=NOON + hours(9)))
    assert closing.because(Kind.REREAD_CORRECTION, about, read) is Closed.KEPT
    assert closing.because(Kind.REREAD_CORRECTION, about, unread) is Closed.NO_LONGER_NEEDED
    assert kinds(read) == []
