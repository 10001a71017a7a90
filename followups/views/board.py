"""The day and the week by room: all staff."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.forms import DateField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clinic import clock, timewords
from clinic.access import STAFF_ROLES, actor_of, record_read, roles_required
from clinic.htmx import is_refresh
from clinic.roles import CLINICAL
from followups.selectors import board as selector
from followups.views.polls import poll_url, unchanged
from procedures.access import BOOK
from procedures.domain import slots


@require_safe
@roles_required(*STAFF_ROLES)
def board(request: HttpRequest) -> HttpResponse:
    """One day: who, where, when, what is not ready, and what waits for a slot."""
    actor, now = actor_of(request), clock.now()
    day, wrong = asked_day(request, now)
    pulse = selector.pulse(day, now)
    if unchanged(request, pulse.marker):
        return HttpResponse(status=204)
    found = selector.day(actor=actor, first=day, now=now, waiting=pulse.waiting, number=request.GET.get("page"))
    record_read(request, page="day board", patient_ids=found.patients, polled=True)
    context = {
        "board": found,
        "wrong_day": wrong,
        "poll": poll_url(request, pulse.marker),
        "query": urlencode({"day": day.isoformat()}),
        "may_book": actor.has(*BOOK),
        "chart": actor.has(*CLINICAL),
        "title": _words(day, now),
        **_around(day, now, 1),
    }
    template = "followups/board/day_list.html" if is_refresh(request) else "followups/board/day.html"
    return render(request, template, context)


@require_safe
@roles_required(*STAFF_ROLES)
def week(request: HttpRequest) -> HttpResponse:
    """Seven days from Monday on, by room."""
    actor, now = actor_of(request), clock.now()
    day, wrong = asked_day(request, now)
    monday = day - timedelta(days=day.weekday())
    pulse = selector.pulse(monday, now, selector.WEEK)
    if unchanged(request, pulse.marker):
        return HttpResponse(status=204)
    found = selector.week(actor=actor, first=monday, now=now)
    record_read(request, page="week board", patient_ids=found.patients, polled=True)
    context = {
        "board": found,
        "wrong_day": wrong,
        "poll": poll_url(request, pulse.marker),
        "title": _("Week of %(day)s") % {"day": _words(monday, now)},
        **_around(monday, now, selector.WEEK),
    }
    template = "followups/board/week_list.html" if is_refresh(request) else "followups/board/week.html"
    return render(request, template, context)


def asked_day(request: HttpRequest, now: datetime) -> tuple[date, bool]:
    """The day in the address, else today; True when what stands there is no day."""
    given = request.GET.get("day", "")
    try:
        found = DateField(required=False).clean(given)
    except ValidationError:
        return selector.today(now), True
    return found or selector.today(now), False


def _words(day: date, now: datetime) -> str:
    """As people say it: "Mon 23 Nov"."""
    zone = timezone.get_default_timezone()
    return timewords.calendar_day(slots.moment(day, time(12), zone), now, zone)


def _around(day: date, now: datetime, days: int) -> dict[str, Any]:
    step, today = timedelta(days=days), selector.today(now)
    return {
        "day": day,
        "previous": day - step,
        "next": day + step,
        "today": today,
        "is_today": day <= today < day + step,
    }
