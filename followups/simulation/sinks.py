"""Where the year's messages arrive: what a provider took is a line in a file, whatever becomes of the sender."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.test.utils import override_settings

from clinic import clock
from followups.channels import sms
from followups.channels.base import Outcome, OutgoingMessage
from followups.channels.email import key_of
from followups.domain.backoff import Fate

GATEWAY = "simulation"


@dataclass(frozen=True)
class Accepted:
    """One message that a provider has taken, and when."""

    key: str
    at: datetime


@dataclass
class Sink:
    """``die_after``: this process is killed once it has handed over so many; ``before``: just before the last."""

    file: Path
    die_after: int | None = None
    before: bool = False
    handed: int = field(default=0)

    def take(self, key: str) -> None:
        """One line, written at once by the operating system; a message without a key of ours is no follow-up."""
        self.handed += 1
        last = self.die_after is not None and self.handed >= self.die_after
        if last and self.before:
            os.kill(os.getpid(), signal.SIGKILL)
        if key:
            line = f"{clock.now().isoformat()} {key}\n".encode()
            file = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.write(file, line)
            os.close(file)
        if last:
            os.kill(os.getpid(), signal.SIGKILL)

    def accepted(self) -> list[Accepted]:
        if not self.file.exists():
            return []
        lines = self.file.read_text(encoding="utf-8").splitlines()
        return [Accepted(key, datetime.fromisoformat(at)) for at, _, key in (line.partition(" ") for line in lines)]


_open: list[Sink] = []


@contextmanager
def opened(file: Path) -> Iterator[Sink]:
    """In this block every channel of this process ends here."""
    sink = Sink(file)
    _open.append(sink)
    sms.GATEWAYS[GATEWAY] = __name__
    try:
        with override_settings(EMAIL_BACKEND=f"{__name__}.MailSink", SMS_GATEWAY=GATEWAY):
            yield sink
    finally:
        del sms.GATEWAYS[GATEWAY]
        _open.remove(sink)


class MailSink(BaseEmailBackend):
    """A mail server that takes everything."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for mail in email_messages:
            headers: dict[str, Any] = dict(mail.extra_headers)
            _open[-1].take(key_of(str(headers.get("Message-ID", ""))))
        return len(email_messages)


class TextSink:
    """A gateway that takes everything."""

    def send(self, message: OutgoingMessage) -> Outcome:
        _open[-1].take(message.key)
        return Outcome(Fate.SENT, "taken", provider_id=f"simulated-{message.key}")


def gateway() -> TextSink:
    return TextSink()
