"""Messages to patients: who gets one, when none leaves, and what becomes of one that does not arrive."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail

from clinic import clock
from clinic.actor import Actor
from clinic.models import AuditEntry
from clinic.roles import Role
from followups import dispatch, engine
from followups.channels.base import Outcome, OutgoingMessage
from followups.domain import gsm7
from followups.domain.backoff import Fate
from followups.domain.kinds import Kind
from followups.models import FollowUp, FollowUpNote, Message, PatientLink
from followups.services import contacts, messages, patient_words
from procedures import events
from procedures.models import Patient, Procedure
from procedures.services import consents, moves, patients
from tests import make
from tests.factories import outreach as factory

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
NEEDLE = datetime(2026, 11, 16, 15, tzinfo=UTC)  # a Monday, ten in the morning in New York
ACTOR = Actor.system("tests")


class Scripted:
    """A session that answers what it was told, and remembers what it was given."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = list(outcomes)
        self.given: list[OutgoingMessage] = []

    def send(self, message: OutgoingMessage) -> Outcome:
        self.given.append(message)
        return self.outcomes.pop(0) if self.outcomes else Outcome(Fate.SENT, "scripted")


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.SMS_FILE_PATH = tmp_path / "sms"
    return tmp_path / "sms"


@pytest.fixture
def people() -> None:
    for role in Role:
        make.user(role)


def done(patient: Patient, **extra: Any) -> Procedure:
    """A lumbar puncture of Monday morning, its plan made."""
    row = make.procedure("lumbar_puncture", status="completed", starts=NEEDLE, patient=patient, **extra)
    events.changed(row)
    return row


def texts(folder: Path) -> list[dict[str, str]]:
    return [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))] if folder.exists() else []


def to_patient() -> list[Message]:
    return list(Message.objects.filter(patient__isnull=False).order_by("pk"))


def one(message: Message, now: datetime, *outcomes: Outcome) -> str:
    (claim,) = dispatch.claim_due(channel=message.channel, now=now)
    state = dispatch.deliver(claim, session=Scripted(*outcomes), now=now)
    message.refresh_from_db()
    return state


def queued(*channels: str, now: datetime = NEEDLE + 24 * HOUR, **extra: Any) -> Message:
    """The first message about the first symptom check, not sent yet."""
    done(factory.patient(*(channels or ("sms",)), **extra))
    engine.run_pass(now, hand_over=lambda name: None)
    (message,) = to_patient()
    return message


# --- the rungs ----------------------------------------------------------------------------------


def test_asked_by_text_then_by_mail_with_one_link_and_never_twice(people: None, folder: Path) -> None:
    case = done(factory.patient("sms", "email", reach_by="text", language="Spanish"))
    for hours in (24, 24, 26):
        engine.run_pass(NEEDLE + hours * HOUR)
    (text,) = texts(folder)
    (first,) = to_patient()
    link = PatientLink.objects.get()
    assert (first.channel, first.language, first.state, first.link) == ("sms", "es", "sent", link)
    assert text["to"] == factory.NUMBER
    assert f"/p/{link.code}." in text["body"]
    assert (link.procedure, link.purpose, link.about) == (case, "symptoms", "day_1")
    engine.run_pass(NEEDLE + 28 * HOUR)
    (_, second) = to_patient()
    assert (second.channel, second.state, second.link) == ("patient_email", "sent", link)
    (letter,) = [m for m in mail.outbox if m.to == [factory.EMAIL]]
    assert "911" in letter.body and "/p/" in letter.body


def test_a_second_try_by_the_only_way_there_is(people: None, folder: Path) -> None:
    done(factory.patient("sms"))
    for hours in (24, 28):
        engine.run_pass(NEEDLE + hours * HOUR)
    assert [m.channel for m in to_patient()] == ["sms", "sms"]


@pytest.mark.parametrize(
    ("channels", "extra", "why"),
    [
        ((), {}, "agreed to no message"),
        (("sms",), {"encounter_class": "inpatient"}, "an inpatient"),
        (("sms",), {"reach_by": "caregiver"}, "through somebody else"),
    ],
)
def test_who_may_not_be_written_to_is_called_and_the_promise_says_so(
    people: None, folder: Path, channels: tuple[str, ...], extra: dict[str, Any], why: str
) -> None:
    case = done(factory.patient(*channels, **extra))
    engine.run_pass(NEEDLE + 24 * HOUR)
    engine.run_pass(NEEDLE + 28 * HOUR)
    assert (to_patient(), texts(folder), PatientLink.objects.count()) == ([], [], 0)
    check = FollowUp.objects.get(procedure=case, key="symptoms:day_1")
    (note,) = FollowUpNote.objects.filter(follow_up=check)
    assert (note.action, why in note.text) == ("not_written", True)
    nurse = Message.objects.get(follow_up=check)
    assert (nurse.channel, nurse.recipient.roles) == ("email", ["nurse"])


