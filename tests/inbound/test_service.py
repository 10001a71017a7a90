"""What the listener says of itself, and how what it stored comes to be read when a nudge is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from clinic import clock
from clinic.models import Heartbeat
from clinic.roles import Role
from followups import engine
from followups.selectors import engine as engine_selector
from followups.selectors import metrics
from procedures import tasks
from procedures.interfaces.hl7 import processing, service, waiting
from procedures.interfaces.hl7.listener import Counts
from procedures.models import InboundMessage
from procedures.services import inbound_store
from procedures.services.inbound_store import Arrival
from tests import make

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> int:
    def process(pk: int) -> None:
        InboundMessage.objects.filter(pk=pk).update(state="done")

    monkeypatch.setattr(processing, "process", process)
    return inbound_store.store(Arrival(raw=b"MSH|1", source="mllp"), now=clock.now()).pk


def state(pk: int) -> str:
    return InboundMessage.objects.get(pk=pk).state


# --- what is stored is read ----------------------------------------------------------------------
def test_a_pass_that_works_alone_reads_what_is_stored(stored: int) -> None:
    report = engine.run_pass(clock.now())
    assert report.inbound == {"read": 1}
    assert state(stored) == "done"


def test_a_pass_of_the_worker_has_it_read_by_another_process(stored: int, monkeypatch: pytest.MonkeyPatch) -> None:
    nudged: list[str] = []
    monkeypatch.setattr(engine, "nudge", nudged.append)
    engine.run_pass(clock.now(), hand_over=lambda name: None)
    assert nudged == [waiting.READ]
    assert state(stored) == "stored"
    tasks.read_inbound()
    assert state(stored) == "done"
    engine.run_pass(clock.now(), hand_over=lambda name: None)
    assert len(nudged) == 1  # nothing waits: nobody is asked


def test_reading_that_fails_as_a_whole_keeps_no_reminder_from_being_sent(
    stored: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> Any:
        raise RuntimeError

    monkeypatch.setattr(waiting, "read_waiting", fails)
    report = engine.run_pass(clock.now())
    assert report.set_aside == 1
    assert Heartbeat.objects.filter(name="engine").exists()


# --- what the listener says ------------------------------------------------------------------------
def test_the_last_message_is_remembered_over_a_restart() -> None:
    came = clock.real_now() - HOUR
    service.say(Counts(stored=1, last_message_at=came))
    service.say(Counts())
    assert engine_selector.state(clock.now()).last_message == came


def test_a_beat_that_met_a_broken_connection_lets_it_go(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[bool] = []

    def breaks(_: Counts) -> None:
        raise OperationalError

    monkeypatch.setattr(service, "say", breaks)
    monkeypatch.setattr(service.connection, "close", lambda: closed.append(True))
    with pytest.raises(OperationalError):
        service.beat(Counts())
    monkeypatch.undo()
    assert closed == [True]


def test_the_figures_are_in_the_metrics_by_reason(bundled_servers: None) -> None:
    counts = Counts(open=2, stored=5, again=1, acknowledged=6, last_message_at=clock.real_now() - HOUR)
    counts.refused["not_allowed"] += 3
    service.say(counts)
    found = metrics.values(clock.now())
    assert (found["clinic_inbound_connections"], found["clinic_inbound_stored"]) == (2, 5)
    assert (found["clinic_inbound_again"], found["clinic_inbound_acknowledged"]) == (1, 6)
    assert found["clinic_inbound_refused"] == {"not_allowed": 3}
    assert 3600 <= found["clinic_inbound_silent_seconds"] < 3700  # type: ignore[operator]


def test_a_listener_that_is_silent_is_an_alarm_and_on_the_engines_page(client: Client) -> None:
    service.say(Counts(stored=5))
    client.force_login(make.user(Role.DIRECTOR))
    page = client.get("/engine/").content.decode()
    assert "The connection runs" in page
    Heartbeat.objects.filter(name="inbound").update(at=clock.real_now() - HOUR)
    page = client.get("/engine/").content.decode()
    assert "The connection does not run." in page
    assert "inbound_down" in page
    assert "inbound_down" in engine.run_pass(clock.now()).alarms
