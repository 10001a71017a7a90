"""How long things wait and what did not arrive: for the engine's heartbeat, its page and the metrics."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, TypeAlias

from django.db.models import BooleanField, Count, ExpressionWrapper, Min, Q

from followups import channels
from followups.domain import backoff
from followups.domain.kinds import Kind, MessageState
from followups.domain.watch import Readings, Waiting
from followups.models import FollowUp, Message
from procedures.services import inbound_store

#: Messages that did not arrive, or of which nobody knows, and that nobody has dealt with.
STOPPED = Q(state__in=[str(MessageState.FAILED), str(MessageState.UNKNOWN)], dealt_at__isnull=True)


def readings(now: datetime) -> Readings:
    """Five queries, each on a partial index: none looks at all open promises."""
    open_promises = FollowUp.objects.filter(closed_at__isnull=True)
    awake = Q(next_action_at__lte=now) & (Q(snoozed_until__isnull=True) | Q(snoozed_until__lte=now))
    due = open_promises.filter(awake).aggregate(n=Count("pk"), since=Min("next_action_at"))
    held = _held()
    return Readings(
        steps=Waiting(due=due["n"], oldest=_age(due["since"], now)),
        channels=_channels(now),
        unread=_unread(now),
        sending=sum(n for (state, _patient), (n, _since) in held.items() if state == MessageState.SENDING),
        failed=held.get((str(MessageState.FAILED), False), NOTHING)[0],
        unknown=held.get((str(MessageState.UNKNOWN), False), NOTHING)[0],
        unreached=_unreached(held, now),
        plan_failed=open_promises.filter(kind=str(Kind.PLAN_FAILED)).count(),
    )


#: State, and whether it was to a patient → how many, and the earliest time at which one was to leave.
Held: TypeAlias = dict[tuple[str, bool], tuple[int, datetime | None]]
NOTHING: tuple[int, datetime | None] = (0, None)


def _held() -> Held:
    """What is being sent, and what has stopped and waits for a person."""
    rows = (
        Message.objects.filter(STOPPED | Q(state=str(MessageState.SENDING)))
        .annotate(to_patient=ExpressionWrapper(Q(patient__isnull=False), output_field=BooleanField()))
        .values_list("state", "to_patient")
        .annotate(n=Count("pk"), since=Min("not_before"))
        .order_by()
    )
    return {(state, to_patient): (n, since) for state, to_patient, n, since in rows}


def _unreached(held: Held, now: datetime) -> Waiting:
    stopped = [found for (state, to_patient), found in held.items() if to_patient and state != MessageState.SENDING]
    since = min((at for _n, at in stopped if at is not None), default=None)
    return Waiting(due=sum(n for n, _at in stopped), oldest=_age(since, now))


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
