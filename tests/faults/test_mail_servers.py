"""Mail servers that hang, that are away, and that take a mail and never say so."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from clinic import clock
from clinic.actor import Actor
from clinic.roles import Role
from followups import engine
from followups.models import DeliveryAttempt, Message
from followups.services import messages
from procedures import events
from tests import make
from tests.factories import outreach
from tests.faults import outbox
from tests.faults.conftest import Account
from tests.faults.mail_server import DROP, Post, Stop
from tests.faults.outbox import MINUTE

pytestmark = pytest.mark.django_db(transaction=True)

DAY = timedelta(days=1)


@pytest.fixture
def hanging(settings: Any) -> Iterator[socket.socket]:
    """Takes every connection and never says a word."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_TIMEOUT = 0.1
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        settings.EMAIL_PORT = server.getsockname()[1]
        yield server


def connections_to(server: socket.socket) -> int:
    server.setblocking(False)
    count = 0
    while True:
        try:
            server.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


def to_patient() -> Message:
    """The first message about a patient's first day at home, not sent yet."""
    for role in Role:
        make.user(role)
    patient = outreach.patient("email")
    row = make.procedure("lumbar_puncture", status="completed", starts=clock.now() - DAY, patient=patient)
    events.changed(row)
    engine.run_pass(clock.now() + DAY, hand_over=lambda name: None)
    return Message.objects.get(patient=patient)


def test_a_server_that_hangs_is_asked_once_and_everything_goes_later(
    hanging: socket.socket, post: Post, now: datetime, settings: Any, account: Account
) -> None:
    settings.EMAIL_PORT = hanging.getsockname()[1]
    outbox.fill(3, now)
    assert engine.send_on("email", now) == {"queued": 3}
    assert set(Message.objects.values_list("outcome", flat=True)) == {
        "mail server cannot be reached: SMTPServerDisconnected"
    }
    assert connections_to(hanging) == 1
    settings.EMAIL_PORT = post.port
    assert engine.send_on("email", now + MINUTE) == {"sent": 3}
    assert account(post) == (3, 0, 0)


def test_a_patients_mail_to_a_server_that_hangs_or_is_away_goes_later_too(
    hanging: socket.socket, post: Post, settings: Any
) -> None:
    message = to_patient()
    for tries, port in enumerate((hanging.getsockname()[1], 1), start=1):
        settings.EMAIL_PORT = port
        assert engine.send_on("patient_email", message.not_before) == {"queued": 1}
        message.refresh_from_db()
        assert message.attempts == tries
    settings.EMAIL_PORT = post.port
    assert engine.send_on("patient_email", message.not_before) == {"sent": 1}
    assert len(post.accepted) == 1


def test_a_patients_mail_that_a_silent_server_never_got_goes_later_and_nobody_is_asked(
    post: Post, settings: Any
) -> None:
    """It says hello, hears whose mail it is, and falls silent: the words have not left."""
    settings.EMAIL_TIMEOUT = 0.1
    message = to_patient()
    post.on_sender = stop = Stop()
    assert engine.send_on("patient_email", message.not_before) == {"queued": 1}
    stop.go_on()
    message.refresh_from_db()
    settings.EMAIL_TIMEOUT = 10
    assert engine.send_on("patient_email", message.not_before) == {"sent": 1}
    assert len(post.accepted) == 1


def test_a_server_that_falls_silent_is_asked_once_more_on_a_new_line_and_then_left_alone(
    post: Post, now: datetime, settings: Any, account: Account
) -> None:
    settings.EMAIL_TIMEOUT = 0.1
    outbox.fill(6, now)
    post.on_sender = stop = Stop(after=2)
    assert engine.send_on("email", now) == {"sent": 2, "queued": 4}
    stop.go_on()
    words = "mail server cannot be reached: SMTPServerDisconnected"
    assert set(Message.objects.filter(state="queued").values_list("outcome", flat=True)) == {words}
    assert post.connections <= 2
    settings.EMAIL_TIMEOUT = 10
    assert engine.send_on("email", now + MINUTE) == {"sent": 4}
    assert account(post) == (6, 0, 0)


def test_a_reminder_that_was_taken_without_a_word_is_sent_again_under_the_same_id(
    post: Post, now: datetime, account: Account
) -> None:
    outbox.fill(3, now)
    post.answers = [DROP]
    assert engine.send_on("email", now) == {"queued": 1, "sent": 2}
    message = Message.objects.get(state="queued")
    assert message.outcome == "connection lost while sending: SMTPServerDisconnected"
    assert engine.send_on("email", message.not_before) == {"sent": 1}
    assert account(post) == (3, 1, 0)


def test_a_patients_mail_that_was_taken_without_a_word_waits_for_a_person(post: Post, now: datetime) -> None:
    message = to_patient()
    post.answers = [DROP]
    assert engine.send_on("patient_email", message.not_before) == {"unknown": 1}
    for days in (1, 2, 7):
        engine.send_on("patient_email", message.not_before + days * DAY)
    assert len(post.accepted) == 1  # never twice by itself
    message.refresh_from_db()
    director = Actor.person(make.user(Role.DIRECTOR))
    messages.send_again(actor=director, message=message)
    assert engine.send_on("patient_email", clock.now() + DAY) == {"sent": 1}
    assert set(post.copies().values()) == {2}
    outcomes = DeliveryAttempt.objects.filter(message=message).order_by("number").values_list("outcome", flat=True)
    assert list(outcomes) == ["unknown", "sent"]
