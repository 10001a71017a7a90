"""The mails and texts that this installation has written to files instead of sending them."""

from __future__ import annotations

import email
import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from followups.channels import email as email_channel
from followups.models import Message

BEFORE_ALL = datetime(1, 1, 1, tzinfo=UTC)
#: Django's file backend draws this line after each mail.
SEPARATOR = b"\n" + b"-" * 79 + b"\n"


@dataclass(frozen=True)
class Mail:
    """One mail as its recipient would read it. ``born``: the birth date that opens the link in it."""

    to: str
    subject: str
    body: str
    message_id: str
    sent_at: datetime | None
    born: date | None = None


def newest(limit: int = 200) -> list[Mail]:
    """The newest first, mails and texts together. Nothing is read of a folder that does not exist."""
    found = [*_mails(limit), *_texts(limit)]
    shown = sorted(found, key=lambda mail: mail.sent_at or BEFORE_ALL, reverse=True)[:limit]
    born = _birth_dates(shown)
    return [replace(mail, born=born.get(_key(mail))) for mail in shown]


def _key(mail: Mail) -> str:
    """A text's own; a mail's stands in its Message-ID."""
    return email_channel.key_of(mail.message_id) or mail.message_id


def _birth_dates(mails: list[Mail]) -> dict[str, date]:
    rows = Message.objects.filter(key__in={_key(mail) for mail in mails}, link__isnull=False)
    return dict(rows.values_list("key", "patient__birth_date"))


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
        whole = path.read_bytes().split(SEPARATOR)[:-1]  # what comes after the last line was cut off: it was not sent
        parts = [part for part in whole if part.strip()]
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
