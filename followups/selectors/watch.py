"""How long things wait and what did not arrive: for the engine's heartbeat, its page and the metrics."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q

from followups import channels
from followups.domain import backoff
from followups.domain.kinds import Kind, MessageState
from followups.domain.watch import Readings, Waiting
from followups.models import FollowUp, Message
from procedures.services import inbound_store

#: Messages that did not arrive, or of which nobody knows, and that nobody has dealt with.
STOPPED = Q(state__in=[str(MessageState.FAILED), str(MessageState.UNKNOWN)], dealt_at__isnull=True)


def readings(now: datetime) -> Readings:
    """Four queries, each on a partial index."""
    open_promises = FollowUp.objects.filter(closed_at__isnull=True)
    awake = Q(next_action_at__lte=now) & (Q(snoozed_until__isnull=True) | Q(snoozed_until__lte=now))
    promised = open_promises.aggregate(
        due=Count("pk", filter=awake),
        since=Min("next_action_at", filter=awake),
        plan_failed=Count("pk", filter=Q(kind=str(Kind.PLAN_FAILED))),
    )
    held = Message.objects.filter(STOPPED | Q(state=str(MessageState.SENDING)))
    to_staff = Q(recipient__isnull=False) | Q(state=str(MessageState.SENDING))
    states = dict(held.filter(to_staff).values_list("state").annotate(n=Count("pk")).order_by())
    to_patients = Message.objects.filter(STOPPED, patient__isnull=False)
    unreached = to_patients.aggregate(n=Count("pk"), since=Min("not_before"))
    return Readings(
        steps=Waiting(due=promised["due"], oldest=_age(promised["since"], now)),
        channels=_channels(now),
        unread=_unread(now),
        sending=states.get(str(MessageState.SENDING), 0),
        failed=states.get(str(MessageState.FAILED), 0),
        unknown=states.get(str(MessageState.UNKNOWN), 0),
        unreached=Waiting(due=unreached["n"], oldest=_age(unreached["since"], now)),
        plan_failed=promised["plan_failed"],
    )


def _unread(now: datetime) -> Waiting:
    count, seconds = inbound_store.waiting(now=now)
    return Waiting(due=count, oldest=seconds)


def _channels(now: datetime) -> dict[str, Waiting]:
    """What waits, by channel. A message that is put off again and again waits since it was due at first."""
    waiting: dict[str, Waiting] = {name: Waiting() for name in sorted(channels.NAMES)}
    rows: Any = (
        Message.objects.filter(Q(not_before__lte=now) | Q(attempts__gt=0), state=str(MessageState.QUEUED))
        .values("channel", "attempts")
        .annotate(due=Count("pk", filter=Q(not_before__lte=now)), n=Count("pk"), since=Min("not_before"))
        .order_by()
    )
    for row in rows:
        before = waiting.get(row["channel"], Waiting())
        since = backoff.first_due(tries=row["attempts"], not_before=row["since"])
        waiting[row["channel"]] = Waiting(
            due=before.due + row["due"],
            oldest=max(before.oldest, _age(since, now)),
            retrying=before.retrying + (row["n"] if row["attempts"] else 0),
        )
    return waiting


def _age(since: datetime | None, now: datetime) -> int:
    return int(max(now - since, timedelta(0)).total_seconds()) if since else 0
