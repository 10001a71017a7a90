"""Time as people say it: "Thu 14:30", "due Thu 14:30 (in 3 h)", "overdue since Thu 14:30 (2 d)".

Pure functions of a moment, of now and of a zone. Both moments must be aware; anything naive is a programming
error and raises ``ValueError``. The clock is 24 hours; the zone is named once per page, never in the text.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache

from django.utils.dates import MONTHS_3, WEEKDAYS_ABBR
from django.utils.translation import get_language
from django.utils.translation import gettext as _

#: Up to this many calendar days away a weekday says which day is meant; beyond it the date is needed.
WEEKDAY_IS_ENOUGH = 6
#: From this length a span is said in days: "in 30 h" is how people speak of tomorrow afternoon, "in 50 h" is not.
DAYS_FROM = timedelta(hours=48)

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def local(moment: datetime, zone: tzinfo) -> datetime:
    """The moment on the clinic's wall clock."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs a zone")
    return moment.astimezone(zone)


def clock(moment: datetime, zone: tzinfo) -> str:
    """The time of day alone: "14:30"."""
    return f"{local(moment, zone):%H:%M}"


def when(moment: datetime, now: datetime, zone: tzinfo) -> str:
    """Say "Thu 14:30"; "Mon 23 Nov 14:30" beyond six days; with the year when it is another one."""
    there, here = local(moment, zone), local(now, zone)
    return _when(there.date(), f"{there:%H:%M}", here.date(), get_language())


@lru_cache(maxsize=4096)  # a list says the same few days and times over and over
def _when(there: date, time: str, here: date, _language: str | None) -> str:
    if abs((there - here).days) <= WEEKDAY_IS_ENOUGH:
        return _("%(day)s %(time)s") % {"day": str(WEEKDAYS_ABBR[there.weekday()]), "time": time}
    return _("%(date)s %(time)s") % {"date": _calendar_day(there, here), "time": time}


def calendar_day(moment: datetime, now: datetime, zone: tzinfo) -> str:
    """Say "Mon 23 Nov", with the year when it is another one."""
    return _calendar_day(local(moment, zone).date(), local(now, zone).date())


def _calendar_day(there: date, here: date) -> str:
    words = {
        "day": str(WEEKDAYS_ABBR[there.weekday()]),
        "number": there.day,
        "month": str(MONTHS_3[there.month]).capitalize(),
        "year": there.year,
    }
    if there.year == here.year:
        return _("%(day)s %(number)d %(month)s") % words
    return _("%(day)s %(number)d %(month)s %(year)d") % words


def span(length: timedelta) -> str:
    """Say "25 min", "3 h", "2 d": whole units, rounded down, without a sign."""
    length = abs(length)
    if length < HOUR:
        return _("%(number)d min") % {"number": length // MINUTE}
    if length < DAYS_FROM:
        return _("%(number)d h") % {"number": length // HOUR}
    return _("%(number)d d") % {"number": length // DAY}


def length(span_of_time: timedelta) -> str:
    """Say "45 min", "3 h 20 min", "2 d 5 h", for a length that is measured and not only remembered; rounded down."""
    total = abs(span_of_time)
    if total < HOUR:
        return _("%(number)d min") % {"number": total // MINUTE}
    if total < DAYS_FROM:
        words = {"hours": total // HOUR, "minutes": total % HOUR // MINUTE}
        return (_("%(hours)d h %(minutes)d min") if words["minutes"] else _("%(hours)d h")) % words
    words = {"days": total // DAY, "hours": total % DAY // HOUR}
    return (_("%(days)d d %(hours)d h") if words["hours"] else _("%(days)d d")) % words


def relative(moment: datetime, now: datetime) -> str:
    """Say "in 3 h", "2 d ago", "now" within a minute."""
    difference = moment - now
    if abs(difference) < MINUTE:
        return _("now")
    if difference > timedelta(0):
        return _("in %(span)s") % {"span": span(difference)}
    return _("%(span)s ago") % {"span": span(difference)}


def due_in(due: datetime, now: datetime, zone: tzinfo) -> str:
    """Say "due Thu 14:30 (in 3 h)", "overdue since Thu 14:30 (2 d)", "due now" in the minute it is due."""
    late = now - due
    if timedelta(0) <= late < MINUTE:
        return _("due now")
    moment = when(due, now, zone)
    if late > timedelta(0):
        return _("overdue since %(moment)s (%(span)s)") % {"moment": moment, "span": span(late)}
    if -late < MINUTE:
        return _("due %(moment)s (within a minute)") % {"moment": moment}
    return _("due %(moment)s (in %(span)s)") % {"moment": moment, "span": span(late)}


def as_of(moment: datetime, now: datetime, zone: tzinfo) -> str:
    """Say "as of 14:32" today, "as of Thu 14:32" otherwise: how fresh a list is."""
    same_day = local(moment, zone).date() == local(now, zone).date()
    return _("as of %(moment)s") % {"moment": clock(moment, zone) if same_day else when(moment, now, zone)}
