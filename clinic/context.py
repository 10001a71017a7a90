"""What every page's frame shows: the clinic, the time, the navigation, and a late engine."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from clinic import clock, navigation
from clinic.health import ENGINE
from clinic.models import Heartbeat


def engine_late() -> dict[str, Any] | None:
    """None while the engine keeps up; else since when (wall clock) and for how many minutes.

    No heartbeat at all is late too: nobody has promised anything yet.
    """
    at = Heartbeat.objects.filter(name=ENGINE).values_list("at", flat=True).first()
    if at is None:
        return {"since": None, "minutes": None}
    seconds = (clock.real_now() - at).total_seconds()
    if seconds <= settings.ENGINE_LATE_SECONDS:
        return None
    return {"since": at, "minutes": int(seconds // 60)}


def demo_bar(now: Any) -> dict[str, Any] | None:
    """The demonstration's clock and where to move it; None with real patients."""
    if not settings.DEMO:
        return None
    return {"now": now, "clock_url": reverse("followups:demo_clock"), "mail_url": reverse("followups:mail")}


def page(request: HttpRequest) -> dict[str, Any]:
    """One query for a person who is logged in (the heartbeat), none for anybody else; one more in a demonstration."""
    now = clock.now()
    frame: dict[str, Any] = {
        "clinic_name": settings.CLINIC_NAME,
        "clinic_zone": settings.CLINIC_ZONE,
        "clinic_phone": settings.CLINIC_PHONE_24H,
        "now": now,
        "nav": [],
        "engine_late": None,
        "demo": None,
    }
    user = getattr(request, "user", None)  # absent when a request is refused before the log-in is looked at
    if user is None or not user.is_authenticated:
        return frame
    frame["nav"] = navigation.entries_for(user, request.path)
    frame["engine_late"] = engine_late()
    frame["demo"] = demo_bar(now)
    return frame
