"""What every page's frame shows: the clinic, the time, the navigation, and an engine in trouble."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from clinic import clock, health, navigation
from clinic.health import ENGINE
from clinic.models import Heartbeat
from clinic.place_forms import ROLE_NAMES
from clinic.roles import Role


@dataclass(frozen=True)
class EngineNote:
    """What every staff page must say of the engine. ``since``: moment of its last completed pass, None for never."""

    late: bool = False
    since: datetime | None = None
    minutes: int | None = None
    roles: tuple[str, ...] = ()  # in which a ladder ends and which nobody holds, in words
    waiting: int | None = None  # minutes for which a step or a message has waited

    def __bool__(self) -> bool:
        return self.late or bool(self.roles) or self.waiting is not None


#: What the apps above count in the frame's one query: a name, and what makes the expression.
COUNTED: dict[str, Callable[[], Any]] = {}


def heartbeat() -> Heartbeat | None:
    """One query: the engine's heartbeat, with what the apps above count beside it."""
    return next(iter(Heartbeat.objects.raw(*_written())), None)


@cache
def _written() -> tuple[str, tuple[Any, ...]]:
    """Its SQL, made once: every page asks it."""
    counted = {name: make() for name, make in COUNTED.items()}
    return Heartbeat.objects.filter(name=ENGINE).annotate(**counted).order_by().query.sql_with_params()


def engine_note() -> EngineNote:
    """What the heartbeat says: one query."""
    return note_of(heartbeat())


def note_of(beat: Heartbeat | None) -> EngineNote:
    """The heartbeat carries what the last pass saw.

    No heartbeat at all is late too: nobody has promised anything yet. What a late engine saw is not news any more.
    """
    if beat is None:
        return EngineNote(late=True)
    seconds = (clock.real_now() - beat.at).total_seconds()
    late = seconds > settings.ENGINE_LATE_SECONDS
    oldest = health.oldest_seconds(beat.data)
    waits = not late and oldest > settings.BACKLOG_LATE_SECONDS
    return EngineNote(
        late=late,
        since=beat.at,
        minutes=int(seconds // 60),
        roles=tuple(str(ROLE_NAMES[Role(role)]) for role in beat.data.get("empty_ends", ())),
        waiting=oldest // 60 if waits else None,
    )


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
        "engine_note": None,
        "demo": None,
    }
    user = getattr(request, "user", None)  # absent when a request is refused before the log-in is looked at
    if user is None or not user.is_authenticated:
        return frame
    frame["nav"] = navigation.entries_for(user, request.path)
    beat = heartbeat()
    frame["engine_note"] = note_of(beat)
    # for the context of the apps above, which comes after this one
    request.frame_counts = {name: getattr(beat, name) for name in COUNTED if beat is not None}  # type: ignore[attr-defined]
    frame["demo"] = demo_bar(now)
    return frame
