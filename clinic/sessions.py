"""How long a log-in lasts: until nobody touches it for a while, and never beyond one shift.

Wall-clock time throughout: the demonstration's clock must not log people out.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase

from clinic import clock

STARTED = "session_started_at"
SEEN = "session_seen_at"
#: Seconds between two stamps. A page with ten clicks a minute need not write its session ten times.
GRAIN = 30

IDLE = "idle"
LIMIT = "limit"


def start(session: SessionBase) -> None:
    """Called once, at log-in."""
    session[STARTED] = session[SEEN] = int(clock.real_now().timestamp())


def why_ended(session: SessionBase) -> str:
    """``"idle"``, ``"limit"``, or empty while the session is good. A session without stamps is not good."""
    now = clock.real_now().timestamp()
    seen, started = session.get(SEEN), session.get(STARTED)
    if seen is None or now - seen > settings.IDLE_MINUTES * 60:
        return IDLE
    if started is None or now - started > settings.SESSION_MAX_HOURS * 3600:
        return LIMIT
    return ""


def touch(session: SessionBase) -> None:
    """Somebody is here."""
    now = int(clock.real_now().timestamp())
    if now - session[SEEN] >= GRAIN:
        session[SEEN] = now
