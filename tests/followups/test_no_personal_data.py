"""Nothing personal leaves: every mail, every log line and every stored number of the engine is searched."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import pytest
from django.core import mail
from django.test import Client

from clinic import clock
from clinic.actor import Actor
from clinic.models import Heartbeat
from clinic.roles import Role
from followups import dispatch, engine, replay
from followups.domain import sms_signature
from followups.domain.kinds import Kind
from followups.models import DeliveryAttempt, FollowUp, Message
from followups.services import messages
from procedures import events
from procedures.models import Hold, Patient, Procedure
from procedures.services import consents
from tests import make
from tests.factories import promises as factory
from tests.factories.outreach import Provider, provider

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
PATIENT = {"given": "Wilhelmina", "family": "Quackenbush", "mrn": "M7734901"}
DRUG = "apixaban"


@pytest.fixture
def case(settings: Any) -> Procedure:
    """A lumbar puncture of somebody whose every detail can be searched for."""
    settings.DEMO = True
    for role in Role:
        make.user(role)
    born = date(1947, 3, 9)
    patient = make.patient(PATIENT["given"], PATIENT["family"], born, mrn=PATIENT["mrn"], phone="+12025550188")
    row = factory.case(
        code="lumbar_puncture",
        status="completed",
        starts=datetime(2026, 11, 2, 15, tzinfo=UTC),
        patient=patient,
        note="Prefers to be called Minnie",
        end_reason="Fainted in the corridor",
    )
    Hold.objects.create(procedure=row, ingredient=DRUG, decided_by=row.responsible, decided_at=clock.now())
    return row


def secrets(case: Procedure) -> list[str]:
    """Everything about this case that must not leave, as it would be written."""
    protocol = case.protocol_version.parsed
    patient = case.patient
    return [
        *PATIENT.values(),
        DRUG,
        "Minnie",
        "Fainted",
        str(patient.phone),
        "5550188",
        patient.birth_date.isoformat(),
        "1947",
        protocol.label,
        case.protocol_version.protocol.code,
        protocol.indication(case.indication).label,
        case.indication,
        *(test.label for test in protocol.tests),
        *(test.code for test in protocol.tests if "_" in test.code),
    ]


def found(secret_words: list[str], text: str) -> list[str]:
    lower = text.lower()
    return [word for word in secret_words if word.lower() in lower]


def everything_that_left() -> str:
    sent = [f"{m.subject}\n{m.body}\n{m.extra_headers}\n{m.from_email}" for m in mail.outbox]
    stored = [
        *Message.objects.values_list("key", "kind", "outcome"),
        *DeliveryAttempt.objects.values_list("detail", "outcome"),
        *Heartbeat.objects.values_list("name", "data"),
    ]
    return "\n".join([*sent, *(str(row) for row in stored)])


LEVELS = ("normal", "abnormal", "critical")


def everything_that_left_for_patients(provider: Provider) -> str:
    """Requests to the provider whole (path, headers, form decoded), letters, and what the outbox keeps."""
    asked = [f"{r['path']}\n{r['headers']}\n{unquote_plus(r['body'])}" for r in provider.requests]
    kept = Message.objects.values_list("key", "kind", "outcome", "report", "provider_id")
    return "\n".join([*asked, everything_that_left(), *(str(row) for row in kept)])


def promise_everything(case: Procedure, *, most: int = len(LEVELS)) -> None:
    """Every kind at every level, about every test of the protocol; ``most``: so many of the levels for each kind."""
    codes = sorted(test.code for test in case.protocol_version.parsed.tests)
    about = {"tests": codes, "test": codes[0], "check": "day_2", "hold": 1, "version": 1, "plan": "treat"}
    for number, kind in enumerate(Kind):
        for level in [LEVELS[(number + more) % len(LEVELS)] for more in range(most)]:
            factory.promise(kind, level=level, procedure=case, due=clock.now() + DAY, start_at=clock.now(), about=about)


@pytest.mark.parametrize("most", [1, pytest.param(len(LEVELS), marks=pytest.mark.proof)])
def test_no_message_and_no_log_line_names_patient_medicine_test_or_procedure(
    most: int, case: Procedure, caplog: pytest.LogCaptureFixture
) -> None:
    promise_everything(case, most=most)
    with caplog.at_level(logging.DEBUG):
        replay.move_to(actor=Actor.system("tests"), to=clock.now() + 4 * DAY)
    kinds = set(Message.objects.filter(state="sent").values_list("kind", flat=True))
    assert kinds == {*(str(kind) for kind in Kind), messages.DIGEST}
    assert found(secrets(case), everything_that_left()) == []
    assert found(secrets(case), caplog.text) == []


def test_what_goes_wrong_is_logged_without_them_too(
    case: Procedure, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    promise_everything(case, most=1)  # nothing is worded: all that its level changes is when

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("no such template")

    monkeypatch.setattr(messages, "render_to_string", broken)
    messages._body.cache_clear()  # words that another test has had made
    with caplog.at_level(logging.DEBUG):
        replay.move_to(actor=Actor.system("tests"), to=clock.now() + timedelta(hours=6))
        Message.objects.filter(state="queued").update(not_before=clock.now())
        dispatch.claim_due(channel="email", now=clock.now())
        Message.objects.filter(state="sending").update(lease_until=clock.real_now() - DAY)
        dispatch.reap(now=clock.now())
    assert Message.objects.filter(state="failed").exists()
    assert "cannot be worded" in caplog.text
    assert found(secrets(case), everything_that_left() + caplog.text) == []


def test_the_link_names_the_case_by_its_code_alone(case: Procedure) -> None:
    row = factory.promise(Kind.REVIEW_RESULT, procedure=case)
    body = messages.render(factory.message(row)).body
    (link,) = [line for line in body.splitlines() if line.startswith("http")]
    assert case.code in link
    assert str(case.patient_id) not in link.removeprefix("http://127.0.0.1:8000").replace(case.code, "")


def test_this_search_would_find_them(case: Procedure) -> None:
    """The control: what it looks for is there to be found."""
    row = FollowUp(kind=Kind.TELL_PATIENT, procedure=case)
    text = f"{row.procedure.patient.name} {PATIENT['mrn']} {DRUG}"
    assert set(found(secrets(case), text)) == {*PATIENT.values(), DRUG}


# --- what leaves for patients -------------------------------------------------------------------

NUMBER, ADDRESS = "+12025550188", "minnie.q@example.test"


@pytest.fixture
def story(case: Procedure, settings: Any) -> Iterator[tuple[Procedure, Provider]]:
    """The patient has agreed to both ways; texts go to a provider on this computer."""
    settings.DEMO = False
    patient = case.patient
    patient.email = ADDRESS
    patient.save(update_fields=["email"])
    for channel in ("sms", "email"):
        consents.record(actor=Actor.system("tests"), patient=patient, channel=channel, given=True, warned=True)
    with provider(*[(503, {}, {})]) as stand_in:
        settings.SMS_GATEWAY, settings.SMS_URL = "http", stand_in.url
        settings.SMS_ACCOUNT, settings.SMS_TOKEN, settings.SMS_FROM = "AC1", "t0ken", "+12025550100"
        yield case, stand_in


@pytest.mark.parametrize("language", ["English", "Spanish"])
def test_nothing_that_leaves_for_a_patient_says_who_what_or_why(
    story: tuple[Procedure, Provider], client: Client, caplog: pytest.LogCaptureFixture, language: str
) -> None:
    case, stand_in = story
    patient = case.patient
    tasks: list[Any] = []
    Patient.objects.filter(pk=patient.pk).update(language=language)
    start = case.started_at
    assert start is not None
    with caplog.at_level(logging.DEBUG):
        events.changed(case)
        for hours in (24, 24.1, 28, 48, 52):
            now = start + timedelta(hours=hours)
            engine.run_pass(now)
            engine.run_pass(now, hand_over=tasks.append)
        later = make.procedure(status="scheduled", starts=clock.now() + timedelta(days=20), patient=patient)
        events.changed(later)
        for notice in FollowUp.objects.filter(kind=Kind.WRITE_TO_PATIENT):
            engine.run_pass(max(notice.start_at, clock.now()))
        answers = [_inbound(client, word) for word in ("Wilhelmina here, I am bleeding", "hello", "help", "STOP")]
    sent = Message.objects.filter(patient=patient, state="sent")
    assert set(sent.values_list("channel", flat=True)) == {"sms", "patient_email"}
    assert set(sent.values_list("language", flat=True)) == {"es" if language == "Spanish" else "en"}
    assert {m.kind for m in sent} == {"symptom_check", "write_to_patient"}
    text = everything_that_left_for_patients(stand_in) + "\n".join(answers) + str(tasks)
    # the number is the address of a text, and stands nowhere else
    assert stand_in.form(0)["To"] == NUMBER
    assert found(secrets(case), text.replace(f"To={NUMBER}", "")) == []
    assert ADDRESS not in caplog.text + text.replace(f"To={NUMBER}", "")
    assert found(secrets(case), caplog.text) == []


def _inbound(client: Client, body: str) -> str:
    fields = {"MessageSid": f"SM{body}"[:34], "From": NUMBER, "Body": body}
    signature = sms_signature.sign(token="t0ken", url="http://127.0.0.1:8000/sms/inbound/", fields=fields)
    answer = client.post("/sms/inbound/", fields, headers={"X-Twilio-Signature": signature})
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_file_of_a_text_holds_no_more_than_the_text(case: Procedure, settings: Any, tmp_path: Path) -> None:
    settings.SMS_FILE_PATH = tmp_path / "sms"
    consents.record(actor=Actor.system("tests"), patient=case.patient, channel="sms", given=True, warned=True)
    events.changed(case)
    assert case.started_at is not None
    engine.run_pass(case.started_at + timedelta(hours=24))
    (file,) = (tmp_path / "sms").glob("*.json")
    content = file.name + file.read_text("utf-8").replace(f'"to": "{NUMBER}"', "")
    assert "/p/" in content
    assert found(secrets(case), content) == []
