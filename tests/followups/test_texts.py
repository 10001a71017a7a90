"""Texts that come in, and reports about those we sent: signed, stored, carried out or read by a person."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.test import Client

from clinic import clock
from clinic.errors import Conflict, Invalid, NotPermitted
from clinic.models import AuditEntry
from clinic.roles import Role
from followups import engine, reconcile
from followups.domain import gsm7, sms_signature
from followups.domain.kinds import Kind
from followups.models import FollowUp, Message, TextMessage
from followups.services import slow_down
from followups.services import texts as service
from procedures.models import Procedure
from tests import make
from tests.factories import outreach as factory
from tests.factories import promises

pytestmark = pytest.mark.django_db

TOKEN = "a-long-token"


@pytest.fixture(autouse=True)
def provider(settings: Any) -> None:
    settings.SMS_TOKEN = TOKEN
    settings.CLINIC_PHONE_24H = "(202) 555-0100"


def post(client: Client, path: str, fields: dict[str, str], *, token: str = TOKEN, **extra: Any) -> Any:
    signature = sms_signature.sign(token=token, url=f"http://127.0.0.1:8000{path}", fields=fields)
    return client.post(path, fields, headers={"X-Twilio-Signature": signature}, **extra)


def text(client: Client, body: str, *, sid: str = "SM1", number: str = factory.NUMBER, **extra: Any) -> Any:
    return post(client, "/sms/inbound/", {"MessageSid": sid, "From": number, "Body": body}, **extra)


@pytest.fixture
def case() -> Procedure:
    for role in Role:
        make.user(role)
    return promises.case(patient=factory.patient("sms", language="Spanish"), status="completed", starts=clock.now())


# --- who may speak ------------------------------------------------------------------------------


def test_what_is_not_signed_is_refused_and_stores_nothing(client: Client, case: Procedure) -> None:
    assert text(client, "STOP", token="guessed").status_code == 403
    assert client.post("/sms/inbound/", {"Body": "STOP"}).status_code == 403
    assert client.get("/sms/inbound/").status_code == 405
    assert not TextMessage.objects.exists()


def test_it_needs_no_log_in_and_no_form_token() -> None:
    assert text(Client(enforce_csrf_checks=True), "hello").status_code == 200


def test_an_installation_without_a_provider_has_no_such_address(client: Client, settings: Any) -> None:
    settings.SMS_TOKEN = ""
    assert text(client, "STOP", token="").status_code == 404


def test_who_sends_what_is_not_signed_again_and_again_has_to_wait(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_down, "WRONG", 2)
    codes = [text(client, "x", token="guessed", REMOTE_ADDR="203.0.113.9").status_code for _ in range(3)]
    assert codes == [403, 403, 429]
    assert text(client, "x", REMOTE_ADDR="203.0.113.10").status_code == 200


def test_a_text_without_number_or_sender_is_a_wrong_request(client: Client) -> None:
    assert text(client, "x", sid="").status_code == 400


# --- commands -----------------------------------------------------------------------------------


def test_a_stop_counts_at_once_for_everybody_with_the_number(client: Client, case: Procedure) -> None:
    other = factory.patient("sms", given="Bea")
    answer = text(client, "Alto").content.decode()
    for patient in (case.patient, other):
        patient.refresh_from_db()
        assert patient.consent_sms is False
        assert patient.consents.latest("pk").how == "text"
    assert "no recibira mas mensajes" in answer
    assert not FollowUp.objects.filter(kind=Kind.READ_TEXT).exists()
    assert AuditEntry.objects.filter(action="consent.withdrawn").count() == 2


def test_a_start_sends_nothing_again_by_itself_but_asks_a_person(client: Client, case: Procedure) -> None:
    text(client, "STOP")
    text(client, "START", sid="SM2")
    case.patient.refresh_from_db()
    assert case.patient.consent_sms is False
    assert FollowUp.objects.get(kind=Kind.READ_TEXT).about["meaning"] == "start"


def test_help_answers_with_the_number_to_call(client: Client, case: Procedure) -> None:
    assert "(202) 555-0100" in text(client, "ayuda").content.decode()
    assert not FollowUp.objects.filter(kind=Kind.READ_TEXT).exists()


# --- words --------------------------------------------------------------------------------------


def test_words_are_promised_to_a_nurse_and_kept_as_they_came(client: Client, case: Procedure) -> None:
    words = "Thank you <b>& goodbye</b> " + "x" * 11_000
    answer = text(client, words)
    row = TextMessage.objects.get()
    promise = FollowUp.objects.get(kind=Kind.READ_TEXT)
    assert (row.body, row.patient, row.procedure) == (words[:10_000], case.patient, case)
    assert (promise.role, promise.level, promise.procedure) == ("nurse", "abnormal", case)
    assert "goodbye" not in answer.content.decode()


def test_what_sounds_like_an_emergency_is_answered_with_911_and_asks_at_once(client: Client, case: Procedure) -> None:
    answer = text(client, "no puedo mover la pierna").content.decode()
    assert "llame al 911 ahora" in answer
    promise = FollowUp.objects.get(kind=Kind.READ_TEXT)
    assert promise.level == "critical"
    engine.run_pass(clock.now())
    roles = {message.recipient.roles[0] for message in Message.objects.filter(follow_up=promise)}
    assert roles == {"nurse", "physician"}


def test_the_same_text_given_twice_is_one_and_answered_once(client: Client, case: Procedure) -> None:
    assert "<Message>" in text(client, "hello").content.decode()
    assert "<Message>" not in text(client, "hello").content.decode()
    assert TextMessage.objects.count() == 1


@pytest.mark.parametrize("shared", [True, False])
def test_a_number_that_is_nobodys_or_several_patients_is_read_without_a_name(
    client: Client, case: Procedure, shared: bool
) -> None:
    if shared:
        factory.patient("sms", given="Bea")
    text(client, "hello", number=factory.NUMBER if shared else "+12025550999")
    row, promise = TextMessage.objects.get(), FollowUp.objects.get(kind=Kind.READ_TEXT)
    assert (row.patient, row.procedure, promise.procedure, promise.about["known"]) == (None, None, None, False)


def test_two_machines_do_not_talk_for_ever_but_an_emergency_is_always_answered(client: Client, case: Procedure) -> None:
    answers = ["<Message>" in text(client, "hello", sid=f"SM{n}").content.decode() for n in range(12)]
    assert answers == [True] * service.ANSWERS + [False] * 2
    assert "911" in text(client, "bleeding", sid="SM99").content.decode()


def test_words_survive_a_plan_that_fails_and_the_next_pass_makes_it(
    client: Client, case: Procedure, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(reconcile.planner, "plan", lambda *_: 1 / 0)
        assert text(client, "hello").status_code == 200
    assert not FollowUp.objects.filter(kind=Kind.READ_TEXT).exists()
    engine.run_pass(clock.now())
    assert FollowUp.objects.get(kind=Kind.READ_TEXT).is_open


def test_a_person_reads_it_says_what_was_done_and_is_the_only_one(client: Client, case: Procedure) -> None:
    text(client, "hello")
    row = TextMessage.objects.get()
    with pytest.raises(Invalid):
        service.read(actor=make.actor(), text=row, done=" ")
    with pytest.raises(NotPermitted):
        service.read(actor=make.actor(Role.DIRECTOR), text=row, done="Called")
    service.read(actor=make.actor(), text=row, done="Called back")
    assert FollowUp.objects.get(kind=Kind.READ_TEXT).closed_because == "kept"
    with pytest.raises(Conflict):
        service.read(actor=make.actor(), text=row, done="Called as well")


def test_no_log_line_says_who_wrote_or_what(client: Client, case: Procedure, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        text(client, "I feel faint, says Wilhelmina")
        text(client, "nobody knows me", token="guessed")
    assert "text" in caplog.text
    assert not any(word in caplog.text for word in (factory.NUMBER, "5550177", "Wilhelmina", "faint"))


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("meaning", ["stop", "start", "help", "emergency", "words"])
def test_each_answer_is_one_text_with_911(settings: Any, language: str, meaning: str) -> None:
    row = TextMessage(meaning=meaning, body="alto" if language == "es" else "x", number="+12025550999")
    answer = service._answer(row, [], clock.now())
    assert gsm7.parts(answer) == 1 and gsm7.septets(answer)
    assert "911" in answer and "(202) 555-0100" in answer


# --- reports ------------------------------------------------------------------------------------


def test_a_report_finds_its_message_by_our_key(client: Client, case: Procedure) -> None:
    promise = promises.promise(Kind.SYMPTOM_CHECK, procedure=case)
    message = promises.message(
        promise, recipient=None, patient=case.patient, channel="sms", key="1:1:0:0:p:sms", state="sent"
    )
    path = "/sms/report/?key=1%3A1%3A0%3A0%3Ap%3Asms"
    assert post(client, path, {"MessageStatus": "sent"}).status_code == 204
    assert post(client, path, {"MessageStatus": "undelivered", "ErrorCode": "30003"}).status_code == 204
    message.refresh_from_db()
    assert (message.state, message.report) == ("failed", "undelivered 30003")
    assert post(client, path, {"MessageStatus": "delivered"}, token="guessed").status_code == 403
    assert post(client, "/sms/report/?key=9", {"MessageStatus": "failed"}).status_code == 204
