"""``kill -9`` of all processes of a real Celery worker while one of them sends. It starts others by itself."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from clinic import celery
from tests.faults import celery_work, outbox
from tests.faults.celery_work import MAILS, all_sent, send, time_passes, until
from tests.faults.conftest import Account
from tests.faults.mail_server import Post, Stop

pytestmark = [pytest.mark.broker, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def worker(bundled_servers: None, post: Post) -> Iterator[subprocess.Popen[str]]:
    yield from celery_work.at_work(post)


def pool(worker: subprocess.Popen[str]) -> list[int]:
    """The processes that do the worker's tasks."""
    (main,) = children_of(worker.pid)  # of ``timeout``
    return children_of(main)


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_worker_whose_processes_are_all_killed_while_one_sends_goes_on_by_itself(
    worker: subprocess.Popen[str], post: Post, now: datetime, account: Account
) -> None:
    outbox.fill(MAILS, now)
    post.on_mail = stop = Stop(after=MAILS // 2)
    send()
    stop.wait()
    killed = pool(worker)
    assert len(killed) > len(celery.channels())
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    stop.go_on()
    time_passes(now)
    until(all_sent, meanwhile=send)
    assert account(post) == (MAILS, 1, 0)
    assert not set(pool(worker)) & set(killed)
