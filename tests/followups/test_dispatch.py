"""Claim, look once more, send, settle; and what becomes of what cannot be sent."""

from __future__ import annotations

import dataclasses
import re
import smtplib
import uuid
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from clinic import clock
from clinic.actor import Actor
from clinic.errors import Conflict, NotPermitted
from clinic.models import AuditEntry, User
from clinic.roles import Role
from followups import channels, dispatch
from followups.channels.base import Outcome, OutgoingMessage
from followups.channels.email import EmailSession, message_id
from followups.domain import kinds, unknown_fate
from followups.domain.backoff import DELAYS, Fate
from followups.domain.kinds import Kind
from followups.models import DeliveryAttempt, FollowUp, Message
from followups.services import messages
from tests import make
from tests.factories import promises as factory

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture
def now() -> datetime:
    return clock.now()


class Scripted:
    """A session that answers what it was told, and remembers what it was given."""

    def __init__(self, *fates: Fate) -> None:
        self.fates = list(fates)
        self.given: list[OutgoingMessage] = []

    def send(self, message: OutgoingMessage) -> Outcome:
        self.given.append(message)
        return Outcome(self.fates.pop(0), "scripted")


def one_try(message: Message, now: datetime, fate: Fate = Fate.SENT) -> str:
    (claim,) = dispatch.claim_due(channel="email", now=now)
    state = dispatch.deliver(claim, session=Scripted(fate), now=now)
    message.refresh_from_db()
    return state


# --- claim --------------------------------------------------------------------------------------


def test_a_claim_is_a_lease_a_token_and_an_open_attempt(now: datetime) -> None:
    message = factory.message()
    (claim,) = dispatch.claim_due(channel="email", now=now + MINUTE)
    message.refresh_from_db()
    attempt = DeliveryAttempt.objects.get()
    assert (message.state, message.claim_token, message.attempts) == ("sending", claim.token, 1)
    assert message.lease_until > clock.real_now() + timedelta(seconds=60)
    assert (attempt.message, attempt.number, attempt.outcome, attempt.claim_token) == (message, 1, "open", claim.token)


def test_what_is_claimed_is_not_claimed_again(now: datetime) -> None:
    factory.message()
    assert len(dispatch.claim_due(channel="email", now=now + MINUTE)) == 1
    assert dispatch.claim_due(channel="email", now=now + MINUTE) == []


def test_nothing_is_claimed_before_its_time_or_for_another_channel(now: datetime) -> None:
    factory.message(not_before=now + MINUTE)
    assert dispatch.claim_due(channel="email", now=now) == []
    assert dispatch.claim_due(channel="pigeon", now=now + MINUTE) == []


def test_a_claim_takes_the_oldest_and_no_more_than_asked(now: datetime) -> None:
    late = factory.message(not_before=now)
    early = factory.message(not_before=now - MINUTE)
    claims = dispatch.claim_due(channel="email", now=now, limit=1)
    assert [claim.message_id for claim in claims] == [early.pk]
    assert late.pk != early.pk


# --- send and settle ----------------------------------------------------------------------------


def test_a_delivered_message_is_sent_once_and_audited(now: datetime) -> None:
    message = factory.message()
    assert one_try(message, now + MINUTE) == "sent"
    entry = AuditEntry.objects.get(action="message.sent")
    assert (message.state, message.claim_token, message.lease_until) == ("sent", None, None)
    assert message.settled_at is not None
    assert DeliveryAttempt.objects.get().outcome == "sent"
    assert (entry.subject_id, entry.patient_id) == (message.pk, message.follow_up.procedure.patient_id)


def test_the_provider_gets_the_same_key_at_every_attempt(now: datetime) -> None:
    message = factory.message()
    session = Scripted(Fate.NOT_NOW, Fate.SENT)
    for moment in (now + MINUTE, now + 3 * MINUTE):
        (claim,) = dispatch.claim_due(channel="email", now=moment)
        dispatch.deliver(claim, session=session, now=moment)
    assert [given.key for given in session.given] == [message.key, message.key]
    tokens = set(DeliveryAttempt.objects.values_list("claim_token", flat=True))
    assert len(tokens) == 2


