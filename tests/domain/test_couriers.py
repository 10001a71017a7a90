"""Hours of the laboratory's working days, and the last courier."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procedures.domain import couriers
from procedures.domain.couriers import Courier
from procedures.domain.slots import Slot

RIGA = ZoneInfo("Europe/Riga")
NO_SUNDAY = [0, 1, 2, 3, 4, 5]
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
WEEKDAYS = [0, 1, 2, 3, 4]


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=RIGA)


@pytest.mark.parametrize(
    ("start", "hours", "running", "end"),
    [
        ("2026-03-06T10:00", 24, [], "2026-03-07T10:00"),  # Friday; nothing known of the laboratory: every day
        ("2026-03-07T10:00", 24, NO_SUNDAY, "2026-03-09T10:00"),  # Saturday: the Sunday adds its day
        ("2026-03-07T10:00", 4, NO_SUNDAY, "2026-03-07T14:00"),
        ("2026-03-08T10:00", 4, NO_SUNDAY, "2026-03-09T04:00"),  # drawn on the Sunday: from Monday on
        ("2026-03-06T10:00", 24, WEEKDAYS, "2026-03-09T10:00"),
        ("2026-03-02T10:00", 168, NO_SUNDAY, "2026-03-10T10:00"),
        ("2026-03-27T10:00", 24, WEEKDAYS, "2026-03-30T10:00"),  # the clock changes on the Sunday
    ],
)
def test_hours_are_counted_on_the_days_on_which_the_laboratory_works(
    start: str, hours: int, running: list[int], end: str
) -> None:
    assert couriers.counted(local(start), hours, running, RIGA) == local(end)


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-03-02T10:00", 1344, "2026-04-27T11:00"),  # eight weeks, of which no Sunday adds anything
        ("2026-03-01T10:00", 336, "2026-03-16T10:00"),  # would be ready on a Sunday
    ],
)
def test_what_grows_for_weeks_also_grows_on_a_sunday(start: str, hours: int, end: str) -> None:
    assert couriers.counted(local(start), hours, NO_SUNDAY, RIGA, incubates=True) == local(end)


@given(
    st.integers(min_value=0, max_value=365 * 24 * 60).map(lambda n: NEW_YEAR + timedelta(minutes=n)),
    st.integers(min_value=0, max_value=400),
    st.sets(st.integers(min_value=0, max_value=6), min_size=1),
)
def test_a_closed_day_never_brings_a_time_forward_and_the_end_is_a_working_day(
    start: datetime, hours: int, running: set[int]
) -> None:
    end = couriers.counted(start, hours, sorted(running), RIGA)
    assert end >= start + timedelta(hours=hours)
    just_before = (end - timedelta(microseconds=1)).astimezone(RIGA)
    assert hours == 0 or just_before.weekday() in running


COURIER = Courier(pickups={day: time(16, 15) for day in WEEKDAYS}, running=frozenset(WEEKDAYS))


def test_fluid_that_is_ready_after_the_last_courier_misses_it() -> None:
    found = couriers.missed(COURIER, local("2026-03-05T16:40"), RIGA)
    assert found is not None
    assert (found.last, found.works) == (time(16, 15), True)


@pytest.mark.parametrize("ready", ["2026-03-05T16:15", "2026-03-05T09:00"])
def test_fluid_that_is_ready_in_time_makes_it(ready: str) -> None:
    assert couriers.missed(COURIER, local(ready), RIGA) is None


def test_on_a_saturday_no_courier_comes_and_nobody_works() -> None:
    found = couriers.missed(COURIER, local("2026-03-07T09:00"), RIGA)
    assert found is not None
    assert (found.last, found.works) == (None, False)


@pytest.mark.parametrize("courier", [None, Courier(pickups={}, running=frozenset(WEEKDAYS))])
def test_where_no_courier_is_known_nothing_is_warned_of(courier: Courier | None) -> None:
    assert couriers.missed(courier, local("2026-03-07T23:00"), RIGA) is None


def test_the_next_better_slot_is_the_first_that_makes_it() -> None:
    starts = [local("2026-03-05T16:00"), local("2026-03-05T16:15"), local("2026-03-06T08:00")]
    slots = [Slot(start, None, None) for start in starts]
    found = couriers.first_in_time({None: COURIER}, slots, timedelta(minutes=40), RIGA)
    assert found is not None
    assert found.start == starts[2]
