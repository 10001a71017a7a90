"""When the clinic is open, and what nights and weekends are."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.opening import Opening, Span, minus

ZONE = ZoneInfo("America/New_York")
WEEK = tuple((day, *hours) for day in range(5) for hours in ((time(8), time(12)), (time(13), time(18))))
CLINIC = Opening(WEEK, ((date(2026, 11, 26), date(2026, 11, 27)),), ZONE)


def local(day: int, hour: int, *, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        (local(23, 7), False),
        (local(23, 8), True),
        (local(23, 12), True),  # lunch is no night
        (local(23, 17), True),
        (local(23, 18), False),
        (local(26, 10), False),  # closed
        (local(28, 10), False),  # Saturday
    ],
)
def test_open_is_from_the_first_opening_to_the_last_closing(moment: datetime, is_open: bool) -> None:
    assert CLINIC.is_open(moment) is is_open


def test_a_clinic_without_hours_is_never_known_to_be_open() -> None:
    assert not Opening((), (), ZONE).is_open(local(23, 10))


def test_nights_weekends_and_closures_are_one_span_where_they_touch() -> None:
    shut = CLINIC.shut_within(local(23, 0), local(30, 0))
    hours = [(s.start.astimezone(ZONE), s.end.astimezone(ZONE)) for s in shut]
    assert hours == [
        (local(23, 0), local(23, 8)),
        (local(23, 18), local(24, 8)),
        (local(24, 18), local(25, 8)),
        (local(25, 18), local(30, 0)),
    ]


def test_the_night_in_which_the_clock_changes_ends_at_opening_time() -> None:
    shut = CLINIC.shut_within(local(6, 12, month=3), local(9, 12, month=3))
    assert [s.end.astimezone(ZONE).hour for s in shut] == [8]
    assert shut[0].end - shut[0].start == timedelta(hours=61)


SPANS = st.lists(
    st.tuples(st.integers(0, 50), st.integers(1, 20)).map(
        lambda pair: Span(
            datetime(2026, 1, 1, tzinfo=UTC) + pair[0] * timedelta(hours=1),
            datetime(2026, 1, 1, tzinfo=UTC) + (pair[0] + pair[1]) * timedelta(hours=1),
        )
    ),
    max_size=5,
)


@given(spans=SPANS, holes=SPANS, hour=st.integers(0, 80))
def test_what_is_left_is_in_a_span_and_in_no_hole(spans: list[Span], holes: list[Span], hour: int) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour, minutes=30)

    def holds(rows: list[Span]) -> bool:
        return any(span.start <= at < span.end for span in rows)

    assert holds(minus(spans, holes)) is (holds(spans) and not holds(holes))