def test_an_engine_that_was_away_does_not_send_what_is_of_no_use_any_more(people: None) -> None:
    done(factory.patient("sms"))
    engine.run_pass(NEEDLE + 45 * HOUR)
    assert to_patient() == []


def test_at_night_it_waits_for_the_morning_and_then_it_may_be_too_late(people: None) -> None:
    message = queued(now=NEEDLE + 35 * HOUR)  # nine in the evening
    assert message.not_before == datetime(2026, 11, 18, 13, tzinfo=UTC)  # eight in the morning
    assert message.useful_until is not None and message.useful_until < message.not_before
    assert one(message, message.not_before) == "expired"


def test_a_link_that_was_locked_gets_no_other_one(people: None) -> None:
    case = done(factory.patient("sms"))
    engine.run_pass(NEEDLE + 24 * HOUR)
    PatientLink.objects.update(locked_at=NEEDLE + 25 * HOUR)
    engine.run_pass(NEEDLE + 28 * HOUR)
    assert (len(to_patient()), PatientLink.objects.filter(procedure=case).count()) == (1, 1)


# --- what must not leave ------------------------------------------------------------------------


def test_a_death_stops_what_is_queued_in_the_same_moment(people: None) -> None:
    message = queued()
    patients.set_deceased(actor=ACTOR, patient=message.patient, at=clock.now())
    message.refresh_from_db()
    assert (message.state, message.outcome) == ("cancelled", "the patient has died")
    message.link.refresh_from_db()
    assert message.link.withdrawn_at is not None
    assert AuditEntry.objects.filter(action="message.cancelled", subject_id=message.pk).exists()


def test_a_death_that_is_recorded_between_claim_and_sending_stops_it_too(people: None) -> None:
    message = queued()
    now = NEEDLE + 25 * HOUR
    (claim,) = dispatch.claim_due(channel="sms", now=now)
    patients.set_deceased(actor=ACTOR, patient=message.patient, at=clock.now())
    session = Scripted()
    assert dispatch.deliver(claim, session=session, now=now) == "cancelled"
    assert session.given == []


