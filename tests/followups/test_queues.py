"""A queue and a turn for each channel: what hangs holds one process, and everything else goes on."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections

from clinic import celery, clock, turns
from clinic.models import Heartbeat
from clinic.supervisor import WORKER
from followups import channels, dispatch, engine, tasks
from followups.models import Message
from tests.factories import promises as factory

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def now() -> datetime:
    return clock.now()


def test_each_channel_has_its_queue_and_everything_else_shares_one() -> None:
    assert celery.queue_names() == ["celery", *(f"channel.{name}" for name in sorted(channels.NAMES))]
    router = celery.app.amqp.router
    assert router.route({}, celery.DELIVER, ("email",))["queue"].name == "channel.email"
    for task in (tasks.tick, tasks.nightly):
        assert router.route({}, task.name, ())["queue"].name == "celery"
    assert tasks.deliver.name == celery.DELIVER


def test_a_worker_listens_to_every_queue_and_has_more_processes_than_channels_can_hold() -> None:
    assert set(celery.app.amqp.queues.consume_from) == set(celery.queue_names())
    assert celery.app.conf.worker_concurrency >= len(channels.NAMES) + 2
    compose = (ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8")
    for command in (" ".join(WORKER), compose, (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")):
        assert "--concurrency" not in command and " -Q" not in command.replace("`-Q`", "")


def test_the_tick_hands_each_channel_over_and_sends_nothing_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, ...]] = []
    monkeypatch.setattr(tasks, "nudge", lambda *args: told.append(args))
    factory.promise(due=clock.now())
    tasks.tick()
    assert told == [(celery.DELIVER, name) for name in sorted(channels.NAMES)]
    assert Message.objects.get().state == "queued"
    tasks.deliver("email")
    assert Message.objects.get().state == "sent"
    assert Heartbeat.objects.get(name="channel.email").data == {"sent": 1}


def test_a_pass_by_hand_does_everything_in_one_process(now: datetime) -> None:
    factory.promise(due=now)
    assert engine.run_pass(now).delivered == {"sent": 1}


def test_a_doubled_task_finds_nothing_left(now: datetime) -> None:
    factory.promise(due=now)
    engine.run_pass(now, hand_over=lambda name: None)
    assert [dict(engine.send_on("email", now)) for _ in range(2)] == [{"sent": 1}, {}]


def test_a_lost_broker_loses_no_message(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody hears of what was handed over; the next pass hands it over again."""
    factory.promise(due=now)
    for _ in range(3):
        engine.run_pass(now, hand_over=lambda name: None)
    assert Message.objects.get().state == "queued"
    assert engine.send_on("email", now) == {"sent": 1}


def test_a_turn_that_is_lost_with_its_connection_ends_quietly(caplog: pytest.LogCaptureFixture) -> None:
    turns._give_back("nobody had it")
    assert "Traceback" not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_while_one_process_sends_another_leaves_at_once_and_the_channel_is_free_after_its_death(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    factory.message(not_before=now)
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:  # a process that hangs in its gateway
            cursor.execute("SELECT pg_advisory_lock(%s, hashtext('email'))", [turns.LOCK])
        monkeypatch.setattr(dispatch, "claim_due", lambda **_: pytest.fail("claimed without a turn"))
        assert engine.send_on("email", now) == {"busy": 1}
        monkeypatch.undo()
        with connection.cursor() as cursor:  # killed
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [other.connection.info.backend_pid])
    finally:
        other.close()
    assert engine.send_on("email", now + timedelta(minutes=1)) == {"sent": 1}


def test_one_channel_that_is_down_does_not_keep_another_from_sending(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*, channel: str, **_: Any) -> Counter[str]:
        if channel == "email":
            raise ConnectionError
        return Counter(sent=7)

    for name in ("email", "sms"):
        factory.message(channel=name, not_before=now)
    monkeypatch.setattr(channels, "NAMES", frozenset({"email", "sms"}))
    monkeypatch.setattr(dispatch, "run", run)
    report = engine.run_pass(now)
    assert (report.set_aside, report.delivered) == (1, {"sent": 7})
