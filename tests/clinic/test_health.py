from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from clinic import clock, embedded, health
from clinic.models import Heartbeat


def beat(seconds_ago: int) -> None:
    at = clock.real_now() - timedelta(seconds=seconds_ago)
    Heartbeat.objects.create(name=health.ENGINE, at=at, data={"open": 14})


def test_alive_asks_nobody(client: Client) -> None:
    # No database mark: a query would fail this test.
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.json() == {"alive": True}
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db
def test_ready_when_the_database_has_every_migration(client: Client) -> None:
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"ready": True, "problems": []})


@pytest.mark.django_db
def test_not_ready_while_a_migration_is_missing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db.migrations.recorder import MigrationRecorder

    MigrationRecorder.Migration.objects.filter(app="followups").delete()
    monkeypatch.setattr(health, "_complete", False)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert "migrations are not applied" in response.json()["problems"][0]


def test_not_ready_when_the_database_does_not_answer(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> Any:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(health.connection, "cursor", refuse)
    response = client.get("/readyz")
    assert (response.status_code, response.json()["problems"]) == (503, ["the database does not answer"])


@pytest.mark.django_db
@pytest.mark.broker
def test_the_engine_is_well_while_it_reports(client: Client, bundled_servers: None) -> None:
    beat(seconds_ago=20)
    response = client.get("/healthz/engine")
    state = response.json()
    assert (response.status_code, state["problems"]) == (200, [])
    assert 19 <= state["heartbeat_seconds"] <= 60
    assert state["last_pass"] == {"open": 14}
    assert isinstance(state["waiting_tasks"], int)


@pytest.mark.django_db
def test_the_engine_is_not_well_before_its_first_report(client: Client) -> None:
    response = client.get("/healthz/engine")
    assert response.status_code == 503
    assert response.json()["problems"] == ["the engine has never reported a completed pass"]


@pytest.mark.django_db
def test_a_late_engine_is_said_with_its_age(client: Client, settings: Any) -> None:
    settings.ENGINE_LATE_SECONDS = 120
    beat(seconds_ago=600)
    response = client.get("/healthz/engine")
    assert response.status_code == 503
    assert "last completed pass was 60" in response.json()["problems"][0]


@pytest.mark.django_db
def test_a_dead_broker_takes_the_engine_down_and_not_the_pages(client: Client, settings: Any, tmp_path: Path) -> None:
    settings.REDIS_URL = embedded.broker("", tmp_path)
    beat(seconds_ago=1)
    response = client.get("/healthz/engine")
    assert (response.status_code, response.json()["problems"]) == (503, ["the broker does not answer"])
    assert client.get("/readyz").status_code == 200
