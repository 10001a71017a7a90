"""What the engine says of itself: on its page, in the metrics, to the doctor."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from clinic import clock, embedded
from clinic.models import Heartbeat
from clinic.roles import Role
from followups import engine
from followups.domain.kinds import Kind
from followups.domain.watch import ALARMS, Waiting
from followups.models import FollowUp, Message
from followups.selectors import loop, metrics, watch
from procedures.interfaces.hl7 import service
from procedures.interfaces.hl7.listener import Counts
from tests import make
from tests.factories import promises as factory

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
TOKEN = "a-token-of-more-than-24-letters"


@pytest.fixture
def now() -> datetime:
    return clock.now()


def test_the_readings_are_how_long_things_wait(now: datetime) -> None:
    quiet = factory.promise(due=now + timedelta(days=9))
    factory.promise(due=now - 30 * MINUTE)
    snoozed = factory.promise(due=now - timedelta(days=3))
    FollowUp.objects.filter(pk=snoozed.pk).update(snoozed_until=now + MINUTE)
    factory.promise(Kind.PLAN_FAILED, due=now + timedelta(days=9), level="critical", start_at=now + timedelta(days=9))
    factory.message(quiet, not_before=now - 5 * MINUTE)
    factory.message(quiet, key="1:1:1:0:1:email", not_before=now + 10 * MINUTE, attempts=3)  # after 1 + 5 + 15 minutes
    factory.message(quiet, key="1:1:2:0:1:email", not_before=now + MINUTE)
    factory.message(quiet, key="1:1:3:0:1:email", state="failed")
    factory.message(quiet, key="1:1:4:0:1:email", state="failed", dealt_at=now)
    factory.message(quiet, key="1:1:5:0:1:email", state="unknown")
    found = watch.readings(now)
    assert found.steps == Waiting(due=1, oldest=1800)
    quiet_ones = {"patient_email": Waiting(), "sms": Waiting()}
    assert found.channels == {"email": Waiting(due=1, oldest=11 * 60, retrying=1), **quiet_ones}
    assert (found.failed, found.unknown, found.plan_failed) == (1, 1, 1)


def test_a_pass_writes_what_it_saw_into_its_heartbeat(now: datetime) -> None:
    for role in set(Role) - {Role.DIRECTOR}:
        make.user(role)
    engine.run_pass(now, hand_over=lambda name: None)
    beat = Heartbeat.objects.get(name="engine")
    idle = {"due": 0, "oldest": 0, "retrying": 0}
    assert beat.data["watch"]["channels"] == {"email": idle, "patient_email": idle, "sms": idle}
    assert "director" in beat.data["empty_ends"]
    assert beat.data["alarms"] == ["empty_role"]


# --- metrics ------------------------------------------------------------------------------------


def figures(client: Client, **headers: str) -> dict[str, float]:
    response = client.get("/metrics", headers=headers)
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain")
    lines = [line for line in response.content.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


@pytest.mark.broker
def test_the_metrics_are_the_figures_of_the_pages(client: Client, now: datetime, bundled_servers: None) -> None:
    make.user(Role.DIRECTOR)
    engine.run_pass(now)
    service.say(Counts(refused=Counter(no_message=1), last_message_at=clock.real_now()))
    factory.message(state="failed", settled_at=now)
    factory.message(factory.promise(due=now - timedelta(days=1)), not_before=now - 20 * MINUTE)
    found = figures(client)
    assert 0 <= found["clinic_engine_age_seconds"] < 60
    assert found["clinic_messages_failed"] == found['clinic_alarm{name="dead_letters"}'] == 1
    assert found['clinic_alarm{name="engine_late"}'] == found['clinic_alarm{name="unknown_fate"}'] == 0
    assert found['clinic_messages_oldest_seconds{channel="email"}'] >= 1200
    assert found['clinic_promises{figure="overdue"}'] == loop.counts(clock.now())["overdue"] > 0
    assert found["clinic_broker_up"] == 1
    assert found["clinic_database_bytes"] > 1_000_000
    assert {name.partition("{")[0] for name in found} == set(metrics.FIGURES) - {"clinic_nightly_age_seconds"}
    assert {f'clinic_alarm{{name="{name}"}}' for name in ALARMS} <= set(found)


def test_a_scrape_is_few_queries_however_much_there_is_and_names_nobody(
    client: Client, now: datetime, django_assert_num_queries: Any, settings: Any, tmp_path: Any
) -> None:
    settings.REDIS_URL = embedded.broker("", tmp_path)  # a broker that is lost does not take the metrics with it
    rows = [factory.message(state="failed", settled_at=now) for _ in range(3)]
    with django_assert_num_queries(8):
        response = client.get("/metrics")
    text = response.content.decode()
    assert "clinic_broker_up 0.0" in text
    for row in rows:
        assert row.recipient.full_name not in text and row.recipient.email not in text
        assert row.follow_up.procedure.code not in text
    for row in rows:
        factory.message(row.follow_up, key=f"{row.pk}:1:9:0:1:email", state="unknown", settled_at=now)
    with django_assert_num_queries(8):
        client.get("/metrics")


def test_without_a_token_only_this_computer_reads_them(client: Client) -> None:
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="10.0.0.7").status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": "10.0.0.7"}).status_code == 404


def test_behind_a_proxy_the_visitors_address_counts(client: Client, settings: Any) -> None:
    settings.BEHIND_PROXY = True
    assert client.get("/metrics", headers={"X-Forwarded-For": "10.0.0.7"}).status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1, 10.0.0.7"}).status_code == 404


def test_with_a_token_whoever_sends_it_reads_them_and_nobody_else(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN
    assert client.get("/metrics").status_code == 404
    for wrong in (f"Bearer {TOKEN}x", TOKEN, f"Basic {TOKEN}", "Bearer ünlesbar"):
        assert client.get("/metrics", HTTP_AUTHORIZATION=wrong).status_code == 404
    right = client.get("/metrics", REMOTE_ADDR="10.0.0.7", HTTP_AUTHORIZATION=f"Bearer {TOKEN}")
    assert right.status_code == 200


# --- the engine's page and the doctor -----------------------------------------------------------


def test_the_engines_page_names_each_alarm_and_the_late_channel(client: Client, now: datetime) -> None:
    engine.run_pass(now)
    factory.message(not_before=now - 20 * MINUTE)
    client.force_login(make.user(Role.ADMINISTRATOR), backend="allauth.account.auth_backends.AuthenticationBackend")
    page = client.get("/engine/").content.decode()
    for name in ("backlog_late", "empty_role"):
        assert name in page
    assert "unknown_fate" not in page
    assert "20 min" in page


def test_the_doctor_names_empty_roles_and_what_waits(capsys: Any, now: datetime) -> None:
    factory.message(not_before=now - 20 * MINUTE)
    factory.message(state="failed", settled_at=now)
    with pytest.raises(SystemExit):
        call_command("doctor")
    said = capsys.readouterr().out
    assert "wrong  Nobody answers for the director. (followups.E020)" in said
    assert "[backlog_late] (followups.E021)" in said
    assert "look   Messages did not arrive." in said


def test_messages_that_people_are_at_work_on_do_not_make_an_installation_wrong(now: datetime, cast: Any) -> None:
    factory.message(state="failed", settled_at=now)
    Heartbeat.objects.create(name="engine", at=clock.real_now())
    call_command("doctor", stdout=None)
    assert Message.objects.filter(state="failed").count() == 1
