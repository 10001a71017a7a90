from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.dispatch import Signal

from clinic import checks, clock, embedded, health
from clinic.models import Heartbeat

SMTP = "django.core.mail.backends.smtp.EmailBackend"
FILES = "django.core.mail.backends.filebased.EmailBackend"


def ids(found: list[Any]) -> set[str]:
    return {message.id for message in found}


@pytest.fixture
def production(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Settings of a complete production, so that each test breaks one thing."""
    settings.PRODUCTION = True
    settings.DEMO = False
    settings.SITE_URL = "https://clinic.example.org"
    settings.SECRET_KEY = "k" * checks.KEY_LENGTH
    settings.EMAIL_BACKEND = SMTP
    settings.SMS_GATEWAY = "off"
    monkeypatch.setitem(settings.DATABASES["default"], "HOST", "db.example.org")
    settings.REDIS_URL = "redis://broker.example.org/0"
    return settings


def test_a_complete_production_passes(production: Any) -> None:
    assert checks.production_is_complete() == []
    assert checks.demonstration_reaches_nobody() == []


def test_another_database_is_refused(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.database_is_postgresql() == []
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.sqlite3")
    assert ids(checks.database_is_postgresql()) == {"clinic.E001"}


def test_a_demonstration_must_not_send_mail(settings: Any) -> None:
    settings.DEMO, settings.EMAIL_BACKEND = True, SMTP
    assert ids(checks.demonstration_reaches_nobody()) == {"clinic.E002"}
    settings.EMAIL_BACKEND = FILES
    assert checks.demonstration_reaches_nobody() == []


def test_a_demonstration_is_never_production(production: Any) -> None:
    production.DEMO, production.EMAIL_BACKEND = True, FILES
    assert ids(checks.demonstration_reaches_nobody()) == {"clinic.E008"}


@pytest.mark.parametrize(
    ("name", "value", "number"),
    [
        ("SITE_URL", "http://clinic.example.org", "clinic.E003"),
        ("SECRET_KEY", "k" * (checks.KEY_LENGTH - 1), "clinic.E005"),
        ("EMAIL_BACKEND", FILES, "clinic.E009"),
        ("SMS_GATEWAY", "file", "clinic.E031"),
    ],
)
def test_one_gap_in_production_is_one_error(name: str, value: str, number: str, production: Any) -> None:
    setattr(production, name, value)
    assert ids(checks.production_is_complete()) == {number}


def test_production_does_not_run_on_the_bundled_servers(production: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bundled = str(embedded.socket_dir(production.VAR_DIR))
    monkeypatch.setitem(production.DATABASES["default"], "HOST", bundled)
    production.REDIS_URL = embedded.broker("", production.VAR_DIR)
    assert ids(checks.production_is_complete()) == {"clinic.E010", "clinic.E011"}


@pytest.mark.parametrize("name", ["CLINIC_PHONE_24H", "WARD_PHONE"])
def test_both_telephone_numbers_are_required(name: str, settings: Any) -> None:
    setattr(settings, name, " ")
    (found,) = checks.patients_can_call()
    assert (found.id, name in found.msg) == ("clinic.E004", True)


def test_a_task_may_not_outlast_the_brokers_patience(settings: Any) -> None:
    assert checks.broker_waits_longer_than_tasks() == []
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": settings.CELERY_TASK_TIME_LIMIT}
    assert ids(checks.broker_waits_longer_than_tasks()) == {"clinic.E006"}


def test_a_signal_without_its_receiver_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.facts_reach_the_planner() == []
    monkeypatch.setattr("procedures.events.facts_changed", Signal())
    assert ids(checks.facts_reach_the_planner()) == {"clinic.E007"}


def test_an_impatient_banner_is_warned_about(settings: Any) -> None:
    settings.ENGINE_TICK_SECONDS, settings.ENGINE_LATE_SECONDS = 60, 120
    assert ids(checks.banner_has_room()) == {"clinic.W001"}


@pytest.mark.django_db
@pytest.mark.broker
def test_the_doctor_finds_nothing_wrong_while_the_engine_reports(capsys: Any, cast: Any) -> None:
    Heartbeat.objects.create(name=health.ENGINE, at=clock.real_now())
    call_command("doctor")
    said = capsys.readouterr().out
    assert "ok     The database answers and has every migration." in said
    assert "ok     The broker answers and the engine keeps up." in said
    assert "wrong" not in said


@pytest.mark.django_db
def test_the_doctor_names_what_is_wrong_and_fails(capsys: Any, settings: Any) -> None:
    settings.WARD_PHONE = ""
    with pytest.raises(SystemExit) as ended:
        call_command("doctor")
    said = capsys.readouterr().out
    assert ended.value.code == 1
    assert "WARD_PHONE is not set. (clinic.E004)" in said
    assert "The engine has never reported a completed pass." in said