@pytest.mark.parametrize("fate", [Fate.NOT_NOW, Fate.UNKNOWN])
def test_a_reminder_that_did_not_surely_arrive_is_tried_again_later(now: datetime, fate: Fate) -> None:
    message = factory.message()
    at = now + MINUTE
    assert one_try(message, at, fate) == "queued"
    assert message.not_before == at + DELAYS[0]
    assert DeliveryAttempt.objects.get().outcome == "retry"
    assert dispatch.claim_due(channel="email", now=at) == []


def test_after_enough_tries_it_has_failed_in_words(now: datetime) -> None:
    message = factory.message()
    states = []
    moment = now + MINUTE
    for _ in range(len(DELAYS) + 1):
        states.append(one_try(message, moment, Fate.NOT_NOW))
        moment = message.not_before
    assert states == ["queued"] * len(DELAYS) + ["failed"]
    assert (message.outcome, message.attempts) == ("scripted", 6)
    assert [t.number for t in message.tries.all()] == [1, 2, 3, 4, 5, 6]


def test_a_refusal_is_a_failure_at_once(now: datetime, caplog: pytest.LogCaptureFixture) -> None:
    message = factory.message()
    assert one_try(message, now + MINUTE, Fate.REFUSED) == "failed"
    assert f"message {message.pk} failed" in caplog.text


def test_what_must_not_arrive_twice_and_may_have_arrived_goes_to_a_person(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unknown_fate, "may_repeat", lambda kind: kind != "sign_record")
    message = factory.message()
    assert one_try(message, now + MINUTE, Fate.UNKNOWN) == "unknown"
    assert dispatch.claim_due(channel="email", now=now + timedelta(days=1)) == []


def test_a_slow_worker_whose_lease_was_given_away_neither_sends_nor_settles(now: datetime) -> None:
    message = factory.message()
    (slow,) = dispatch.claim_due(channel="email", now=now + MINUTE)
    Message.objects.filter(pk=message.pk).update(lease_until=clock.real_now() - MINUTE)
    assert dispatch.reap(now=now) == 1
    (quick,) = dispatch.claim_due(channel="email", now=now + 5 * MINUTE)
    session = Scripted(Fate.SENT)
    assert dispatch.deliver(slow, session=session, now=now) == "lost"
    assert session.given == []
    verdict = dispatch.Verdict(dispatch.MessageState.FAILED, "", "failed")
    assert dispatch.settle(slow, message=message, verdict=verdict) == "lost"
    assert dispatch.deliver(quick, session=session, now=now + 5 * MINUTE) == "sent"
    assert [a.outcome for a in DeliveryAttempt.objects.order_by("number")] == ["lost", "sent"]


def test_there_is_never_more_than_one_open_attempt(now: datetime) -> None:
    message = factory.message()
    (claim,) = dispatch.claim_due(channel="email", now=now + MINUTE)
    with pytest.raises(IntegrityError), transaction.atomic():
        DeliveryAttempt.objects.create(message=message, number=2, claim_token=claim.token, started_at=now)


@pytest.mark.parametrize("kind", [*Kind, messages.DIGEST])
def test_a_reminder_to_staff_may_arrive_twice(kind: str) -> None:
    assert unknown_fate.may_repeat(kind)


