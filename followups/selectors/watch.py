"""How long things wait and what did not arrive: for the engine's heartbeat, its page and the metrics."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from django.db.models import BooleanField, Count, DateTimeField, ExpressionWrapper, F, Func, IntegerField, Min, Q

from clinic.one_statement import OneStatement, Parts
from followups import channels
from followups.domain import backoff
from followups.domain.kinds import Kind, MessageState
from followups.domain.watch import Readings, Waiting
from followups.models import FollowUp, Message
from procedures.services import inbound_store

#: Messages that did not arrive, or of which nobody knows, and that nobody has dealt with.
STOPPED = Q(state__in=[str(MessageState.FAILED), str(MessageState.UNKNOWN)], dealt_at__isnull=True)


def _waiting(now: Any) -> Parts:
    """What is to be advanced; plans that failed; what waits to be sent; what is being sent or has stopped."""
    open_promises = FollowUp.objects.filter(closed_at__isnull=True).order_by()
    awake = Q(next_action_at__lte=now) & (Q(snoozed_until__isnull=True) | Q(snoozed_until__lte=now))
    queued = Message.objects.filter(Q(not_before__lte=now) | Q(attempts__gt=0), state=str(MessageState.QUEUED))
    held = Message.objects.filter(STOPPED | Q(state=str(MessageState.SENDING)))
    to_patient = ExpressionWrapper(Q(patient__isnull=False), output_field=BooleanField())
    return {
        "steps": open_promises.filter(awake)
        .annotate(n=_number(), since=_first("next_action_at"))
        .values_list("n", "since"),
        "plan_failed": open_promises.filter(kind=str(Kind.PLAN_FAILED))
        .annotate(n=_number())
        .values_list("n", flat=True),
        "queued": queued.values_list("channel", "attempts")
        .annotate(due=Count("pk", filter=Q(not_before__lte=now)), n=Count("pk"), since=Min("not_before"))
        .order_by(),
        "held": held.annotate(to_patient=to_patient)
        .values_list("state", "to_patient")
        .annotate(n=Count("pk"), since=Min("not_before"))
        .order_by(),
    }


def _number() -> Func:
    """How many rows: over all of them, where ``Count`` would group."""
    return Func(F("pk"), function="COUNT", output_field=IntegerField())


def _first(column: str) -> Func:
    return Func(F(column), function="MIN", output_field=DateTimeField())


WAITING = OneStatement(_waiting)


def readings(now: datetime) -> Readings:
    """Two queries, each of whose parts is on a partial index: none looks at all open promises."""
    found = WAITING.rows(now=now)
    ((due, since),) = found["steps"]
    held: Held = {(state, to_patient): (n, at) for state, to_patient, n, at in found["held"]}
    return Readings(
        steps=Waiting(due=due, oldest=_age(since, now)),
        channels=_channels(found["queued"], now),
        unread=_unread(now),
        sending=sum(n for (state, _patient), (n, _since) in held.items() if state == MessageState.SENDING),
        failed=held.get((str(MessageState.FAILED), False), NOTHING)[0],
        unknown=held.get((str(MessageState.UNKNOWN), False), NOTHING)[0],
        unreached=_unreached(held, now),
        plan_failed=found["plan_failed"][0],
    )


#: State, and whether it was to a patient → how many, and the earliest time at which one was to leave.
Held: TypeAlias = dict[tuple[str, bool], tuple[int, datetime | None]]
NOTHING: tuple[int, datetime | None] = (0, None)


def _unreached(held: Held, now: datetime) -> Waiting:
    stopped = [found for (state, to_patient), found in held.items() if to_patient and state != MessageState.SENDING]
    since = min((at for _n, at in stopped if at is not None), default=None)
    return Waiting(due=sum(n for n, _at in stopped), oldest=_age(since, now))


def _unread(now: datetime) -> Waiting:
    count, seconds = inbound_store.waiting(now=now)
    return Waiting(due=count, oldest=seconds)


def _channels(queued: Iterable[Any], now: datetime) -> dict[str, Waiting]:
    """What waits, by channel. A message that is put off again and again waits since it was due at first."""
    waiting: dict[str, Waiting] = {name: Waiting() for name in sorted(channels.NAMES)}
    for channel, attempts, due, n, first in queued:
        before = waiting.get(channel, Waiting())
        since = backoff.first_due(tries=attempts, not_before=first)
        waiting[channel] = Waiting(
            due=before.due + due,
            oldest=max(before.oldest, _age(since, now)),
            retrying=before.retrying + (n if attempts else 0),
        )
    return waiting


def _age(since: datetime | None, now: datetime) -> int:
    return int(max(now - since, timedelta(0)).total_seconds()) if since else 0
