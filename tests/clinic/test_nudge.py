from __future__ import annotations

import json
import logging
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
from django.db import transaction

from clinic import embedded, health, nudge

TASK = "followups.tasks.tick"


@pytest.fixture
def empty_queue(settings: Any, bundled_servers: None) -> redis.Redis:
    client = redis.Redis.from_url(embedded.client(settings.REDIS_URL))
    client.delete(health.QUEUE)
    return client


@contextmanager
def broker_url(settings: Any, url: str) -> Iterator[None]:
    """Celery keeps its own copy of the address."""
    before = nudge.celery_app.conf.broker_url
    nudge.celery_app.conf.broker_url = nudge.celery_app.conf.broker_write_url = url
    try:
        yield
    finally:
        nudge.celery_app.conf.broker_url = nudge.celery_app.conf.broker_write_url = before


@pytest.mark.broker
@pytest.mark.django_db
def test_a_nudge_leaves_with_the_commit_and_not_before(
    empty_queue: redis.Redis, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        nudge.nudge(TASK, 7)
        assert health.broker_backlog() == 0
    assert health.broker_backlog() == 1
    message = json.loads(empty_queue.lrange(health.QUEUE, 0, 0)[0])
    assert message["headers"]["task"] == TASK
    assert message["headers"]["argsrepr"] == "(7,)"
    assert message["headers"]["expires"]


@pytest.mark.broker
@pytest.mark.django_db
def test_a_rolled_back_change_nudges_nobody(empty_queue: redis.Redis, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True), pytest.raises(ZeroDivisionError), transaction.atomic():
        nudge.nudge(TASK)
        raise ZeroDivisionError
    assert health.broker_backlog() == 0


@pytest.mark.broker
@pytest.mark.django_db
@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "redis+socket:///nonexistent/broker.sock?virtual_host=0"])
def test_a_dead_broker_is_logged_and_raises_nothing(
    url: str, settings: Any, caplog: pytest.LogCaptureFixture, django_capture_on_commit_callbacks: Any
) -> None:
    with broker_url(settings, url), caplog.at_level(logging.ERROR), django_capture_on_commit_callbacks(execute=True):
        nudge.nudge(TASK)
    assert f"nudge not sent task={TASK}" in caplog.text


@pytest.mark.broker
@pytest.mark.django_db
def test_a_broker_that_never_answers_costs_a_second_or_two(
    settings: Any, caplog: pytest.LogCaptureFixture, django_capture_on_commit_callbacks: Any
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        began = time.monotonic()
        callbacks = django_capture_on_commit_callbacks(execute=True)
        with broker_url(settings, url), caplog.at_level(logging.ERROR), callbacks:
            nudge.nudge(TASK)
        assert time.monotonic() - began < 5
    assert "nudge not sent" in caplog.text
