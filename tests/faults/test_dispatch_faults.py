"""A worker that is killed, and mail servers that say no: against a real SMTP server and a real dead process."""

from __future__ import annotations

import os
import signal
from datetime import datetime, timedelta
from typing import Any, NoReturn

import pytest
from django.db import connections

from clinic import clock
from followups import dispatch, engine
from followups.models import DeliveryAttempt, Message
from tests.factories import promises as factory
from tests.faults import outbox
from tests.faults.mail_server import Post

pytestmark = pytest.mark.django_db(transaction=True)

MINUTE = timedelta(minutes=1)


def send(now: datetime) -> dict[str, int]:
    return dict(dispatch.run(channel="email", now=now, until=clock.real_now() + MINUTE))


def killed_worker(now: datetime, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    """Send in another process that is killed, as by ``kill -9``, when it comes to ``dispatch.<at>``."""

    def die(*_args: Any, **_kwargs: Any) -> NoReturn:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("still alive")

    connections.close_all()  # a child must not share a connection with us
    child = os.fork()
    if child == 0:
        try:
            monkeypatch.setattr(dispatch, at, die)
            send(now)
        finally:
            os._exit(1)
    _pid, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL


def test_a_worker_killed_between_send_and_settle_sends_again_under_the_same_key(
    post: Post, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = factory.message(not_before=now)
    killed_worker(now, monkeypatch, "settle")
    message.refresh_from_db()
    assert (message.state, len(post.accepted)) == ("sending", 1)
    assert send(now) == {}

    Message.objects.filter(pk=message.pk).update(lease_until=clock.real_now() - MINUTE)
    assert dispatch.reap(now=now) == 1
    assert send(now + 2 * MINUTE) == {"sent": 1}
    assert len(post.accepted) == 2
    assert len(set(post.message_ids())) == 1
    assert [a.outcome for a in DeliveryAttempt.objects.order_by("number")] == ["lost", "sent"]


def test_a_worker_killed_before_it_sends_loses_nothing_and_doubles_nothing(
    post: Post, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = [factory.message(not_before=now) for _ in range(3)]
    killed_worker(now, monkeypatch, "renew_lease")
    assert (Message.objects.filter(state="sending").count(), post.accepted) == (3, [])

    Message.objects.update(lease_until=clock.real_now() - MINUTE)
    report = engine.run_pass(now)
    assert report.reaped == 3
    assert send(now + 2 * MINUTE) == {"sent": 3}
    assert len(post.accepted) == len(messages)


def test_a_server_that_says_later_gets_it_later(post: Post, now: datetime) -> None:
    message = factory.message(not_before=now)
    post.answers = ["451 Try again later"]
    assert send(now) == {"queued": 1}
    message.refresh_from_db()
    assert (message.state, message.outcome) == ("queued", "not accepted for now: SMTPDataError 451")
    assert send(now) == {}
    assert send(message.not_before) == {"sent": 1}
    assert len(post.accepted) == 1


def test_a_server_that_refuses_makes_a_failure_that_people_see_and_the_ladder_goes_on(
    post: Post, now: datetime
) -> None:
    row = factory.promise(due=now)
    post.answers = ["550 No such user"]
    report = engine.run_pass(now)
    message = Message.objects.get()
    row.refresh_from_db()
    assert report.delivered == {"failed": 1}
    assert (message.state, message.outcome) == ("failed", "refused by the mail server: SMTPDataError 550")
    assert row.next_action_at == row.due_at + timedelta(days=1)
    assert engine.run_pass(row.next_action_at).delivered == {"sent": 1}


def test_one_refused_mail_does_not_stop_the_others_on_the_same_connection(post: Post, now: datetime) -> None:
    for _ in range(4):
        factory.message(not_before=now)
    post.answers = ["550 No"]
    assert send(now) == {"failed": 1, "sent": 3}


def test_a_server_that_is_away_keeps_everything_in_the_queue(post: Post, now: datetime, settings: Any) -> None:
    settings.EMAIL_PORT = 1
    for _ in range(3):
        factory.message(not_before=now)
    assert send(now) == {"queued": 3}
    assert set(Message.objects.values_list("outcome", flat=True)) == {
        "mail server cannot be reached: ConnectionRefusedError"
    }


def test_a_burst_leaves_over_one_connection(post: Post, now: datetime) -> None:
    outbox.fill(200, now)
    assert send(now) == {"sent": 200}
    assert (len(post.accepted), len(set(post.message_ids())), post.connections) == (200, 200, 1)


def test_a_server_that_says_later_for_an_hour_loses_nothing_and_gets_nothing_twice(post: Post, now: datetime) -> None:
    """A pass every five minutes of the clinic's time; the server is in trouble for the first sixty."""
    rows = [factory.promise(due=now) for _ in range(3)]
    tried = 0
    for minute in range(0, 130, 5):
        in_trouble = minute < 60
        post.answers = ["451 Try again later"] * 99 if in_trouble else []
        report = engine.run_pass(now + minute * MINUTE)
        tried += sum(report.delivered.values())
        if in_trouble:
            assert post.accepted == []
            assert Message.objects.filter(state="queued").count() == len(rows)
    assert len(post.accepted) == len(set(post.message_ids())) == len(rows)
    assert set(Message.objects.values_list("state", "attempts")) == {("sent", 5)}
    assert tried == 5 * len(rows)  # put off by 1, 5, 15 and 60 minutes: a server in trouble is not pressed