def test_a_kind_of_promise_may_say_otherwise_in_its_own_room(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = dataclasses.replace(kinds.of(Kind.TELL_PATIENT), may_repeat=False)
    monkeypatch.setattr(kinds, "of", lambda kind: spec)
    assert not unknown_fate.may_repeat(Kind.TELL_PATIENT)


def test_a_kind_of_message_that_nobody_has_thought_about_must_not_arrive_twice() -> None:
    assert not unknown_fate.may_repeat("result_for_a_patient")


# --- looking once more --------------------------------------------------------------------------

Change = Callable[[Message], object]


@pytest.mark.parametrize(
    ("change", "state", "why"),
    [
        (
            lambda m: FollowUp.objects.filter(pk=m.follow_up_id).update(closed_at=m.created_at, closed_because="kept"),
            "cancelled",
            "kept or no longer needed",
        ),
        (
            lambda m: FollowUp.objects.filter(pk=m.follow_up_id).update(generation=2),
            "cancelled",
            "the promise has changed since",
        ),
        (
            lambda m: User.objects.filter(pk=m.recipient_id).update(is_active=False),
            "failed",
            "the account is no longer active",
        ),
        (
            lambda m: User.objects.filter(pk=m.recipient_id).update(email=""),
            "failed",
            "this person has no e-mail address",
        ),
        (
            lambda m: Message.objects.filter(pk=m.pk).update(useful_until=m.not_before),
            "expired",
            "too late to be of use",
        ),
    ],
)
def test_what_need_not_or_cannot_leave_any_more_says_why(now: datetime, change: Change, state: str, why: str) -> None:
    message = factory.message()
    change(message)
    assert one_try(message, now + MINUTE) == state
    assert (message.state, message.outcome) == (state, why)
    assert mail.outbox == []
    assert AuditEntry.objects.filter(action=f"message.{state}", subject_id=message.pk).exists()


def test_a_promise_that_is_kept_between_claim_and_send_sends_nothing(now: datetime) -> None:
    message = factory.message()
    (claim,) = dispatch.claim_due(channel="email", now=now + MINUTE)
    FollowUp.objects.filter(pk=message.follow_up_id).update(closed_at=now, closed_because="kept")
    session = Scripted()
    assert dispatch.deliver(claim, session=session, now=now + MINUTE) == "cancelled"


class Interrupted(Scripted):
    """A session during whose first mail something happens to all that was claimed with it."""

    def __init__(self, happens: Callable[[], object]) -> None:
        super().__init__()
        self.happens = happens

    def send(self, message: OutgoingMessage) -> Outcome:
        self.given.append(message)
        if len(self.given) == 1:
            self.happens()
        return Outcome(Fate.SENT, "scripted")


def in_one_batch(monkeypatch: pytest.MonkeyPatch, now: datetime, happens: Callable[[], object]) -> Interrupted:
    """Two reminders are claimed and read together; ``happens`` while the first of them is sent."""
    session = Interrupted(happens)
    channel = channels.get("email")
    monkeypatch.setattr(channel, "session", lambda: nullcontext(session))
    dispatch.run(channel="email", now=now, until=clock.real_now() + MINUTE)
    return session


def test_a_promise_that_is_kept_while_its_batch_is_sent_is_told_to_nobody(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = factory.message(not_before=now - MINUTE), factory.message(not_before=now)
    kept = FollowUp.objects.filter(pk=second.follow_up_id)
    session = in_one_batch(monkeypatch, now, lambda: kept.update(closed_at=now, closed_because="kept"))
    assert [given.key for given in session.given] == [first.key]
    assert list(Message.objects.order_by("not_before").values_list("state", flat=True)) == ["sent", "cancelled"]


def test_an_account_that_is_closed_while_its_batch_is_sent_gets_nothing(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = factory.message(not_before=now - MINUTE), factory.message(not_before=now)
    account = User.objects.filter(pk=second.recipient_id)
    session = in_one_batch(monkeypatch, now, lambda: account.update(is_active=False))
    assert [given.key for given in session.given] == [first.key]


def test_what_was_given_away_while_its_batch_is_sent_is_not_sent(
    now: datetime, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Both leases are taken back while the first mail is at the server: it is not settled, the second not sent."""
    first, _second = factory.message(not_before=now - MINUTE), factory.message(not_before=now)

    def slow() -> None:
        Message.objects.update(lease_until=clock.real_now() - MINUTE)
        assert dispatch.reap(now=now) == 2

    session = in_one_batch(monkeypatch, now, slow)
    assert [given.key for given in session.given] == [first.key]
    assert set(Message.objects.values_list("state", flat=True)) == {"queued"}
    assert set(DeliveryAttempt.objects.values_list("outcome", flat=True)) == {"lost"}
    assert f"message {first.pk}: settled by another worker" in caplog.text
    assert not AuditEntry.objects.filter(action="message.sent").exists()


def test_a_lease_is_renewed_for_the_whole_batch_before_too_little_of_it_is_left(now: datetime) -> None:
    rows = [factory.message(not_before=now) for _ in range(3)]
    claims = dispatch.claim_due(channel="email", now=now)
    until = clock.real_now() + dispatch.LEASE
    batch = dispatch.Batch(claims, until, {})
    dispatch.renew_lease(batch)
    assert batch.until == until
    batch.until = clock.real_now() + dispatch.LEFT - timedelta(seconds=1)
    Message.objects.update(lease_until=batch.until)
    dispatch.renew_lease(batch)
    left = Message.objects.filter(lease_until__gt=clock.real_now() + dispatch.LEFT).count()
    assert left == len(rows)


def test_what_may_repeat_waits_for_no_disk_and_a_message_to_a_patient_does(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "synchronous_commit" in dispatch.SETTLE
    asked: list[str] = []
    monkeypatch.setattr(dispatch, "_settle_reminder", lambda *_: asked.append("without the disk") or "sent")
    sent = dispatch.Verdict(dispatch.MessageState.SENT, "", "sent")
    failed = dispatch.Verdict(dispatch.MessageState.FAILED, "", "failed")
    message = factory.message()
    patient = message.follow_up.procedure.patient
    claim = dispatch.Claim(message.pk, uuid.uuid4())
    dispatch.settle(claim, message=Message(pk=message.pk, kind=message.kind, patient=patient), verdict=sent)
    dispatch.settle(claim, message=message, verdict=failed)
    dispatch.settle(claim, message=Message(pk=message.pk, kind="result_for_a_patient"), verdict=sent)
    assert asked == []
    dispatch.settle(claim, message=message, verdict=sent)
    assert asked == ["without the disk"]


def test_a_message_that_cannot_be_worded_does_not_stop_the_others(now: datetime) -> None:
    broken = factory.message(kind="water_plants", not_before=now - MINUTE)
    healthy = factory.message(not_before=now)
    counts = dispatch.run(channel="email", now=now, until=clock.real_now() + MINUTE)
    broken.refresh_from_db()
    healthy.refresh_from_db()
    assert counts == {"queued": 1, "sent": 1}
    assert (broken.state, broken.outcome) == ("queued", "cannot be worded: ValueError")
    assert healthy.state == "sent"


def test_when_the_time_is_up_the_rest_goes_back_unused(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [factory.message(not_before=now - MINUTE) for _ in range(3)]
    until = clock.real_now() + MINUTE
    times = iter([until - MINUTE, until - MINUTE, until - MINUTE])
    real = clock.real_now

    def hurried() -> datetime:
        return next(times, until + MINUTE)

    monkeypatch.setattr(dispatch.clock, "real_now", hurried)
    counts = dispatch.run(channel="email", now=now, until=until)
    monkeypatch.setattr(dispatch.clock, "real_now", real)
    assert counts["queued"] + counts["sent"] == 3
    assert counts["queued"] >= 1
    waiting = Message.objects.filter(pk__in=[row.pk for row in rows], state="queued")
    assert set(waiting.values_list("attempts", flat=True)) == {0}


# --- the reaper ---------------------------------------------------------------------------------


def expire_lease(message: Message) -> None:
    Message.objects.filter(pk=message.pk).update(lease_until=clock.real_now() - MINUTE)


def test_a_lease_that_holds_is_not_reaped(now: datetime) -> None:
    factory.message()
    dispatch.claim_due(channel="email", now=now + MINUTE)
    assert dispatch.reap(now=now + timedelta(days=30)) == 0


def test_an_expired_lease_of_a_reminder_goes_back_to_the_queue(now: datetime) -> None:
    message = factory.message()
    dispatch.claim_due(channel="email", now=now + MINUTE)
    expire_lease(message)
    assert dispatch.reap(now=now) == 1
    message.refresh_from_db()
    assert (message.state, message.not_before) == ("queued", now + DELAYS[0])
    assert DeliveryAttempt.objects.get().outcome == "lost"


def test_an_expired_lease_of_what_must_not_arrive_twice_goes_to_a_person(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unknown_fate, "may_repeat", lambda kind: kind != "sign_record")
    message = factory.message()
    dispatch.claim_due(channel="email", now=now + MINUTE)
    expire_lease(message)
    dispatch.reap(now=now)
    message.refresh_from_db()
    assert message.state == "unknown"


def test_a_message_that_kills_its_worker_every_time_is_given_up(now: datetime) -> None:
    message = factory.message()
    moment = now + MINUTE
    for _ in range(len(DELAYS) + 1):
        dispatch.claim_due(channel="email", now=moment)
        expire_lease(message)
        dispatch.reap(now=moment)
        message.refresh_from_db()
        moment = message.not_before
    assert message.state == "failed"


# --- by hand ------------------------------------------------------------------------------------


def test_a_person_sends_a_failed_message_again_with_fresh_tries(now: datetime) -> None:
    message = factory.message()
    one_try(message, now + MINUTE, Fate.REFUSED)
    director = make.actor(Role.DIRECTOR)
    messages.send_again(actor=director, message=message)
    message.refresh_from_db()
    assert (message.state, message.attempts) == ("queued", 0)
    assert AuditEntry.objects.get(action="message.sent_again").actor_id == director.user_id
    assert one_try(message, clock.now()) == "sent"
    assert [t.number for t in message.tries.all()] == [1, 2]


def test_a_message_that_waits_or_was_sent_is_not_sent_again(now: datetime) -> None:
    message = factory.message()
    with pytest.raises(Conflict):
        messages.send_again(actor=make.actor(Role.DIRECTOR), message=message)
    one_try(message, now + MINUTE)
    with pytest.raises(Conflict):
        messages.send_again(actor=make.actor(Role.DIRECTOR), message=message)


@pytest.mark.parametrize("role", [Role.NURSE, Role.PHYSICIAN, Role.SCHEDULER])
def test_others_do_not_touch_the_outbox(now: datetime, role: Role) -> None:
    message = factory.message()
    one_try(message, now + MINUTE, Fate.REFUSED)
    with pytest.raises(NotPermitted):
        messages.send_again(actor=make.actor(role), message=message)


def test_an_actor_without_a_role_is_not_enough() -> None:
    message = factory.message(state="failed")
    with pytest.raises(NotPermitted):
        messages.send_again(actor=Actor.system(), message=message)


# --- e-mail -------------------------------------------------------------------------------------


def test_an_e_mail_carries_its_key_as_message_id_and_a_link_to_the_case(now: datetime, settings: Any) -> None:
    settings.SITE_URL = "https://clinic.test"
    settings.DEFAULT_FROM_EMAIL = "Clinic <reminders@clinic.test>"
    message = factory.message()
    dispatch.run(channel="email", now=now + MINUTE, until=clock.real_now() + MINUTE)
    (sent,) = mail.outbox
    assert sent.extra_headers["Message-ID"] == f"<{message.key.replace(':', '.')}@clinic.test>"
    assert message.follow_up.procedure.code in sent.body
    assert re.search(r"^https://clinic\.test/\S+$", sent.body, re.MULTILINE)


@pytest.mark.parametrize("kind", [*Kind, messages.DIGEST])
def test_every_kind_has_its_own_words(kind: str) -> None:
    kinds = [str(kind), str(Kind.SIGN_RECORD if kind != Kind.SIGN_RECORD else Kind.BOOK_REQUEST)]
    words = [messages.render(factory.message(kind=name)).body.splitlines()[0] for name in kinds]
    assert words[0].strip()
    assert words[0] != words[1]


def test_only_a_critical_task_is_urgent() -> None:
    calm = messages.render(factory.message(factory.promise(Kind.REVIEW_RESULT)))
    urgent = messages.render(factory.message(factory.promise(Kind.REVIEW_RESULT, level="critical")))
    assert (calm.subject, "URGENT" in calm.body) == ("You have a task in Procedure Tracker", False)
    assert (urgent.subject[:7], urgent.body.startswith("URGENT")) == ("Urgent:", True)


class BrokenBackend:
    """A connection whose server is away, or which breaks while sending."""

    opened = 0

    def __init__(self, error: Exception, *, at_open: bool) -> None:
        self.error, self.at_open = error, at_open

    def open(self) -> None:
        BrokenBackend.opened += 1
        if self.at_open:
            raise self.error

    def send_messages(self, _messages: list[Any]) -> int:
        raise self.error

    def close(self) -> None:
        raise smtplib.SMTPServerDisconnected("gone")


OUTGOING = OutgoingMessage(key="1:1:0:0:1:email", to="pia@clinic.test", subject="s", body="b")
REFUSED = {"pia@clinic.test": (550, b"no such user pia@clinic.test")}


@pytest.mark.parametrize(
    ("error", "fate"),
    [
        (smtplib.SMTPRecipientsRefused({"pia@clinic.test": (451, b"later")}), Fate.NOT_NOW),
        (smtplib.SMTPRecipientsRefused(REFUSED), Fate.REFUSED),
        (smtplib.SMTPDataError(452, b"full"), Fate.NOT_NOW),
        (smtplib.SMTPDataError(554, b"spam"), Fate.REFUSED),
        (smtplib.SMTPSenderRefused(553, b"not yours", "clinic@example.org"), Fate.NOT_NOW),
        (smtplib.SMTPServerDisconnected("gone"), Fate.UNKNOWN),
        (TimeoutError(), Fate.UNKNOWN),
        (ConnectionResetError(), Fate.UNKNOWN),
        (ValueError("header"), Fate.REFUSED),
    ],
)
def test_each_answer_of_a_mail_server_has_its_fate_and_names_nobody(
    error: Exception, fate: Fate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("followups.channels.email.get_connection", lambda: BrokenBackend(error, at_open=False))
    outcome = EmailSession().send(OUTGOING)
    assert outcome.fate is fate
    assert "pia" not in outcome.detail
    assert type(error).__name__ in outcome.detail


def test_a_server_that_is_away_is_asked_once_for_many_mails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BrokenBackend, "opened", 0)
    error = ConnectionRefusedError()
    monkeypatch.setattr("followups.channels.email.get_connection", lambda: BrokenBackend(error, at_open=True))
    with channels.get("email").session() as session:
        fates = [session.send(OUTGOING).fate for _ in range(20)]
    assert fates == [Fate.NOT_NOW] * 20
    assert BrokenBackend.opened == 1


@pytest.mark.parametrize(
    ("sender", "domain"), [("Clinic <a@clinic.test>", "clinic.test"), ("clinic", "clinic"), ("", "localhost")]
)
def test_the_message_id_is_made_of_the_key_and_the_senders_domain(sender: str, domain: str, settings: Any) -> None:
    settings.DEFAULT_FROM_EMAIL = sender
    assert message_id("1:2:3:0:9:email") == f"<1.2.3.0.9.email@{domain}>"
