"""Moments in templates, as people say them: ``{% when x %}``, ``{% due_in x %}``, ``{% as_of x %}``, ``x|clock``.

``now`` is taken from the page (one moment for the whole page, also in the demonstration) and asked of the clinic's
clock only where a template is rendered without it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from clinic import clock as clinic_clock
from clinic import timewords

register = template.Library()


def moment_of(context: Any) -> datetime:
    """The page's now."""
    now = context.get("now")
    return now if isinstance(now, datetime) else clinic_clock.now()


def time_tag(moment: datetime, text: str) -> SafeString:
    """Words for people, ISO 8601 for machines."""
    return format_html('<time datetime="{}">{}</time>', moment.isoformat(timespec="minutes"), text)


@register.simple_tag(takes_context=True)
def when(context: Any, moment: datetime | None) -> str:
    """Say "Thu 14:30" in a ``<time>``; nothing for no moment."""
    if moment is None:
        return ""
    return time_tag(moment, timewords.when(moment, moment_of(context), timezone.get_current_timezone()))


@register.simple_tag(takes_context=True)
def due_in(context: Any, due: datetime | None) -> str:
    """Say "due Thu 14:30 (in 3 h)" or "overdue since Thu 14:30 (2 d)" in a ``<time>``; nothing for no moment."""
    if due is None:
        return ""
    return time_tag(due, timewords.due_in(due, moment_of(context), timezone.get_current_timezone()))


@register.simple_tag(takes_context=True)
def ago(context: Any, moment: datetime | None) -> str:
    """Say "in 3 h" or "2 d ago" in a ``<time>``; nothing for no moment."""
    if moment is None:
        return ""
    return time_tag(moment, timewords.relative(moment, moment_of(context)))


@register.simple_tag(takes_context=True)
def as_of(context: Any, moment: datetime | None = None) -> str:
    """Say "as of 14:32" in a ``<time>``; without a moment the page's own."""
    now = moment_of(context)
    moment = moment or now
    return time_tag(moment, timewords.as_of(moment, now, timezone.get_current_timezone()))


@register.simple_tag(takes_context=True)
def day(context: Any, moment: datetime | None) -> str:
    """Say "Mon 23 Nov" in a ``<time>``; nothing for no moment."""
    if moment is None:
        return ""
    return time_tag(moment, timewords.calendar_day(moment, moment_of(context), timezone.get_current_timezone()))


@register.filter
def clock(moment: datetime | None) -> str:
    """The time of day, "14:30"; nothing for no moment."""
    return "" if moment is None else timewords.clock(moment, timezone.get_current_timezone())


@register.filter
def took(span_of_time: timedelta | None) -> str:
    """How long something took, "3 h 20 min"; a dash for what is not known."""
    return "–" if span_of_time is None else timewords.length(span_of_time)
