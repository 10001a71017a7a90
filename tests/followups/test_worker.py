"""A real Celery worker on the real broker does one tick, and sends from the channel's own queue."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from clinic import celery, clock, nudge
from clinic.models import Heartbeat
from followups.models import Message
from tests.factories import promises as factory
from tests.workers import read_until, start_worker

pytestmark = [pytest.mark.broker, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def worker(settings: Any, bundled_servers: None) -> Iterator[subprocess.Popen[str]]:
    """A worker process on the test's database and broker. It is killed should a test wait for it too long."""
    yield from start_worker(settings)


@pytest.fixture
def hanging_gateway() -> Iterator[socket.socket]:
    """Takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listener:
        yield listener


@pytest.fixture
def worker_on_hanging_gateway(
    settings: Any, bundled_servers: None, hanging_gateway: socket.socket
) -> Iterator[subprocess.Popen[str]]:
    yield from start_worker(
        settings,
        EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=str(hanging_gateway.getsockname()[1]),
    )


def test_a_nudged_worker_does_one_pass_and_sends(worker: subprocess.Popen[str]) -> None:
    row = factory.promise(due=clock.now())
    read_until(worker, "ready.")
    nudge.nudge("followups.tasks.tick")
    log = read_until(worker, "followups.tasks.tick[")
    assert "received" in log
    log += read_until(worker, "followups.tasks.deliver[")
    while not Heartbeat.objects.filter(name="channel.email").exists():  # the other channels answer as well
        log += read_until(worker, "succeeded")
    assert Heartbeat.objects.get(name="engine").data["rungs"] == 1
    assert Heartbeat.objects.get(name="channel.email").data == {"sent": 1}
    assert Message.objects.get(follow_up=row).state == "sent"


def test_a_gateway_that_hangs_holds_one_process_and_the_passes_go_on(
    worker_on_hanging_gateway: subprocess.Popen[str], hanging_gateway: socket.socket
) -> None:
    worker = worker_on_hanging_gateway
    factory.message()
    read_until(worker, "ready.")
    nudge.nudge(celery.DELIVER, "email")
    line, _ = hanging_gateway.accept()  # a process is in the gateway, and stays there
    with line:
        for _ in range(4):  # more than there are processes
            nudge.nudge(celery.DELIVER, "email")
        nudge.nudge("followups.tasks.tick")
        done = read_until(worker, "tasks.tick[")  # received
        while "tasks.tick[" not in done.splitlines()[-1] or "succeeded" not in done.splitlines()[-1]:
            done = read_until(worker, "succeeded")
        assert Heartbeat.objects.filter(name="engine").exists()
        assert Message.objects.get(channel="email").state == "sending"
