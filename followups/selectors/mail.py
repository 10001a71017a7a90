"""The mails that this installation has written to files instead of sending them."""

from __future__ import annotations

import email
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime
from pathlib import Path

from django.conf import settings

#: Django's file backend draws this line after each mail.
SEPARATOR = b"\n" + b"-" * 79 + b"\n"


@dataclass(frozen=True)
class Mail:
    """One mail as its recipient would read it."""

    to: str
    subject: str
    body: str
    message_id: str
    sent_at: datetime | None


def newest(limit: int = 50) -> list[Mail]:
    """The newest mails first. Nothing is read of a folder that does not exist."""
    folder = Path(settings.EMAIL_FILE_PATH)
    files = sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime, reverse=True) if folder.is_dir() else []
    mails: list[Mail] = []
    for path in files:
        parts = [part for part in path.read_bytes().split(SEPARATOR) if part.strip()]
        mails.extend(_mail(part) for part in reversed(parts))
        if len(mails) >= limit:
            break
    return mails[:limit]


def _mail(raw: bytes) -> Mail:
    message = email.message_from_bytes(raw.lstrip(b"\n"), policy=default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(preferencelist=("plain",))
    return Mail(
        to=str(message["To"] or ""),
        subject=str(message["Subject"] or ""),
        body=body.get_content() if body is not None else "",
        message_id=str(message["Message-ID"] or ""),
        sent_at=_moment(str(message["Date"] or "")),
    )


def _moment(text: str) -> datetime | None:
    """Mail's own way of saying UTC, ``-0000``, comes out without a zone."""
    if not text:
        return None
    moment = parsedate_to_datetime(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
