"""E-mail through Django's mail settings; one connection for many mails."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import get_connection
from django.utils.translation import gettext as _

from followups.channels import disk
from followups.channels.base import Outcome, OutgoingMessage
from followups.channels.mail import Mail
from followups.domain.backoff import Fate


class EmailSession:
    """A connection that is opened for the first mail. A server that is away is asked once."""

    def __init__(self) -> None:
        self._connection: Any = None
        self._down: Outcome | None = None
        self._watched = False
        self._may_have_left = True

    def send(self, message: OutgoingMessage) -> Outcome:
        """Hand one mail to the server. An answer is an answer; silence after the words have left is *unknown*."""
        fresh = self._connection is None
        if not self._opened():
            assert self._down is not None
            return self._down
        mail = Mail(
            subject=message.subject,
            body=message.body,
            from_email=settings.DEFAULT_FROM_EMAIL,
            to=[message.to],
            connection=self._connection,
            headers={"Message-ID": message_id(message.key), "Auto-Submitted": "auto-generated"},
        )
        self._may_have_left = not self._watched
        try:
            mail.send()
        except Exception as error:  # a channel never raises: one bad mail must not stop the others
            return self._failed(error, fresh=fresh)
        return Outcome(Fate.SENT, _("handed to the mail server"))

    def _failed(self, error: Exception, *, fresh: bool) -> Outcome:
        """A server that falls silent on a new line before it has got a mail would do so with the next mail too."""
        self.close()
        if disk.has_no_room(error):
            outcome = self._down = _outcome(error)
            return outcome
        if self._may_have_left or not _is_silence(error):
            return _outcome(error)
        outcome = _away(error)
        if fresh:
            self._down = outcome
        return outcome

    def close(self) -> None:
        """Give the connection back; the next mail opens a new one."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.close()
        except (smtplib.SMTPException, OSError):  # it was broken already
            return

    def _opened(self) -> bool:
        if self._down is not None:
            return False
        if self._connection is not None:
            return True
        try:
            connection = get_connection()
            connection.open()
        except Exception as error:  # the folder of the file backend, too, may be out of reach
            self._down = _away(error)
            return False
        self._connection = connection
        self._watch()
        return True

    def _watch(self) -> None:
        """Notes when the words of a mail begin to leave. Where nobody can tell, they may have left from the start."""
        server = getattr(self._connection, "connection", None)
        self._watched = isinstance(server, smtplib.SMTP)
        if isinstance(server, smtplib.SMTP):
            data = server.data

            def noted(msg: Any) -> tuple[int, bytes]:
                self._may_have_left = True
                return data(msg)

            server.data = noted  # type: ignore[method-assign]


class EmailChannel:
    def __init__(self, name: str = "email") -> None:
        self.name = name

    @contextmanager
    def session(self) -> Iterator[EmailSession]:
        session = EmailSession()
        try:
            yield session
        finally:
            session.close()


CHANNEL = EmailChannel()


def message_id(key: str) -> str:
    """The same for every attempt: a mail program that gets two copies shows one."""
    return f"<{key.replace(':', '.')}@{_domain()}>"


def key_of(message_id: str) -> str:
    """The key of a mail of ours by its Message-ID; empty for anybody else's."""
    local, _at, domain = message_id.strip().strip("<>").rpartition("@")
    return local.replace(".", ":") if domain.lower() == _domain().lower() else ""


def _domain() -> str:
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"


def _away(error: Exception) -> Outcome:
    """Nothing has left."""
    if disk.has_no_room(error):
        return _outcome(error)
    return Outcome(Fate.NOT_NOW, _("mail server cannot be reached: %(why)s") % {"why": _why(error)})


def _is_silence(error: Exception) -> bool:
    """The line broke or nobody answered: no answer of the server."""
    return _code(error) is None and isinstance(error, smtplib.SMTPServerDisconnected | OSError)


def _outcome(error: Exception) -> Outcome:
    code = _code(error)
    if isinstance(error, OSError) and disk.has_no_room(error):
        return disk.not_written(error)
    words = {"why": _why(error)}
    if _is_silence(error):
        return Outcome(Fate.UNKNOWN, _("connection lost while sending: %(why)s") % words)
    if code is None:
        return Outcome(Fate.REFUSED, _("cannot be sent: %(why)s") % words)
    if 500 <= code < 600 and not isinstance(error, smtplib.SMTPSenderRefused):
        return Outcome(Fate.REFUSED, _("refused by the mail server: %(why)s") % words)
    return Outcome(Fate.NOT_NOW, _("not accepted for now: %(why)s") % words)


def _code(error: Exception) -> int | None:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return next((int(code) for code, _text in error.recipients.values()), None)
    if isinstance(error, smtplib.SMTPResponseException):
        return int(error.smtp_code)
    return None


def _why(error: Exception) -> str:
    """The kind of error and its code; never the server's text, which repeats addresses."""
    code = _code(error)
    return f"{type(error).__name__} {code}" if code is not None else type(error).__name__
