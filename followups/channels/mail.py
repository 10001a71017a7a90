"""One mail as it goes over the line. What is plain ASCII is written down directly: the general way takes longer to
build a mail than everything else about it takes together.
"""

from __future__ import annotations

from email.utils import formatdate
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage

#: Lines may have 998 characters (RFC 5322); what is longer is folded by the general way.
LONGEST = 900


class Mail(EmailMessage):
    """A text to one person, with headers of its own."""

    def message(self, **options: Any) -> Any:
        headers = {
            "Content-Type": 'text/plain; charset="utf-8"',
            "MIME-Version": "1.0",
            "Content-Transfer-Encoding": "7bit",
            "Subject": self.subject,
            "From": self.from_email,
            "To": ", ".join(self.to),
            "Date": formatdate(localtime=settings.EMAIL_USE_LOCALTIME),
            **self.extra_headers,
        }
        head = "".join(f"{name}: {value}\n" for name, value in headers.items())
        text = f"{head}\n{self.body}"
        if head.count("\n") == len(headers) and "\r" not in text and _is_plain(text):
            return Written(text)
        return super().message(**options)


def _is_plain(text: str) -> bool:
    return text.isascii() and max(map(len, text.split("\n"))) <= LONGEST


class Written:
    """What a mail backend asks of a message."""

    def __init__(self, text: str) -> None:
        self.text = text

    def as_bytes(self, unixfrom: bool = False, linesep: str = "\n") -> bytes:
        return self.text.replace("\n", linesep).encode("ascii")

    def get_charset(self) -> None:
        """The one that the header names."""
