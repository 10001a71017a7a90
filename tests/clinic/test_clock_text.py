"""Time in words: the sentences that people act on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.template import Context, Template
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from clinic import timewords

NEW_YORK = ZoneInfo("America/New_York")
#: A Thursday, 11:30 in New York.
NOW = datetime(2026, 11, 19, 16, 30, tzinfo=UTC)


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=NEW_YORK)


def when(moment: datetime) -> str:
    return timewords.when(moment, NOW, NEW_YORK)


def due(moment: datetime) -> str:
    return timewords.due_in(moment, NOW, NEW_YORK)


def test_within_six_days_the_weekday_is_enough() -> None:
    assert when(at(2026, 11, 19, 14, 30)) == "Thu 14:30"
    assert when(at(2026, 11, 25, 9, 5)) == "Wed 09:05"
    assert when(at(2026, 11, 13, 23, 59)) == "Fri 23:59"


def test_the_same_weekday_a_week_away_carries_its_date() -> None:
    assert when(at(2026, 11, 26, 14, 30)) == "Thu 26 Nov 14:30"
    assert when(at(2026, 11, 12, 14, 30)) == "Thu 12 Nov 14:30"


def test_another_year_is_said() -> None:
    assert when(at(2027, 1, 18, 8, 0)) == "Mon 18 Jan 2027 08:00"
    assert timewords.calendar_day(at(2025, 12, 31, 8, 0), NOW, NEW_YORK) == "Wed 31 Dec 2025"


def test_new_year_within_six_days_still_needs_no_date() -> None:
    assert timewords.when(at(2027, 1, 2, 8, 0), at(2026, 12, 30, 8, 0), NEW_YORK) == "Sat 08:00"


def test_the_day_is_that_of_the_clinic_not_of_utc() -> None:
    assert when(datetime(2026, 11, 20, 3, 0, tzinfo=UTC)) == "Thu 22:00"


def test_a_moment_after_the_clock_change_is_said_in_the_time_of_that_day() -> None:
    before_change = at(2026, 10, 30, 12, 0)
    assert timewords.when(datetime(2026, 11, 1, 19, 30, tzinfo=UTC), before_change, NEW_YORK) == "Sun 14:30"


def test_due_says_the_moment_and_how_long() -> None:
    assert due(at(2026, 11, 19, 14, 30)) == "due Thu 14:30 (in 3 h)"
    assert due(at(2026, 11, 19, 11, 55)) == "due Thu 11:55 (in 25 min)"
    assert due(at(2026, 11, 23, 14, 30)) == "due Mon 14:30 (in 4 d)"


def test_overdue_says_since_when_and_how_long() -> None:
    assert due(at(2026, 11, 17, 11, 30)) == "overdue since Tue 11:30 (2 d)"
    assert due(at(2026, 11, 19, 11, 0)) == "overdue since Thu 11:00 (30 min)"


def test_the_minute_itself_is_neither_early_nor_late() -> None:
    assert due(NOW) == "due now"
    assert due(NOW - timedelta(seconds=59)) == "due now"
    assert due(NOW - timedelta(seconds=60)) == "overdue since Thu 11:29 (1 min)"
    assert due(NOW + timedelta(seconds=30)) == "due Thu 11:30 (within a minute)"


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(minutes=59, seconds=59), "59 min"),
        (timedelta(hours=1), "1 h"),
        (timedelta(hours=47, minutes=59), "47 h"),
        (timedelta(hours=48), "2 d"),
        (timedelta(days=-15), "15 d"),
    ],
)
def test_spans_are_whole_units_rounded_down(length: timedelta, words: str) -> None:
    assert timewords.span(length) == words


def test_relative_looks_both_ways() -> None:
    assert timewords.relative(NOW + timedelta(hours=3), NOW) == "in 3 h"
    assert timewords.relative(NOW - timedelta(days=2), NOW) == "2 d ago"
    assert timewords.relative(NOW, NOW) == "now"


def test_a_list_of_today_says_only_the_time() -> None:
    assert timewords.as_of(at(2026, 11, 19, 9, 2), NOW, NEW_YORK) == "as of 09:02"
    assert timewords.as_of(at(2026, 11, 18, 9, 2), NOW, NEW_YORK) == "as of Wed 09:02"


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        when(datetime(2026, 11, 19, 14, 30))  # noqa: DTZ001


@given(st.timedeltas(min_value=timedelta(days=-4000), max_value=timedelta(days=4000)))
def test_overdue_is_said_exactly_when_a_full_minute_has_passed(difference: timedelta) -> None:
    text = due(NOW + difference)
    assert text.startswith("overdue") == (difference <= timedelta(minutes=-1))


def render(source: str, **context: object) -> str:
    with timezone.override(NEW_YORK):
        return Template("{% load clock_text %}" + source).render(Context(context))


def test_a_tag_writes_words_for_people_and_iso_for_machines() -> None:
    html = render("{% when moment %}", moment=at(2026, 11, 19, 14, 30), now=NOW)
    assert html == '<time datetime="2026-11-19T14:30-05:00">Thu 14:30</time>'


def test_a_page_has_one_now() -> None:
    moment = at(2026, 11, 19, 14, 30)
    assert "in 3 h" in render("{% due_in moment %}", moment=moment, now=NOW)
    assert "(in 1 h)" in render("{% due_in moment %}", moment=moment, now=NOW + timedelta(hours=1, minutes=30))


def test_without_a_page_the_clinics_clock_is_asked() -> None:
    with time_machine.travel(NOW, tick=False):
        assert "in 3 h" in render("{% due_in moment %}", moment=at(2026, 11, 19, 14, 30))


@pytest.mark.parametrize("tag", ["{% when moment %}", "{% due_in moment %}", "{% ago moment %}", "{{ moment|clock }}"])
def test_no_moment_says_nothing(tag: str) -> None:
    assert render(tag, moment=None, now=NOW) == ""


def test_the_clock_filter_and_the_other_tags_speak_of_the_clinics_day() -> None:
    moment = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
    assert render("{{ moment|clock }}", moment=moment) == "22:00"
    assert ">Thu 19 Nov<" in render("{% day moment %}", moment=moment, now=NOW)
    assert ">in 10 h<" in render("{% ago moment %}", moment=moment, now=NOW)
    assert ">as of 11:30<" in render("{% as_of %}", now=NOW)
