"""A patient wrote something in their own words: a person reads it."""

from __future__ import annotations

from followups.domain.kinds import Kind
from followups.domain.planner import plan
from tests.domain.cases import NOON, hours, kinds
from tests.domain.kinds.test_danger_sign import report, with_report

WRITTEN = {"words_at": NOON + hours(50)}


def test_words_are_read_within_four_hours_also_at_night() -> None:
    (promise,) = plan(with_report(report("D", sign="", sign_at=None, **WRITTEN)))
    assert (promise.kind, promise.level) == (Kind.READ_WORDS, "abnormal")
    assert promise.due_at == NOON + hours(54)


def test_whoever_calls_back_sooner_reads_them_first_and_a_call_within_a_day_is_too_late_for_them() -> None:
    assert kinds(with_report(report("A", **WRITTEN))) == [Kind.DANGER_SIGN]
    assert kinds(with_report(report("B", **WRITTEN))) == [Kind.DANGER_SIGN]
    assert kinds(with_report(report("C", **WRITTEN))) == [Kind.READ_WORDS, Kind.DANGER_SIGN]


def test_what_was_read_is_owed_no_longer() -> None:
    assert kinds(with_report(report("D", sign="", sign_at=None))) == []
