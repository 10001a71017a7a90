"""The outbox after a crash, as the next minutes would find it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection

from clinic import clock, turns
from followups import dispatch
from followups.models import FollowUp, Message
from tests.factories import promises as factory

MINUTE = timedelta(minutes=1)


def fill(count: int, now: datetime) -> FollowUp:
    """So many reminders to staff of one promise, all due."""
    row = factory.promise(due=now + timedelta(days=9))
    Message.objects.bulk_create(
        Message(
            key=f"{row.pk}:1:{number}:0:1:email",
            follow_up=row,
            kind=row.kind,
            channel="email",
            recipient=row.responsible,
            not_before=now,
            created_at=now,
        )
        for number in range(count)
    )
    return row


@contextmanager
def nobody_sends() -> Iterator[None]:
    """The turn is ours: who had it is dead, and whoever lives waits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, hashtext('email'))", [turns.LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s, hashtext('email'))", [turns.LOCK])


def lease_is_over(now: datetime) -> int:
    """Two minutes after a worker died: its leases are over, and a pass takes them back. Returns how many."""
    with nobody_sends():
        Message.objects.filter(state="sending").update(lease_until=clock.real_now() - MINUTE)
        return dispatch.reap(now=now)
