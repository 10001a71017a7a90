"""Delivery reports as a mail server writes them."""

from __future__ import annotations

ORIGINAL = """\
From: clinic@example.org
To: pia@clinic.test
Subject: You have a task in Procedure Tracker
Message-ID: {message_id}

The words.
"""


def report(
    message_id: str,
    *,
    action: str = "failed",
    status: str = "5.1.1",
    original: str = "message/rfc822",
    extra: str = "",
) -> bytes:
    """As Postfix does; without an original when there is no ``message_id``."""
    carried = ""
    if message_id:
        carried = f"--cut\nContent-Type: {original}\n\n{ORIGINAL.format(message_id=message_id)}\n"
    return f"""\
From: MAILER-DAEMON@mail.test
To: clinic@example.org
Subject: Undelivered Mail Returned to Sender
Message-ID: <own.number@mail.test>
{extra}MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="cut"

--cut
Content-Type: text/plain

I'm sorry to inform you: <pia@clinic.test>: unknown user

--cut
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.test

Final-Recipient: rfc822; pia@clinic.test
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 <pia@clinic.test>: unknown user

{carried}--cut--
""".encode()
