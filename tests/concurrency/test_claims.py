"""Several workers at once: each message and each rung once. The twins without the guard show that the race is real."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from django.db import connections

from clinic import clock
from clinic.models import AuditEntry
from clinic.roles import Role
from followups import channels, dispatch, engine
from followups.channels.base import Outcome, OutgoingMessage
from followups.domain.backoff import Fate
from followups.models import DeliveryAttempt, FollowUp, FollowUpNote, Message
from tests import make
from tests.factories import promises as factory

pytestmark = pytest.mark.django_db(transaction=True)

WORKERS = 4
ROWS = 60
MINUTE = timedelta(minutes=1)

Claim = Callable[[datetime, Barrier], list[int]]


def together(work: Callable[[Barrier], list[int]]) -> Counter[int]:
    """Run ``work`` in several threads, each with its own connection; how often each message was taken."""
    barrier = Barrier(WORKERS, timeout=20)

    def worker() -> list[int]:
        try:
            barrier.wait()
            return work(barrier)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(WORKERS) as pool:
        futures = [pool.submit(worker) for _ in range(WORKERS)]
        return Counter(pk for future in futures for pk in future.result())


def queue(now: datetime) -> None:
    row = factory.promise(due=now + timedelta(days=9))
    for number in range(ROWS):
        factory.message(row, key=f"{row.pk}:1:{number}:0:1:email", not_before=now)


def test_each_message_is_claimed_by_exactly_one_worker() -> None:
    now = clock.now()
    queue(now)

    def work(_: Barrier) -> list[int]:
        taken: list[int] = []
        while claims := dispatch.claim_due(channel="email", now=now, limit=5):
            taken.extend(claim.message_id for claim in claims)
        return taken

    taken = together(work)
    assert len(taken) == ROWS
    assert set(taken.values()) == {1}


def test_without_the_lock_the_same_workers_take_messages_twice() -> None:
    """The twin: select, then update. If this one finds no duplicate, the test above proves nothing."""
    now = clock.now()
    queue(now)

    def work(barrier: Barrier) -> list[int]:
        due = list(Message.objects.filter(state="queued", not_before__lte=now).values_list("pk", flat=True)[:5])
        barrier.wait()
        Message.objects.filter(pk__in=due).update(
            state="sending", claim_token="00000000-0000-4000-8000-000000000000", lease_until=now + MINUTE
        )
        return due

    assert max(together(work).values()) > 1


def test_workers_that_send_at_once_send_and_settle_each_reminder_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now()
    queue(now)
    sent: list[str] = []

    class Session:
        def send(self, message: OutgoingMessage) -> Outcome:
            sent.append(message.key)
            return Outcome(Fate.SENT)

    monkeypatch.setattr(channels.get("email"), "session", lambda: nullcontext(Session()))
    monkeypatch.setattr(dispatch, "BATCH", 7)
    monkeypatch.setattr(dispatch.claim_due, "__kwdefaults__", {"limit": 7})

    def work(_: Barrier) -> list[int]:
        return [dispatch.run(channel="email", now=now, until=clock.real_now() + MINUTE)["sent"]]

    settled = sum(count * times for count, times in together(work).items())
    assert (settled, len(sent), len(set(sent))) == (ROWS, ROWS, ROWS)
    assert set(Message.objects.values_list("state", "attempts")) == {("sent", 1)}
    assert DeliveryAttempt.objects.filter(outcome="sent").count() == ROWS
    assert AuditEntry.objects.filter(action="message.sent").count() == ROWS


def test_engines_that_run_at_once_take_each_rung_once() -> None:
    now = clock.now()
    make.user(Role.DIRECTOR)
    rows = [factory.promise(due=now - timedelta(days=2), rung=2) for _ in range(12)]
    FollowUp.objects.filter(pk__in=[row.pk for row in rows]).update(next_action_at=now)

    def work(_: Barrier) -> list[int]:
        report = engine.run_pass(now)
        return [report.rungs]

    rungs = sum(count * times for count, times in together(work).items())
    assert rungs == 24  # the move and the digest of each
    assert FollowUpNote.objects.filter(action="escalated").count() == 12
    assert Message.objects.filter(kind="digest").count() == 1
