"""The mails and texts that this installation has written to files instead of sending them."""

from __future__ import annotations

import email
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

BEFORE_ALL = datetime(1, 1, 1, tzinfo=UTC)
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
    """The newest first, mails and texts together. Nothing is read of a folder that does not exist."""
    found = [*_mails(limit), *_texts(limit)]
    return sorted(found, key=lambda mail: mail.sent_at or BEFORE_ALL, reverse=True)[:limit]


def _texts(limit: int) -> list[Mail]:
    folder = Path(settings.SMS_FILE_PATH)
    files = (
        sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True) if folder.is_dir() else []
    )
    rows = [json.loads(path.read_text(encoding="utf-8")) for path in files[:limit]]
    return [
        Mail(row["to"], _("Text message"), row["body"], row["key"], datetime.fromisoformat(row["at"])) for row in rows
    ]


def _mails(limit: int) -> list[Mail]:
    folder = Path(settings.EMAIL_FILE_PATH)
    files = sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime, reverse=True) if folder.is_dir() else []
    mails: list[Mail] = []
    for path in files:
        parts = [part for part in path.read_bytes().split(SEPARATOR) if part.strip()]
        mails.extend(_mail(part) for part in reversed(parts))
        if len(mails) >= limit:
            break
    return mails


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
