"""Two beats and two workers, as when both were started twice: every step is taken once, and every mail leaves once."""

from __future__ import annotations

import multiprocessing
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from multiprocessing.synchronize import Barrier
from typing import Any

import pytest

from clinic import clock
from followups import dispatch, engine, tasks
from followups.dispatch import Claim
from followups.models import FollowUp, FollowUpNote, Message
from tests.factories import promises as factory
from tests.faults import outbox
from tests.faults.conftest import Account
from tests.faults.mail_server import Post
from tests.workers import Child

pytestmark = pytest.mark.django_db(transaction=True)

PROMISES = 12
SECONDS = 20


def at_once(work: Callable[[Barrier], object]) -> None:
    """``work`` in two processes, which begin together."""
    barrier = multiprocessing.get_context("fork").Barrier(2)

    def begin() -> None:
        barrier.wait(SECONDS)
        work(barrier)

    for child in [Child(begin, once=True) for _ in range(2)]:
        child.wait()


def tick(_: Barrier) -> None:
    """What beat asks for, and what the pass then asks for."""
    tasks.tick()
    tasks.deliver("email")


def test_two_beats_take_each_step_once_and_send_each_mail_once(post: Post, now: datetime, account: Account) -> None:
    rows = [factory.promise(due=now) for _ in range(PROMISES)]
    at_once(tick)
    tasks.deliver("email")  # what one queued while the other had the turn
    assert account(post) == (PROMISES, 0, 0)
    assert set(Message.objects.values_list("follow_up", flat=True)) == {row.pk for row in rows}
    assert set(FollowUp.objects.filter(pk__in=[row.pk for row in rows]).values_list("rung", flat=True)) == {1}
    assert not FollowUpNote.objects.exists()  # nobody took a second step


def test_without_turn_lock_and_lease_two_workers_send_each_mail_twice(
    post: Post, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin. If this one doubles nothing, the two above were never at it together."""

    @contextmanager
    def for_all(_name: str) -> Iterator[bool]:
        yield True

    outbox.fill(PROMISES, now)
    monkeypatch.setattr(engine, "turn", for_all)
    monkeypatch.setattr(dispatch, "_look_again", lambda claim, message: message)

    def unguarded(barrier: Barrier) -> None:
        def claim_due(*, channel: str, now: datetime, **_: Any) -> list[Claim]:
            due = list(Message.objects.filter(channel=channel, state="queued").values_list("pk", flat=True))
            barrier.wait(SECONDS)
            token = uuid.uuid4()
            lease = {"claim_token": token, "lease_until": clock.real_now() + dispatch.LEASE}
            Message.objects.filter(pk__in=due).update(state="sending", **lease)
            return [Claim(pk, token) for pk in due]

        monkeypatch.setattr(dispatch, "claim_due", claim_due)
        tasks.deliver("email")

    at_once(unguarded)
    assert set(post.copies().values()) == {2}
