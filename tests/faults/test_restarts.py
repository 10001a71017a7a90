"""The broker and the database are restarted under a real Celery worker, which goes on by itself."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from datetime import datetime

import pytest
import redis
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, connections

from clinic import celery, embedded, nudge
from clinic.actor import Actor
from clinic.embedded_servers import Servers
from clinic.models import AuditEntry
from clinic.roles import Role
from followups.models import FollowUp, FollowUpNote
from followups.services import promises
from tests import make
from tests.factories import promises as factory
from tests.faults import celery_work, mail_server, outbox
from tests.faults.celery_work import MAILS, SECONDS, all_sent, send, time_passes, until
from tests.faults.conftest import Account
from tests.faults.mail_server import Post, Stop

pytestmark = [pytest.mark.broker, pytest.mark.django_db(transaction=True)]

TICK = "followups.tasks.tick"


@pytest.fixture(scope="module")
def office() -> Iterator[Post]:
    """One mail server for the module, whose address the worker knows."""
    with mail_server.running() as server:
        yield server


@pytest.fixture
def post(office: Post) -> Post:
    office.clear()
    return office


@pytest.fixture(scope="module")
def celery_worker(django_db_setup: None, bundled_servers: Servers, office: Post) -> Iterator[subprocess.Popen[str]]:
    """One worker for the module: whatever happens to the servers, nobody starts it again."""
    yield from celery_work.at_work(office)


def tick() -> None:
    nudge.nudge(TICK)


def waiting_nudges() -> int:
    with redis.Redis.from_url(embedded.client(settings.REDIS_URL)) as client:
        return sum(int(client.llen(name)) for name in celery.queue_names())  # type: ignore[arg-type]


def test_nudges_that_went_with_the_broker_are_made_good_by_the_next_look(
    celery_worker: subprocess.Popen[str], post: Post, bundled_servers: Servers, now: datetime, account: Account
) -> None:
    outbox.fill(20, now)
    os.killpg(celery_worker.pid, signal.SIGSTOP)
    try:
        for _ in range(10):
            nudge.nudge(celery.DELIVER, "email")
        assert waiting_nudges() >= 5
        bundled_servers.restart_broker(empty=True)
        assert (waiting_nudges(), post.accepted) == (0, [])
    finally:
        os.killpg(celery_worker.pid, signal.SIGCONT)
    until(all_sent, meanwhile=tick)
    assert account(post) == (20, 0, 0)


class Writer:
    """Somebody at a screen: writes one note after the other, and tries again when the page says that it failed."""

    def __init__(self, row: FollowUp, person: Actor) -> None:
        self.row, self.person = row, person
        self.committed: list[str] = []
        self.failed = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write)
        self._thread.start()

    def _write(self) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            try:
                promises.note(actor=self.person, follow_up=self.row, text=f"{self.person.user_id}/{number}")
            except (DatabaseError, InterfaceError):
                self.failed += 1
                connections.close_all()
                self._stop.wait(0.02)
            else:
                self.committed.append(f"{self.person.user_id}/{number}")
        connections.close_all()

    def end(self) -> None:
        self._stop.set()
        self._thread.join(SECONDS)


@pytest.fixture
def commits_are_on_the_disk(transactional_db: None) -> Iterator[None]:
    """As in production. The tests' own servers say *committed* a moment before it is so."""
    name = connection.settings_dict["NAME"]
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = on')
    connections.close_all()
    yield
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER DATABASE "{name}" RESET synchronous_commit')
    connections.close_all()


def test_a_database_that_is_restarted_twice_under_load_loses_nothing_that_was_committed(
    celery_worker: subprocess.Popen[str],
    post: Post,
    bundled_servers: Servers,
    commits_are_on_the_disk: None,
    now: datetime,
    account: Account,
) -> None:
    """Once as an operator does it and once as it crashes: a mail has been accepted and not settled, people write."""
    writers = [Writer(factory.promise(), Actor.person(make.user(Role.NURSE))) for _ in range(2)]
    for sign in (signal.SIGINT, signal.SIGQUIT):
        outbox.fill(MAILS, now)
        post.on_mail = stop = Stop(after=MAILS // 2)
        send()
        stop.wait()
        connections.close_all()
        bundled_servers.restart_database(sign)
        stop.go_on()
        time_passes(now)
        until(all_sent, meanwhile=send)
    for writer in writers:
        writer.end()

    messages, doubled, lost = account(post)
    assert (messages, lost) == (2 * MAILS, 0)
    assert 2 <= doubled <= 2 + MAILS // 2  # a crash may also forget what its last second settled
    assert all(writer.failed for writer in writers), "the restart hit nobody"
    committed = {text for writer in writers for text in writer.committed}
    stored = set(FollowUpNote.objects.values_list("text", flat=True))
    assert committed <= stored
    assert AuditEntry.objects.filter(action="promise.noted").count() == len(stored)  # and nothing by half
