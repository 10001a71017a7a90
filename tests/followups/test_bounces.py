"""Mails that come back after the server took them: by a delivery report, or by a person."""

from __future__ import annotations

import io
import logging
from datetime import datetime
from typing import Any

import pytest
from django.core.management import call_command

from clinic import clock
from clinic.errors import Conflict, NotPermitted
from clinic.models import AuditEntry
from clinic.roles import Role
from followups.channels.email import key_of, message_id
from followups.management.commands.record_bounce import EX_DATAERR, MOST_BYTES
from followups.models import Message
from followups.services import bounces, messages
from tests import make
from tests.factories import promises as factory
from tests.factories.delivery_reports import report

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent() -> Message:
    return factory.message(state="sent", settled_at=clock.now(), outcome="handed to the mail server")


def test_a_report_makes_a_sent_message_fail_and_says_so_without_an_address(
    sent: Message, caplog: pytest.LogCaptureFixture
) -> None:
    found = bounces.record(raw=report(message_id(sent.key)))
    sent.refresh_from_db()
    entry = AuditEntry.objects.get(action="message.came_back")
    assert found.became == "failed"
    assert (sent.state, sent.outcome) == ("failed", "came back undelivered: 5.1.1")
    assert (entry.subject_id, entry.actor_name, entry.via) == (sent.pk, "delivery report", "mail")
    assert entry.patient_id == sent.follow_up.procedure.patient_id
    assert f"message {sent.pk} came back" in caplog.text
    assert "pia@" not in caplog.text


def test_the_same_report_twice_changes_nothing_the_second_time(sent: Message) -> None:
    raw = report(message_id(sent.key))
    assert [bounces.record(raw=raw).became for _ in range(2)] == ["failed", "known"]
    assert AuditEntry.objects.filter(action="message.came_back").count() == 1


def test_a_report_of_a_message_that_goes_out_again_does_not_stop_it(sent: Message) -> None:
    Message.objects.filter(pk=sent.pk).update(state="failed")
    sent.refresh_from_db()
    messages.send_again(actor=make.actor(Role.DIRECTOR), message=sent)
    assert bounces.record(raw=report(message_id(sent.key))).became == "known"
    sent.refresh_from_db()
    assert sent.state == "queued"


def test_a_mail_that_is_only_late_has_not_failed(sent: Message) -> None:
    assert bounces.record(raw=report(message_id(sent.key), action="delayed", status="4.4.7")).became == "no_failure"
    sent.refresh_from_db()
    assert sent.state == "sent"


@pytest.mark.parametrize("foreign", ["<12.1.0.0.5.email@elsewhere.test>", "<999999.1.0.0.5.email@example.org>"])
def test_a_mail_that_is_not_ours_is_logged_without_its_address(
    sent: Message, foreign: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert bounces.record(raw=report(foreign)).became == "not_ours"
    assert "no such message" in caplog.text
    assert "@" not in caplog.text


@pytest.mark.parametrize("key", ["12:3:0:1:5:email", "digest:2026-11-20:5:email"])
def test_a_key_is_read_back_from_its_message_id(key: str) -> None:
    assert key_of(message_id(key)) == key


# --- the command --------------------------------------------------------------------------------


def pipe(raw: bytes, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str, int]:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw)))
    out, err, code = io.StringIO(), io.StringIO(), 0
    try:
        call_command("record_bounce", stdout=out, stderr=err)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return out.getvalue(), err.getvalue(), code


