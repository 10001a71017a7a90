"""A figure is said with what it is out of, nothing is neither 0 % nor 100 %, and a period is whole days."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followups.domain.figures import FEW, LIMIT_X, SMALL, WIDTH, Share, Times, gauge
from followups.domain.period import Period

HOUR = timedelta(hours=1)
NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("part", "whole", "percent"),
    [
        (0, 0, None),
        (3, 4, None),
        (19, 19, None),
        (10, 20, 50),
        (20, 20, 100),
        (0, 20, 0),
        (999, 1000, 99),
        (1, 1000, 1),
        (2, 3 * SMALL, 3),
    ],
)
def test_a_share_is_a_percentage_only_of_many(part: int, whole: int, percent: int | None) -> None:
    assert Share(part, whole).percent == percent


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_all_and_none_are_said_only_of_all_and_none(part: int, more: int) -> None:
    share = Share(part, part + more)
    if share.percent is not None:
        assert (share.percent == 100) == (share.part == share.whole)
        assert (share.percent == 0) == (share.part == 0)


def test_a_ninetieth_percentile_of_few_is_not_said() -> None:
    assert Times.of(FEW - 1, HOUR, 2 * HOUR).p90 is None
    assert Times.of(FEW, HOUR, 2 * HOUR).p90 == 2 * HOUR
    assert Times.of(0, None, None) == Times(0, None, None)


def test_a_gauge_stands_against_its_limit() -> None:
    found = gauge(Times(20, 12 * HOUR, 48 * HOUR), limit=24 * HOUR, usual=6 * HOUR)
    assert found is not None
    assert (found.median, found.usual) == (LIMIT_X / 2, LIMIT_X / 4)
    assert (found.p90, found.beyond, found.late) == (WIDTH, True, False)
    assert gauge(Times(0), limit=HOUR) is None
    late = gauge(Times(1, 2 * HOUR), limit=HOUR)
    assert late is not None
    assert late.late


@given(st.timedeltas(timedelta(0), timedelta(days=400)), st.timedeltas(HOUR, timedelta(days=60)))
def test_a_gauge_never_leaves_its_picture(median: timedelta, limit: timedelta) -> None:
    found = gauge(Times(10, median, median), limit)
    assert found is not None
    assert 0 <= found.median <= WIDTH
    assert found.late == (median > limit)


def test_a_period_is_whole_days_on_the_clinics_clock() -> None:
    """The last Sunday of the week has 25 hours in New York; the period has its seven days all the same."""
    period = Period.of_days(7, date(2026, 11, 2), NEW_YORK)
    assert (period.first, period.last, period.days) == (date(2026, 10, 27), date(2026, 11, 2), 7)
    assert period.starts.astimezone(UTC).isoformat() == "2026-10-27T04:00:00+00:00"
    assert period.ends.astimezone(UTC).isoformat() == "2026-11-03T05:00:00+00:00"
