"""No room where mails and texts are files: the system itself refuses the write, half of a message through."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from followups import dispatch, engine
from followups.channels.base import OutgoingMessage
from followups.channels.sms.files import FileGateway
from followups.domain.backoff import Fate
from followups.models import Message
from followups.selectors import mail as mail_files
from tests.faults import outbox
from tests.workers import Child

pytestmark = pytest.mark.django_db(transaction=True)

MAILS = 4
FULL = "cannot be written to a file: the disk is full"
TEXT = OutgoingMessage(key="7:1:0:0:1:sms", to="+12025550177", subject="", body="Please answer. " * 20)


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    settings.SMS_FILE_PATH = tmp_path / "sms"
    return tmp_path


def with_room_for(size: int, work: Callable[[], object]) -> None:
    """``work`` once, in a process none of whose files can grow beyond ``size`` bytes."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        work()

    Child(limited, once=True).wait()


def written(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("mail/*"))


def test_mails_that_find_no_room_stay_in_the_queue_and_half_a_mail_is_none(folder: Path, now: datetime) -> None:
    outbox.fill(MAILS, now)
    (claim,) = dispatch.claim_due(channel="email", now=now, limit=1)
    with dispatch.channels.get("email").session() as session:
        assert dispatch.deliver(claim, session=session, now=now) == "sent"
    one = written(folder)

    with_room_for(one * 3 // 2, partial(engine.send_on, "email", now))
    states = list(Message.objects.order_by("pk").values_list("state", "outcome", "attempts"))
    assert states[:2] == [("sent", "handed to the mail server", 1)] * 2
    assert states[2:] == [("queued", FULL, 1)] * (MAILS - 2)
    assert written(folder) == one + one * 3 // 2  # there is half a mail
    assert len(mail_files.newest()) == 2

    assert engine.send_on("email", now + outbox.MINUTE) == {"sent": MAILS - 2}
    names = [mail.message_id for mail in mail_files.newest()]
    assert (len(names), len(set(names))) == (MAILS, MAILS)


def test_half_a_text_is_none(folder: Path) -> None:
    gateway = FileGateway(folder / "sms")

    def send() -> None:
        outcome = gateway.send(TEXT)
        assert (outcome.fate, outcome.detail) == (Fate.NOT_NOW, FULL)

    with_room_for(100, send)
    (half,) = folder.glob("sms/*")
    assert (half.suffix, half.stat().st_size) == (".part", 100)
    assert mail_files.newest() == []
    assert gateway.send(TEXT).fate is Fate.SENT
    (whole,) = folder.glob("sms/*")
    assert json.loads(whole.read_text(encoding="utf-8"))["body"] == TEXT.body


def test_a_device_without_room_is_said_in_the_same_words(folder: Path) -> None:
    gateway = FileGateway(folder / "sms")
    gateway.send(TEXT)
    (sent,) = folder.glob("sms/*")
    sent.with_suffix(".part").symlink_to("/dev/full")
    again = gateway.send(TEXT)
    assert (again.fate, again.detail) == (Fate.NOT_NOW, FULL)
    assert sent.exists()


def test_a_folder_that_cannot_be_made_keeps_every_mail_in_the_queue(folder: Path, now: datetime) -> None:
    (folder / "mail").write_text("a file where the folder should be", encoding="utf-8")
    outbox.fill(MAILS, now)
    assert engine.send_on("email", now) == {"queued": MAILS}
    assert set(Message.objects.values_list("state", flat=True)) == {"queued"}
