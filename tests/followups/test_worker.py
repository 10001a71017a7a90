"""A real Celery worker on the real broker does one tick."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.db import connection

from clinic import clock, embedded, health, nudge
from clinic.models import Heartbeat
from followups.models import Message
from tests.factories import promises as factory

pytestmark = [pytest.mark.broker, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parent.parent.parent
WATCHDOG_SECONDS = 60


@pytest.fixture
def worker(settings: Any, bundled_servers: None) -> Iterator[subprocess.Popen[str]]:
    """A worker process on the test's database and broker. It is killed should a test wait for it too long."""
    redis.Redis.from_url(embedded.client(settings.REDIS_URL)).delete(health.QUEUE)
    base = connection.settings_dict
    host, port = base["HOST"], base["PORT"]
    login = f"{base['USER']}:{base['PASSWORD']}" if base["PASSWORD"] else base["USER"]
    url = f"postgres://{login}@/{base['NAME']}?host={host}&port={port}"
    command = ["-m", "celery", "-A", "clinic", "worker", "--pool", "solo", "--loglevel", "INFO", "--without-gossip"]
    process = subprocess.Popen(
        ["timeout", str(WATCHDOG_SECONDS), sys.executable, *command, "--without-mingle"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "clinic.settings"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    yield process
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=WATCHDOG_SECONDS)


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """The worker's log up to and with the line that contains ``words``."""
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if words in line:
            return "".join(seen)
    raise AssertionError(f"{words!r} never came:\n{''.join(seen)}")


def test_a_nudged_worker_does_one_pass_and_sends(worker: subprocess.Popen[str]) -> None:
    row = factory.promise(due=clock.now())
    read_until(worker, "ready.")
    nudge.nudge("followups.tasks.tick")
    log = read_until(worker, "succeeded")
    assert "followups.tasks.tick" in log
    assert Heartbeat.objects.get(name="engine").data["rungs"] == 1
    assert Message.objects.get(follow_up=row).state == "sent"
