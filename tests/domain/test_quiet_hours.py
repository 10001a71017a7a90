"""When a patient is left in peace: over midnight, and on the days on which the clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followups.domain.quiet import QuietHours

ZONE = ZoneInfo("America/New_York")
NIGHT = QuietHours(time(21), time(8))


def local(day: int, hour: int, minute: int = 0, *, month: int = 1, fold: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=ZONE, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("moment", "leaves"),
    [
        (local(12, 20, 59), local(12, 20, 59)),
        (local(12, 21), local(13, 8)),
        (local(12, 23, 59), local(13, 8)),
        (local(13, 0), local(13, 8)),
        (local(13, 7, 59), local(13, 8)),
        (local(13, 8), local(13, 8)),
        (local(13, 12), local(13, 12)),
    ],
)
def test_a_message_of_the_night_leaves_in_the_morning(moment: datetime, leaves: datetime) -> None:
    assert NIGHT.after(moment, ZONE) == leaves


def test_quiet_hours_within_a_day_do_not_run_over_midnight() -> None:
    noon = QuietHours(time(12), time(14))
    assert noon.after(local(12, 13), ZONE) == local(12, 14)
    assert noon.after(local(12, 23), ZONE) == local(12, 23)


@pytest.mark.parametrize("day", [8, 1], ids=["an hour is skipped", "an hour comes twice"])
def test_eight_in_the_morning_stays_eight_when_the_clock_changes(day: int) -> None:
    month = 3 if day == 8 else 11
    evening = local(day, 22, month=month) - timedelta(days=1)
    assert NIGHT.after(evening, ZONE) == local(day, 8, month=month)


def test_the_end_in_an_hour_that_comes_twice_is_never_in_the_past() -> None:
    quiet = QuietHours(time(21), time(1, 30))
    second = local(1, 1, 15, month=11, fold=1)
    assert quiet.after(second, ZONE) == local(1, 1, 30, month=11, fold=1)


def test_an_end_that_the_clock_skips_comes_with_the_next_hour() -> None:
    quiet = QuietHours(time(21), time(2, 30))
    assert quiet.after(local(8, 1, month=3), ZONE).astimezone(ZONE).time() == time(3, 30)


@given(
    begins=st.times(),
    ends=st.times(),
    minutes=st.integers(0, 366 * 24 * 60),
)
def test_a_message_is_never_early_and_never_a_day_late(begins: time, ends: time, minutes: int) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    leaves = QuietHours(begins, ends).after(moment, ZONE)
    assert moment <= leaves <= moment + timedelta(hours=26)
