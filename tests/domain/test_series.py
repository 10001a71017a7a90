"""Which dates a series gives, where they fit, and what is still to be booked. The clinic is in New York."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procedures.domain import series
from procedures.domain.series import Course, Gap, Proposal, Tap, Timing, Wanted
from procedures.domain.slots import Busy, Calendar, Closed, Lengths, Named, Resource, Span, Weekly
from procedures.domain.states import Outcome, ProcedureStatus

ZONE = ZoneInfo("America/New_York")
ROOM, OTHER_ROOM, LEE = Named(1, "Room 1"), Named(2, "Room 2"), Named(9, "Dr Lee")
WEEK = tuple(Weekly(day, time(8), time(18)) for day in range(5))
LENGTHS = Lengths(operator=timedelta(minutes=30), room=timedelta(minutes=60), stay=timedelta(minutes=90))
NINE = time(9)
THURSDAY = date(2026, 11, 26)
CHRISTMAS = Closed(date(2026, 12, 24), date(2026, 12, 25), reason="Christmas")


def at(day: date, clock: time = NINE) -> datetime:
    return datetime.combine(day, clock, tzinfo=ZONE).astimezone(UTC)


ALL_THURSDAY = Span(at(THURSDAY, time(7)), at(THURSDAY, time(20)))


def calendar(**changes: Any) -> Calendar:
    values: dict[str, Any] = {
        "zone": ZONE,
        "now": at(date(2026, 11, 2)),
        "lengths": LENGTHS,
        "patient": 7,
        "rooms": (ROOM,),
        "hours": WEEK,
    }
    return Calendar(**{**values, **changes})


def propose(
    first: date, interval: int = 14, count: int = 4, found: Calendar | None = None, after: date | None = None
) -> list[Proposal]:
    wanted = [Wanted(day=day, at=NINE) for day in series.ideal_days(first, interval, count)]
    chosen = found or calendar()
    return series.propose(wanted, lambda _n: chosen, days_around=series.reach(interval), after=after)


def local(proposals: list[Proposal]) -> list[str]:
    return [f"{p.slot.start.astimezone(ZONE):%d %b %H:%M}" if p.slot else "nowhere" for p in proposals]


def why(proposal: Proposal) -> list[str]:
    return [reason.message % reason.params for reason in proposal.why]


def test_a_series_keeps_its_weekday_and_its_time() -> None:
    assert local(propose(THURSDAY)) == ["26 Nov 09:00", "10 Dec 09:00", "24 Dec 09:00", "07 Jan 09:00"]


def test_one_that_falls_on_a_holiday_moves_to_the_nearest_day_and_says_why_and_the_others_stay() -> None:
    found = propose(THURSDAY, found=calendar(closures=(CHRISTMAS,)))
    assert local(found) == ["26 Nov 09:00", "10 Dec 09:00", "23 Dec 09:00", "07 Jan 09:00"]
    assert [why(p) for p in found] == [[], [], ["clinic closed (Christmas)"], []]


def test_nine_oclock_stays_nine_oclock_when_the_clocks_change() -> None:
    spring = propose(date(2027, 3, 11), 7, 2, calendar(now=at(date(2027, 3, 1))))
    assert local(spring) == ["11 Mar 09:00", "18 Mar 09:00"]
    begin, end = (p.slot.start for p in spring if p.slot)
    assert end - begin == timedelta(days=7) - timedelta(hours=1)


def test_the_year_ends_and_a_leap_day_comes() -> None:
    assert local(propose(date(2026, 12, 31), 7, 2)) == ["31 Dec 09:00", "07 Jan 09:00"]
    leap = propose(date(2028, 2, 15), 14, 3, calendar(now=at(date(2028, 2, 1))))
    assert local(leap) == ["15 Feb 09:00", "29 Feb 09:00", "14 Mar 09:00"]


@pytest.mark.parametrize(
    ("changes", "landed", "reason"),
    [
        ({"hours": (Weekly(1, time(8), time(18)),)}, "24 Nov 09:00", "the clinic is not open on that weekday"),
        (
            {"operators": (LEE,), "sessions": {9: (Weekly(4, time(8), time(12)),)}},
            "27 Nov 09:00",
            "Dr Lee has no session on that weekday",
        ),
        (
            {"operators": (LEE,), "away": {9: (Span(at(THURSDAY, time(0)), at(THURSDAY, time(23))),)}},
            "27 Nov 09:00",
            "Dr Lee is away",
        ),
        (
            {"operators": (LEE,), "busy": (Busy(Resource.OPERATOR, 9, ALL_THURSDAY),)},
            "27 Nov 09:00",
            "Dr Lee is busy all day",
        ),
        (
            {"busy": (Busy(Resource.ROOM, 1, ALL_THURSDAY),)},
            "27 Nov 09:00",
            "nothing is free that day",
        ),
        ({"closures": (Closed(THURSDAY, THURSDAY, 1, "Paint"),)}, "27 Nov 09:00", "room closed (Paint)"),
        (
            {"busy": (Busy(Resource.ROOM, 1, Span(at(THURSDAY, NINE), at(THURSDAY, time(10)))),)},
            "26 Nov 08:00",
            "09:00 is not free",
        ),
    ],
)  # fmt: skip
def test_what_is_in_the_way_is_named(changes: dict[str, Any], landed: str, reason: str) -> None:
    (found,) = propose(THURSDAY, count=1, found=calendar(**changes))
    assert (local([found]), why(found)) == ([landed], [reason])


def test_another_free_room_is_taken_at_the_same_time() -> None:
    taken = Busy(Resource.ROOM, 1, Span(at(THURSDAY), at(THURSDAY, time(10))))
    (found,) = propose(THURSDAY, count=1, found=calendar(rooms=(ROOM, OTHER_ROOM), busy=(taken,)))
    assert found.slot is not None and (found.slot.room, why(found)) == (OTHER_ROOM, [])


def test_where_nothing_is_free_near_the_day_it_fits_nowhere_and_the_rest_still_does() -> None:
    closed = Closed(date(2026, 12, 1), date(2026, 12, 20), reason="Rebuilding")
    found = propose(THURSDAY, 14, 3, calendar(closures=(closed,)))
    assert local(found) == ["26 Nov 09:00", "nowhere", "24 Dec 09:00"]
    assert why(found[1]) == ["clinic closed (Rebuilding)"]


def test_every_day_past_a_weekend_never_puts_two_on_one_day() -> None:
    assert local(propose(date(2026, 11, 27), 1, 4)) == ["27 Nov 09:00", "30 Nov 09:00", "01 Dec 09:00", "02 Dec 09:00"]


def test_none_comes_before_the_tap_before() -> None:
    (found,) = propose(THURSDAY, count=1, after=THURSDAY)
    assert (local([found]), why(found)) == (["27 Nov 09:00"], ["the tap before is not earlier"])


def test_nothing_is_proposed_in_the_past() -> None:
    (found,) = propose(date(2026, 10, 30), count=1)
    assert (local([found]), why(found)) == (["02 Nov 09:00"], ["that day is past"])


def test_the_distance_drifts_by_what_it_differs_from_the_interval() -> None:
    days = [date(2026, 12, 10), date(2026, 12, 28), date(2027, 1, 7)]
    assert series.gaps(days, 14) == [None, Gap(18, 4), Gap(10, -4)]
    assert [gap.is_beyond(3) for gap in series.gaps(days, 14) if gap] == [True, True]
    assert not Gap(17, 3).is_beyond(3)


def test_days_move_by_a_shift_and_to_the_nearest_weekday() -> None:
    assert series.moved([THURSDAY], shift=7) == [date(2026, 12, 3)]
    assert series.moved([THURSDAY], weekday=0) == [date(2026, 11, 23)]
    assert series.moved([THURSDAY], weekday=6) == [date(2026, 11, 29)]


@given(
    first=st.dates(date(2026, 11, 3), date(2028, 3, 31)),
    interval=st.integers(1, 180),
    count=st.integers(1, 12),
    closed=st.lists(st.dates(date(2026, 11, 3), date(2029, 1, 1)), max_size=5),
)
def test_proposals_are_in_order_open_and_never_far_from_their_day(
    first: date, interval: int, count: int, closed: list[date]
) -> None:
    closures = tuple(Closed(day, day, reason="x") for day in closed)
    days = []
    for found in propose(first, interval, count, calendar(closures=closures)):
        if found.slot is None:
            assert found.why
            continue
        day = found.slot.start.astimezone(ZONE).date()
        days.append(day)
        assert day not in closed and day.weekday() < 5
        assert abs((day - found.wanted.day).days) <= series.reach(interval)
        assert bool(found.why) == (found.slot.start != at(found.wanted.day))
    assert days == sorted(set(days))


# --- what is still to be booked -------------------------------------------------------------

S = ProcedureStatus
TIMING = Timing(tolerance_days=3, book_days_before=7, wanted_ahead=1)


def tap(pk: int, day: date | None, status: ProcedureStatus = S.SCHEDULED, **extra: Any) -> Tap:
    done = at(day) if day and status is S.COMPLETED else None
    outcome = Outcome.DONE if status is S.COMPLETED else None
    return Tap(pk=pk, status=status, at=at(day) if day else None, **{"done_at": done, "outcome": outcome, **extra})


def course(*taps: Tap, **extra: Any) -> Course:
    values = {"interval_days": 14, "total": None, "until": None, "started_at": at(date(2026, 11, 2))}
    return Course(**{**values, **extra}, taps=taps, day_of=lambda moment: moment.astimezone(ZONE).date())


def test_the_next_is_needed_one_interval_after_the_last_that_stands() -> None:
    need = course(tap(1, THURSDAY, S.COMPLETED)).need(TIMING)
    assert need is not None and (need.needed_on, need.drift) == (date(2026, 12, 10), None)
    assert need.since == at(THURSDAY)


def test_one_that_is_booked_ahead_is_enough_unless_more_are_wanted() -> None:
    taps = (tap(1, THURSDAY, S.COMPLETED), tap(2, date(2026, 12, 10)))
    assert course(*taps).need(TIMING) is None
    more = course(*taps).need(Timing(tolerance_days=3, book_days_before=7, wanted_ahead=2))
    assert more is not None and more.needed_on == date(2026, 12, 24)


@pytest.mark.parametrize("status", [S.CANCELLED, S.NO_SHOW, S.ENTERED_IN_ERROR, S.REQUESTED])
def test_what_fell_through_or_has_no_slot_is_no_booking(status: ProcedureStatus) -> None:
    need = course(tap(1, THURSDAY, S.COMPLETED), tap(2, None, status)).need(TIMING)
    assert need is not None and need.needed_on == date(2026, 12, 10)


def test_one_that_was_not_attempted_does_not_count_as_done() -> None:
    found = course(tap(1, THURSDAY, S.COMPLETED, outcome=Outcome.NOT_ATTEMPTED))
    need = found.need(TIMING)
    assert found.last_done is None and need is not None and need.needed_on is None


def test_a_booking_too_late_is_still_needed_until_somebody_says_that_it_is_right() -> None:
    done = tap(1, THURSDAY, S.COMPLETED)
    need = course(done, tap(2, date(2026, 12, 14))).need(TIMING)
    assert need is not None and (need.drift, need.needed_on) == (Gap(18, 4), date(2026, 12, 10))
    assert course(done, tap(2, date(2026, 12, 13))).need(TIMING) is None
    assert course(done, tap(2, date(2026, 12, 14), gap_accepted=18)).need(TIMING) is None
    assert course(done, tap(2, date(2026, 12, 15), gap_accepted=18)).need(TIMING) is not None


def test_a_complete_series_needs_nothing() -> None:
    done = tap(1, THURSDAY, S.COMPLETED)
    assert course(done, total=1).need(TIMING) is None
    assert course(done, total=2).need(TIMING) is not None
    assert course(done, tap(2, None, S.CANCELLED), total=2).need(TIMING) is not None
    assert course(done, until=date(2026, 12, 9)).need(TIMING) is None
    assert course(done, until=date(2026, 12, 10)).need(TIMING) is not None


def test_begun_and_past_ones_are_never_changed() -> None:
    now = at(date(2026, 12, 1))
    able = [status for status in S if tap(1, date(2026, 12, 10), status).may_change(now)]
    assert able == [S.REQUESTED, S.SCHEDULED]
    assert not tap(1, date(2026, 11, 30)).may_change(now)
