"""A mail that is written down directly says what the general way says."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage as Parsed
from typing import Any, cast

import pytest
from django.core.mail import BadHeaderError, EmailMessage

from followups.channels.mail import Mail, Written

PARTS: dict[str, Any] = {
    "subject": "You have a task in Procedure Tracker",
    "body": "Sign the record.\n\nOpen the case:\nhttps://clinic.test/cases/AB12/\n.\n",
    "from_email": "The Clinic <clinic@example.org>",
    "to": ["ann@clinic.test"],
    "headers": {"Message-ID": "<7.1.0.0.3.email@example.org>", "Auto-Submitted": "auto-generated"},
}


def parsed(mail: EmailMessage) -> Parsed:
    return cast(Parsed, message_from_bytes(mail.message().as_bytes(linesep="\r\n"), policy=policy.default))


def test_it_reads_as_the_general_way_writes_it() -> None:
    ours, theirs = parsed(Mail(**PARTS)), parsed(EmailMessage(**PARTS))
    assert isinstance(Mail(**PARTS).message(), Written)
    assert {**ours, "Date": ""} == {**theirs, "Date": ""}
    assert ours["Date"].datetime - theirs["Date"].datetime < timedelta(minutes=1)
    assert ours.get_content() == theirs.get_content()


@pytest.mark.parametrize(
    "part",
    [{"body": "Akte unterschreiben: später.\n"}, {"subject": "Dringend für Sie"}, {"body": "x" * 2000}],
    ids=["body", "subject", "a long line"],
)
def test_what_is_not_plain_goes_the_general_way(part: dict[str, Any]) -> None:
    mail = Mail(**{**PARTS, **part})
    assert not isinstance(mail.message(), Written)
    assert parsed(mail).get_content().split() == mail.body.split()


def test_no_value_slips_in_a_header() -> None:
    with pytest.raises(BadHeaderError):
        Mail(**{**PARTS, "subject": "A task\nBcc: somebody@else.test"}).message()