def test_without_that_last_look_it_would_have_left(people: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the test above."""
    message = queued()
    now = NEEDLE + 25 * HOUR
    (claim,) = dispatch.claim_due(channel="sms", now=now)
    patients.set_deceased(actor=ACTOR, patient=message.patient, at=clock.now())
    monkeypatch.setattr(dispatch, "why_not", lambda *_: None)
    session = Scripted()
    dispatch.deliver(claim, session=session, now=now)
    assert len(session.given) == 1


def admitted(patient: Patient) -> None:
    patients.set_encounter_class(actor=ACTOR, patient=patient, encounter_class="inpatient")  # type: ignore[arg-type]


def withdrawn(patient: Patient) -> None:
    consents.record(actor=ACTOR, patient=patient, channel="sms", given=False)


def moved(patient: Patient) -> None:
    patients.update(actor=ACTOR, patient=patient, changes={"phone": "+12025550199"})


@pytest.mark.parametrize("change", [admitted, withdrawn, moved])
def test_what_is_not_allowed_any_more_does_not_leave(people: None, change: Any) -> None:
    message = queued()
    change(message.patient)
    message.refresh_from_db()
    assert message.state == "cancelled"


def test_a_stop_of_texts_leaves_what_goes_by_mail(people: None) -> None:
    message = queued("sms", "email", reach_by="email")
    withdrawn(message.patient)
    message.refresh_from_db()
    assert (message.channel, message.state) == ("patient_email", "queued")


def test_what_is_answered_is_not_asked_again(people: None) -> None:
    message = queued()
    PatientLink.objects.update(spent_at=NEEDLE + 25 * HOUR)
    assert one(message, NEEDLE + 25 * HOUR) == "cancelled"


def test_a_case_that_was_a_mistake_takes_its_links_and_messages_back(people: None) -> None:
    message = queued()
    physician = make.actor(Role.PHYSICIAN)
    moves.entered_in_error(actor=physician, procedure=message.follow_up.procedure, reason="Wrong patient")
    message.refresh_from_db()
    message.link.refresh_from_db()
    assert message.state == "cancelled"
    assert message.link.withdrawn_at is not None


# --- what does not arrive -----------------------------------------------------------------------

REFUSED = Outcome(Fate.REFUSED, "refused: 400 21211")
SILENT = Outcome(Fate.UNKNOWN, "no answer from the provider: TimeoutError")


@pytest.mark.parametrize(("outcome", "state"), [(REFUSED, "failed"), (SILENT, "unknown")])
def test_what_does_not_arrive_is_somebodys_call_until_a_try_is_written_down(
    people: None, outcome: Outcome, state: str
) -> None:
    message = queued()
    case = message.follow_up.procedure
    assert one(message, NEEDLE + 24 * HOUR, outcome) == state
    call = FollowUp.objects.get(procedure=case, kind=Kind.MESSAGE_UNDELIVERED)
    assert (call.is_open, call.role) == (True, "nurse")
    contacts.record(
        procedure=case, actor=make.actor(), purpose="other", channel="phone", outcome="no_answer", at=clock.now()
    )
    call.refresh_from_db()
    message.refresh_from_db()
    assert not call.is_open
    assert message.dealt_at is not None


def test_the_promise_of_the_staffs_own_mail_is_not_opened_for_a_patient(people: None) -> None:
    message = queued()
    one(message, NEEDLE + 24 * HOUR, REFUSED)
    engine.run_pass(NEEDLE + 25 * HOUR)
    assert not FollowUp.objects.filter(kind=Kind.DELIVERY_FAILED).exists()


def test_a_number_that_said_stop_to_the_provider_gets_no_text_any_more(people: None) -> None:
    message = queued()
    one(message, NEEDLE + 24 * HOUR, Outcome(Fate.REFUSED, "refused: 400 21610", opted_out=True))
    message.patient.refresh_from_db()
    assert message.patient.consent_sms is False
    assert message.patient.consents.latest("pk").how == "provider"


def test_a_provider_that_asks_to_wait_is_not_asked_sooner(people: None) -> None:
    message = queued()
    now = NEEDLE + 24 * HOUR
    assert one(message, now, Outcome(Fate.NOT_NOW, "wait", wait=2 * HOUR)) == "queued"
    assert message.not_before == now + 2 * HOUR


@pytest.fixture
def sent(people: None) -> Iterator[Message]:
    message = queued()
    one(message, NEEDLE + 24 * HOUR)
    yield message


def test_a_report_of_failure_makes_it_somebodys_call_and_said_twice_nothing_more(sent: Message) -> None:
    for _ in range(2):
        messages.reported(message=sent, report="undelivered 30003", delivered=False, failed=True)
    sent.refresh_from_db()
    assert (sent.state, sent.outcome) == ("failed", "not delivered: undelivered 30003")
    assert FollowUp.objects.get(kind=Kind.MESSAGE_UNDELIVERED).is_open
    assert AuditEntry.objects.filter(action="message.came_back").count() == 1


def test_a_report_of_arrival_is_kept(sent: Message) -> None:
    messages.reported(message=sent, report="delivered", delivered=True, failed=False)
    sent.refresh_from_db()
    assert sent.delivered_at is not None


def test_a_report_that_overtakes_our_own_note_is_not_lost(people: None) -> None:
    message = queued()
    (claim,) = dispatch.claim_due(channel="sms", now=NEEDLE + 24 * HOUR)
    messages.reported(message=message, report="failed 30005", delivered=False, failed=True)
    dispatch.deliver(claim, session=Scripted(), now=NEEDLE + 24 * HOUR)
    message.refresh_from_db()
    assert message.state == "failed"


# --- notices ------------------------------------------------------------------------------------


def booked(patient: Patient) -> Procedure:
    row = make.procedure(status="scheduled", starts=clock.now() + timedelta(days=20), patient=patient)
    events.changed(row)
    return row


def test_a_slot_brings_a_form_at_once_and_a_reminder_before_it(people: None, folder: Path) -> None:
    case = booked(factory.patient("sms"))
    notices = {row.about["notice"]: row for row in FollowUp.objects.filter(kind=Kind.WRITE_TO_PATIENT)}
    assert set(notices) == {"form", "appointment"}
    engine.run_pass(max(notices["appointment"].start_at, clock.now()))
    messages_sent = {m.follow_up_id: m for m in to_patient()}
    reminder = messages_sent[notices["appointment"].pk]
    assert (reminder.state, reminder.link) == ("sent", None)
    (text,) = [t for t in texts(folder) if "appointment" in t["body"]]
    assert patient_words.when(case, "en") in text["body"]
    notices["appointment"].refresh_from_db()
    assert notices["appointment"].closed_because == "kept"


@pytest.fixture
def came_back(people: None) -> Message:
    """A form before the visit that was sent, whose promise is kept, and of which the provider says that it failed."""
    case = booked(factory.patient("sms"))
    engine.run_pass(clock.now())
    (message,) = Message.objects.filter(follow_up__procedure=case, patient__isnull=False)
    engine.run_pass(message.not_before)  # quiet hours are over
    message = Message.objects.select_related("follow_up__procedure").get(pk=message.pk)
    assert message.follow_up is not None and message.follow_up.closed_because == "kept"
    messages.reported(message=message, report="undelivered 30005", delivered=False, failed=True)
    return message


def test_a_notice_that_comes_back_after_its_promise_was_kept_is_somebodys_call(came_back: Message) -> None:
    came_back.refresh_from_db()
    assert (came_back.state, came_back.dealt_at) == ("failed", None)
    assert FollowUp.objects.get(kind=Kind.MESSAGE_UNDELIVERED).is_open


def test_it_is_not_written_once_more_to_the_same_number(came_back: Message) -> None:
    for hours in (1, 2):
        engine.run_pass(came_back.not_before + hours * HOUR)
    assert Message.objects.filter(patient__isnull=False).count() == 1


def test_a_patient_who_arrives_need_not_be_called_about_the_form(came_back: Message) -> None:
    assert came_back.follow_up is not None and came_back.follow_up.procedure is not None
    Procedure.objects.filter(pk=came_back.follow_up.procedure.pk).update(status="arrived")
    events.changed(Procedure.objects.get(pk=came_back.follow_up.procedure.pk))
    assert not FollowUp.objects.get(kind=Kind.MESSAGE_UNDELIVERED).is_open


def test_who_has_agreed_to_nothing_is_promised_no_message(people: None) -> None:
    booked(factory.patient())
    assert not FollowUp.objects.filter(kind=Kind.WRITE_TO_PATIENT).exists()


# --- words --------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["message", "form", "appointment", "week"])
@pytest.mark.parametrize("language", ["en", "es"])
def test_a_text_is_one_text_but_for_its_address_and_says_911_stop_and_the_number(
    people: None, settings: Any, monkeypatch: pytest.MonkeyPatch, words: str, language: str
) -> None:
    settings.CLINIC_PHONE_24H = "(202) 555-0100"
    message = queued(language={"en": "English", "es": "Spanish"}[language])
    writes = patient_words.kinds.of(Kind.SYMPTOM_CHECK).writes
    assert writes is not None
    spec = patient_words.kinds.of(Kind.SYMPTOM_CHECK)
    other = type(spec)(**{**vars(spec), "writes": lambda about: type(writes(about))(words)})
    monkeypatch.setattr(patient_words.kinds, "of", lambda kind: other)
    body = patient_words.render(message).body
    link = patient_words.links.url(message.link) if message.link else ""
    assert gsm7.septets(body) is not None
    assert gsm7.parts(body.replace(link, "")) == 1
    assert all(word in body for word in ("911", "STOP" if language == "en" else "ALTO", "(202) 555-0100"))
    assert (link in body) == (words in {"message", "form"})


# --- pages --------------------------------------------------------------------------------------


def test_the_engines_page_names_the_case_and_no_patient_and_the_case_says_what_was_sent(
    people: None, client: Any
) -> None:
    message = queued(language="Spanish")
    case = message.follow_up.procedure
    one(message, NEEDLE + 24 * HOUR, REFUSED)

    def page(role: Role, path: str) -> str:
        client.force_login(make.user(role), backend="allauth.account.auth_backends.AuthenticationBackend")
        return str(client.get(path).content.decode())

    stopped = page(Role.ADMINISTRATOR, "/engine/")
    assert "a patient" in stopped and case.code in stopped
    assert case.patient.family_name not in stopped
    for path in (f"/cases/{case.code}/", f"/cases/{case.code}/tell/"):
        body = page(Role.NURSE, path)
        assert "text message, Español" in body and "refused: 400 21211" in body and "call instead" in body
