"""The next one of a series."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from clinic.roles import Role
from followups.domain.facts import SeriesFacts
from followups.domain.kinds import Kind, Subject
from followups.domain.kinds.next_in_series import SPEC
from followups.domain.planner import plan
from followups.domain.promise import Promise
from procedures.domain.series import Course, Tap, Timing
from procedures.domain.states import Outcome, ProcedureStatus
from tests.domain.cases import NOON, protocol

S = ProcedureStatus
DAY = timedelta(days=1)
TIMING = Timing(tolerance_days=3, book_days_before=7, wanted_ahead=1)


def begin_of(day: date) -> datetime:
    return datetime.combine(day, time(0), tzinfo=UTC)


def facts(*taps: Tap, interval: int = 14, timing: Timing = TIMING, **extra: Any) -> SeriesFacts:
    course = Course(
        interval_days=interval,
        total=extra.pop("total", None),
        until=extra.pop("until", None),
        started_at=NOON - DAY,
        taps=taps,
        day_of=lambda moment: moment.date(),
    )
    values: dict[str, Any] = {"active": True, "deceased": False, **extra}
    return SeriesFacts(
        id=1, code="CDFGHJK", protocol=protocol(), course=course, timing=timing, begin_of=begin_of, **values
    )


def done(pk: int = 1, after: int = 0) -> Tap:
    moment = NOON + after * DAY
    return Tap(pk=pk, status=S.COMPLETED, at=moment, done_at=moment, outcome=Outcome.DONE)


def booked(pk: int, after: int, **extra: Any) -> Tap:
    return Tap(pk=pk, status=S.SCHEDULED, at=NOON + after * DAY, **extra)


def only(found: SeriesFacts) -> Promise:
    (promise,) = plan(found, Subject.SERIES)
    return promise


def test_the_next_is_promised_to_the_schedulers_in_time_for_the_interval() -> None:
    promise = only(facts(done()))
    assert (promise.kind, promise.role) == (Kind.NEXT_IN_SERIES, Role.SCHEDULER)
    assert (promise.start_at, promise.due_at) == (NOON, begin_of(date(2026, 3, 9)))  # 7 days before the 16th
    assert promise.about == {"series": "CDFGHJK"}


def test_a_booking_in_time_keeps_it() -> None:
    assert plan(facts(done(), booked(2, 14)), Subject.SERIES) == ()


def test_who_did_not_come_is_promised_again_and_whoever_books_has_the_time_of_an_ordinary_request() -> None:
    missed = Tap(pk=2, status=S.NO_SHOW, at=NOON + 14 * DAY, ended_at=NOON + 10 * DAY)
    promise = only(facts(done(), missed))
    assert (promise.start_at, promise.due_at) == (NOON + 10 * DAY, NOON + 12 * DAY)


def test_after_the_day_it_was_needed_it_is_late_at_once() -> None:
    missed = Tap(pk=2, status=S.NO_SHOW, at=NOON + 14 * DAY, ended_at=NOON + 15 * DAY)
    promise = only(facts(done(), missed))
    assert promise.due_at == promise.start_at


def test_a_booking_that_drifts_says_by_how_much() -> None:
    promise = only(facts(done(), booked(2, 20)))
    assert promise.about["late"] == "6"
    assert "later than its interval" in str(SPEC.line_of(promise.about, "next"))


def test_the_dead_the_ended_and_the_complete_are_promised_nothing() -> None:
    for found in (facts(done(), deceased=True), facts(done(), active=False), facts(done(), total=1)):
        assert plan(found, Subject.SERIES) == ()


def test_a_protocol_that_says_nothing_of_series_promises_the_next_as_any_request() -> None:
    promise = only(facts(done(), timing=Timing(tolerance_days=0, book_days_before=None, wanted_ahead=1)))
    assert promise.due_at == NOON + timedelta(hours=protocol().book_within_hours["elective"])


def test_it_was_kept_while_the_series_goes_on_and_not_when_it_ended() -> None:
    assert SPEC.kept({}, facts(done(), booked(2, 14)))
    assert not SPEC.kept({}, facts(done(), active=False))
    assert not SPEC.kept({}, facts(done(), deceased=True))


taps = st.builds(
    lambda pk, status, after, outcome: Tap(
        pk=pk,
        status=status,
        at=None if status is S.REQUESTED else NOON + after * DAY,
        done_at=NOON + after * DAY if status is S.COMPLETED else None,
        ended_at=NOON + after * DAY if status in {S.CANCELLED, S.NO_SHOW} else None,
        outcome=outcome if status is S.COMPLETED else None,
    ),
    st.integers(1, 10**6),
    st.sampled_from(list(S)),
    st.integers(0, 400),
    st.sampled_from(list(Outcome)),
)


@given(found=st.lists(taps, max_size=8), interval=st.integers(1, 180), ahead=st.integers(1, 4))
def test_a_living_patient_in_an_open_series_has_a_booking_in_time_or_an_open_promise(
    found: list[Tap], interval: int, ahead: int
) -> None:
    timing = Timing(tolerance_days=3, book_days_before=7, wanted_ahead=ahead)
    one = facts(*found, interval=interval, timing=timing)
    promises = plan(one, Subject.SERIES)
    assert len(promises) <= 1
    assert all(p.due_at >= p.start_at for p in promises)
    if not promises:
        gaps = [gap for tap, gap in one.course.with_gaps() if tap.is_booked and gap]
        assert len(one.course.booked) >= ahead
        assert all(gap.drift <= 3 for gap in gaps)
    assert plan(facts(*found, interval=interval, timing=timing, deceased=True), Subject.SERIES) == ()
