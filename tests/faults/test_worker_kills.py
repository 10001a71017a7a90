"""``kill -9`` of a process that sends mail, from outside and at every moment: nothing is lost, and what comes twice
comes under the same Message-ID, once for each kill at most.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction

from followups import dispatch, engine
from followups.channels.base import Session
from followups.dispatch import Claim, Verdict
from followups.domain.kinds import MessageState
from followups.models import DeliveryAttempt, Message
from tests.faults import outbox
from tests.faults.conftest import Account
from tests.faults.mail_server import Post, Stop
from tests.workers import Child

pytestmark = pytest.mark.django_db(transaction=True)

MAILS = 5
SECONDS = 20
#: What a reaper put off by minutes is due for a worker that looks so much later.
LATER = timedelta(days=1)


def send_all(now: datetime) -> None:
    engine.send_on("email", now)


def after_a_kill(now: datetime) -> None:
    outbox.lease_is_over(now)
    engine.send_on("email", now + LATER)


def test_a_worker_killed_before_it_sends_loses_nothing_and_doubles_nothing(
    post: Post, now: datetime, account: Account
) -> None:
    outbox.fill(MAILS, now)
    post.on_hello = moment = Stop()
    worker = Child(partial(send_all, now))
    moment.wait()
    worker.kill()
    moment.go_on()
    assert post.accepted == []
    after_a_kill(now)
    assert account(post) == (MAILS, 0, 0)


def test_a_worker_killed_after_the_server_accepted_sends_one_mail_again_under_the_same_id(
    post: Post, now: datetime, account: Account
) -> None:
    outbox.fill(MAILS, now)
    post.on_mail = moment = Stop()
    worker = Child(partial(send_all, now))
    moment.wait()
    worker.kill()
    moment.go_on()
    assert len(post.accepted) == 1
    after_a_kill(now)
    assert account(post) == (MAILS, 1, 0)
    assert DeliveryAttempt.objects.filter(outcome="lost").count() == MAILS


def test_a_worker_killed_while_it_settles_has_settled_wholly_or_not_at_all(
    post: Post, now: datetime, account: Account
) -> None:
    """It waits for a row that the test holds. What the database has got of it, it may still finish."""
    outbox.fill(MAILS, now)
    post.on_mail = moment = Stop()
    worker = Child(partial(send_all, now))
    moment.wait()
    with transaction.atomic():
        list(DeliveryAttempt.objects.select_for_update().values_list("pk"))
        moment.go_on()
        wait_until(somebody_waits_for_a_lock)
        worker.kill()
    after_a_kill(now)
    messages, doubled, lost = account(post)
    assert (messages, lost) == (MAILS, 0)
    assert doubled <= 1
    assert DeliveryAttempt.objects.filter(outcome="lost").count() == MAILS - 1 + doubled


def test_a_worker_that_settled_before_it_sends_would_lose_a_mail(
    post: Post, now: datetime, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin. At most once is lost now and then: if this one loses nothing, the kills above prove nothing."""

    def settle_first(claim: Claim, *, session: Session, **_: Any) -> str:
        message = Message.objects.select_related("recipient", "follow_up__procedure").get(pk=claim.message_id)
        state = dispatch.settle(claim, message=message, verdict=Verdict(MessageState.SENT, "", "sent"))
        dispatch._send(message, session)
        return state

    outbox.fill(MAILS, now)
    monkeypatch.setattr(dispatch, "deliver", settle_first)
    post.on_hello = moment = Stop()
    worker = Child(partial(send_all, now))
    moment.wait()
    worker.kill()
    moment.go_on()
    after_a_kill(now)
    copies = post.copies()
    assert (len(copies), Message.objects.exclude(state="sent").count()) == (MAILS - 1, 0)


def somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def wait_until(true: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(SECONDS * 200):
        if true():
            return
        pause.wait(0.005)
    raise AssertionError("it never came to that")


# --- at any moment --------------------------------------------------------------------------------


class Kills:
    """Says when to kill: after mails that chance names, and then within a few milliseconds."""

    def __init__(self, count: int, kills: int) -> None:
        self._chance = secrets.SystemRandom()
        self._moments = set(self._chance.sample(range(1, count), kills))
        self._seen = 0
        self._now = threading.Semaphore(0)

    def mail(self) -> None:
        self._seen += 1
        if self._seen in self._moments:
            self._now.release()

    def wait(self) -> None:
        assert self._now.acquire(timeout=SECONDS)
        threading.Event().wait(self._chance.uniform(0, 0.02))


def kills_among_mails(post: Post, now: datetime, account: Account, *, count: int, kills: int) -> None:
    """Two workers; whichever has the turn is among those killed. Another one takes its place at once."""
    outbox.fill(count, now)
    moments = Kills(count, kills)
    post.on_mail = moments.mail
    work = partial(engine.send_on, "email", now + LATER)
    workers = [Child(work), Child(work)]
    for _ in range(kills):
        moments.wait()
        for worker in workers:
            worker.kill()
        outbox.lease_is_over(now)
        workers = [Child(work), Child(work)]
    wait_until(lambda: not Message.objects.filter(state__in=["queued", "sending"]).exists())
    for worker in workers:
        worker.end()
    messages, doubled, lost = account(post)
    assert (messages, lost) == (count, 0)
    assert doubled <= kills


def test_three_kills_among_sixty_mails_lose_nothing_and_double_three_at_most(
    post: Post, now: datetime, account: Account
) -> None:
    kills_among_mails(post, now, account, count=60, kills=3)


@pytest.mark.proof
def test_fifty_kills_among_two_thousand_mails_lose_nothing_and_double_fifty_at_most(
    post: Post, now: datetime, account: Account
) -> None:
    kills_among_mails(post, now, account, count=2000, kills=50)
