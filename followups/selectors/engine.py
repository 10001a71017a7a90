"""What the engine's page shows: is it alive, what waits, what did not arrive. No charts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from clinic import clock
from clinic.models import Heartbeat
from followups.domain.kinds import MessageState
from followups.models import FollowUp, Message

ENGINE = "engine"
NIGHTLY = "nightly"


@dataclass(frozen=True, kw_only=True)
class EngineState:
    """``seconds``: since the last completed pass; None when there was none. ``steps_waiting``: rungs that are due and
    not taken. ``set_aside``, ``empty_roles``: of the last pass.
    """

    seconds: int | None
    late: bool
    last_pass: dict[str, Any]
    nightly: Heartbeat | None
    steps_waiting: int
    queued: int
    sending: int
    stopped: int

    @property
    def empty_roles(self) -> list[str]:
        return list(self.last_pass.get("empty_roles", []))

    @property
    def set_aside(self) -> int:
        return int(self.last_pass.get("set_aside", 0))


def state(now: datetime) -> EngineState:
    """Six queries."""
    beats = Heartbeat.objects.in_bulk([ENGINE, NIGHTLY])
    beat = beats.get(ENGINE)
    seconds = round((clock.real_now() - beat.at).total_seconds()) if beat else None
    return EngineState(
        seconds=seconds,
        late=seconds is None or seconds > settings.ENGINE_LATE_SECONDS,
        last_pass=beat.data if beat else {},
        nightly=beats.get(NIGHTLY),
        steps_waiting=FollowUp.objects.filter(closed_at__isnull=True, next_action_at__lte=now)
        .exclude(snoozed_until__gt=now)
        .count(),
        queued=Message.objects.filter(state=MessageState.QUEUED, not_before__lte=now).count(),
        sending=Message.objects.filter(state=MessageState.SENDING).count(),
        stopped=stopped().count(),
    )


def stopped() -> QuerySet[Message]:
    """Messages that did not arrive, or of which nobody knows; the newest first."""
    return (
        Message.objects.filter(state__in=[MessageState.FAILED, MessageState.UNKNOWN])
        .select_related("recipient", "follow_up__procedure")
        .order_by("-settled_at", "-pk")
    )
