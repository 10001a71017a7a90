"""Who is on call: a week for everybody to read, kept by the director."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clinic import clock
from clinic import on_call as selector
from clinic.access import ALL_ROLES, actor_of, roles_required
from clinic.opening import Span
from clinic.roles import Role


@require_safe
@roles_required(*ALL_ROLES)
def on_call(request: HttpRequest) -> HttpResponse:
    """The week by role and day, and in words when nobody is on call."""
    zone, now = timezone.get_default_timezone(), clock.now()
    today = now.astimezone(zone).date()
    monday = selector.monday_of(_day(request.GET.get("from")) or today)
    week = selector.week(monday, zone)
    may_change = actor_of(request).has(Role.DIRECTOR)
    gaps = [(role, gap, _fill(role.role, gap)) for role in week.roles if not role.nobody for gap in role.gaps]
    context = {
        "week": week,
        "today": today,
        "gaps": [gap for gap in gaps if gap[1].end > now],
        "nobody": [role for role in week.roles if role.nobody and any(gap.end > now for gap in role.gaps)],
        "may_change": may_change,
        "segments": _segments(monday, selector.monday_of(today)),
    }
    return render(request, "clinic/on_call.html", context)


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None


def _fill(role: Role, gap: Span) -> str:
    """Where the director fills this gap, with its times typed already."""
    query = {"role": str(role), "starts_at": _typed(gap.start), "ends_at": _typed(gap.end)}
    return f"{reverse('place_add', args=['on-call'])}?{urlencode(query)}"


def _typed(moment: datetime) -> str:
    return timezone.localtime(moment, timezone.get_default_timezone()).strftime("%Y-%m-%dT%H:%M")


def _segments(monday: date, current: date) -> list[dict[str, Any]]:
    """The week before, this one, the next ones."""
    weeks = [
        (monday - selector.WEEK, _("Week before")),
        (current, _("This week")),
        (monday + selector.WEEK, _("Week after")),
    ]
    return [
        {"url": f"?from={day.isoformat()}", "label": label, "active": day == monday, "count": None}
        for day, label in weeks
    ]