def test_a_mail_pipe_hears_what_became_of_the_report(sent: Message, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = report(message_id(sent.key))
    assert pipe(raw, monkeypatch) == (f"message {sent.pk} came back: it is on the engine's page\n", "", 0)
    assert "nothing changed" in pipe(raw, monkeypatch)[0]
    assert "not in the outbox" in pipe(report("<x@elsewhere.test>"), monkeypatch)[0]


@pytest.mark.parametrize(
    ("raw", "why"),
    [(b"Subject: away\n\nI am away.", "no part of the type"), (b"x" * (MOST_BYTES + 1), "more than")],
)
def test_a_mail_pipe_hears_what_could_not_be_read(raw: bytes, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    out, err, code = pipe(raw, monkeypatch)
    assert (out, code) == ("", EX_DATAERR)
    assert err.startswith("not read: ") and why in err


# --- by hand ------------------------------------------------------------------------------------


@pytest.fixture
def now() -> datetime:
    return clock.now()


def log_in(client: Any, role: Role) -> None:
    client.force_login(make.user(role), backend="allauth.account.auth_backends.AuthenticationBackend")


def test_an_administrator_says_that_a_mail_came_back_and_then_how_the_person_was_told(
    sent: Message, client: Any
) -> None:
    log_in(client, Role.ADMINISTRATOR)
    page = client.get("/engine/").content.decode()
    assert f'action="/engine/messages/{sent.pk}/came-back/"' in page
    assert client.post(f"/engine/messages/{sent.pk}/came-back/").status_code == 303
    page = client.get("/engine/").content.decode()
    assert "came back, says a person" in page
    assert f'href="/engine/messages/{sent.pk}/dealt-with/"' in page
    assert client.get(f"/engine/messages/{sent.pk}/dealt-with/").status_code == 200

    empty = client.post(f"/engine/messages/{sent.pk}/dealt-with/", {"reason": "  "})
    assert (empty.status_code, b"Say who was told, and how." in empty.content) == (422, True)
    told = client.post(f"/engine/messages/{sent.pk}/dealt-with/", {"reason": "told by phone at 14:10"})
    assert told.status_code == 303
    sent.refresh_from_db()
    entry = AuditEntry.objects.get(action="message.dealt_with")
    assert (sent.state, sent.dealt_at is not None, entry.reason) == ("failed", True, "told by phone at 14:10")
    assert f"/engine/messages/{sent.pk}/" not in client.get("/engine/").content.decode()


def test_what_somebody_has_dealt_with_is_neither_sent_again_nor_dealt_with_twice(client: Any) -> None:
    message = factory.message(state="unknown", settled_at=clock.now())
    director = make.actor(Role.DIRECTOR)
    messages.dealt_with(actor=director, message=message, reason="it has arrived, says Pia")
    for again in (
        lambda: messages.send_again(actor=director, message=message),
        lambda: messages.dealt_with(actor=director, message=message, reason="twice"),
    ):
        with pytest.raises(Conflict):
            again()
    log_in(client, Role.DIRECTOR)
    assert client.post(f"/engine/messages/{message.pk}/dealt-with/", {"reason": "late"}).status_code == 409


def test_two_people_who_decide_at_once_are_told_apart() -> None:
    first, second = (factory.message(state="failed") for _ in range(2))
    stale = Message.objects.get(pk=first.pk)
    director = make.actor(Role.DIRECTOR)
    messages.send_again(actor=director, message=first)
    with pytest.raises(Conflict):
        messages.dealt_with(actor=director, message=stale, reason="by phone")
    stale = Message.objects.get(pk=second.pk)
    messages.dealt_with(actor=director, message=second, reason="by phone")
    assert AuditEntry.objects.filter(action="message.dealt_with").count() == 1
    with pytest.raises(Conflict):
        messages.dealt_with(actor=director, message=stale, reason="by phone, too")


@pytest.mark.parametrize("state", ["queued", "failed"])
def test_only_what_was_sent_can_come_back(state: str) -> None:
    with pytest.raises(Conflict):
        messages.came_back(actor=make.actor(Role.DIRECTOR), message=factory.message(state=state), outcome="x")


def test_others_do_not_decide(sent: Message) -> None:
    nurse = make.actor(Role.NURSE)
    failed = factory.message(state="failed")
    with pytest.raises(NotPermitted):
        messages.came_back(actor=nurse, message=sent, outcome="x")
    with pytest.raises(NotPermitted):
        messages.dealt_with(actor=nurse, message=failed, reason="x")
