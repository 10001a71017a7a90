"""What a promise is at the moment of reading: waiting, due, overdue or critical. Pure; never stored."""

from __future__ import annotations

from datetime import datetime, timedelta

from followups.domain.picture import Urgency

#: From so long before its limit on, a promise is *due*: today's work.
DUE_WITHIN = timedelta(hours=24)


def urgency(
    *, level: str, start_at: datetime, due_at: datetime, now: datetime, usual_at: datetime | None = None
) -> Urgency:
    """Critical and overdue first; then due: its usual hour has passed, or its limit is within a day."""
    if level == "critical" and start_at <= now:
        return Urgency.CRITICAL
    if due_at < now:
        return Urgency.OVERDUE
    if usual_at is not None:
        return Urgency.DUE if usual_at <= now else Urgency.WAITING
    if start_at <= now and due_at - now <= DUE_WITHIN:
        return Urgency.DUE
    return Urgency.WAITING
