"""A scheduler books four past Christmas, moves this one and those that follow, and cancels one."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from clinic.models import Closure
from procedures.models import Series
from tests import make
from tests.browser import chapters, story
from tests.browser.conftest import Team
from tests.browser.story import ZONE

pytestmark = pytest.mark.django_db(transaction=True)


def dates(series: Series) -> list[str]:
    rows = series.taps.filter(status="scheduled").order_by("series_place")
    return [f"{case.stay.lower.astimezone(ZONE):%a %d %b %H:%M}" for case in rows if case.stay]


def test_four_are_booked_past_christmas_moved_together_and_one_is_cancelled(team: Team) -> None:
    sam = team.sam
    sam.page.context.set_default_timeout(20_000)  # four bookings are planned in one request
    story.begin(datetime(2025, 12, 1, 8, tzinfo=ZONE))
    make.room("Room 2")
    Closure.objects.create(first_day=date(2025, 12, 24), last_day=date(2025, 12, 26), reason="Christmas")
    chapters.register(sam, family="Zimmermann", given="Ada", born="1961-05-17", mrn="M000123", phone="(202) 555-0123")

    sam.follow("Plan a series")
    sam.choose("Indication", "Relief in a series, no new symptoms")
    sam.choose("Responsible clinician", "Pia Physician, MD")
    sam.fill("First day", "2025-12-11")
    sam.fill("Time", "09:00")
    sam.press("Propose the dates")
    assert "moved from Thu 25 Dec: clinic closed (Christmas)" in sam.part("The dates")
    assert "12 days after the one before, 2 fewer than the interval" in sam.part("The dates")
    sam.fill("Time", "03:00", within="Booking 4")
    sam.press("Book what is chosen")
    assert "Nothing was booked" in sam.text and "outside the opening hours" in sam.part("The dates")
    sam.fill("Time", "09:00", within="Booking 4")
    sam.press("Book what is chosen")
    assert sam.said == "The series is booked: 4 procedures."
    series = Series.objects.get()
    assert dates(series) == ["Thu 11 Dec 09:00", "Tue 23 Dec 09:00", "Thu 08 Jan 09:00", "Thu 22 Jan 09:00"]

    sam.page.get_by_role("row", name="8 Jan").get_by_role("link", name="Change").click()
    assert sam.heading == "Change the series"
    sam.choose("Weekday", "Friday")
    sam.fill("Time", "10:00")
    sam.press("Show what would change")
    assert "Thu 8 Jan 2026 09:00" in sam.part("From what to what")
    assert dates(series)[2] == "Thu 08 Jan 09:00"  # nothing has been done yet
    sam.press("Make these changes")
    assert sam.said == "2 bookings were changed."
    assert dates(series) == ["Thu 11 Dec 09:00", "Tue 23 Dec 09:00", "Fri 09 Jan 10:00", "Fri 23 Jan 10:00"]

    sam.page.get_by_role("row", name="23 Dec").get_by_role("link", name="Change").click()
    sam.pick("What", "Cancel")
    sam.pick("Which", "this one alone")
    sam.fill("Reason", "Away with the family")
    sam.press("Show what would change")
    sam.press("Cancel these")
    assert sam.said == "1 booking was cancelled."
    assert dates(series) == ["Thu 11 Dec 09:00", "Fri 09 Jan 10:00", "Fri 23 Jan 10:00"]
    # 29 days lie between the two around it: that is promised, and the list says so
    assert "The next one comes too late" in sam.text
    sam.open("/board/")
    sam.follow("1 series: the next one is to be booked")
    assert "comes too late" in sam.row("Zimmermann, Ada")
