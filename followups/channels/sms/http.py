"""A provider that takes texts by HTTP as Twilio does: a form, basic authentication, an answer in JSON.

What leaves is the number, our number, the words, and the address for the delivery report. The key goes with each try,
so that a provider that knows the header drops a copy. An answer is an answer; silence after the words have left is
*unknown*, and a person decides.
"""

from __future__ import annotations

import http.client
import json
import logging
import ssl
from base64 import b64encode
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from followups.channels.base import Outcome, OutgoingMessage
from followups.domain.backoff import Fate

logger = logging.getLogger(__name__)

TIMEOUT = 10.0
MOST_BYTES = 64 * 1024
#: A provider may not make us wait longer than this.
LONGEST_WAIT = timedelta(hours=4)
#: Of the provider's error codes: who has this number has told the provider to stop.
OPTED_OUT = 21610
#: Gateways in between: nobody knows whether the provider has got it.
IN_BETWEEN = frozenset({502, 504})


@dataclass(frozen=True, kw_only=True)
class Account:
    """Whose account, where, and from which number."""

    url: str
    account: str
    token: str
    sender: str
    report_to: str


class HttpGateway:
    """One provider. Once it is away or refuses who we are, it is not asked again in this session."""

    def __init__(self, account: Account, timeout: float = TIMEOUT) -> None:
        self.account = account
        self.timeout = timeout
        self._down: Outcome | None = None

    def send(self, message: OutgoingMessage) -> Outcome:
        if self._down is not None:
            return self._down
        connection = self._connection()
        try:
            connection.connect()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            self._down = Outcome(Fate.NOT_NOW, _("the provider cannot be reached: %(why)s") % _why(error))
            return self._down
        try:
            status, headers, answer = self._post(connection, message)
        except Exception as error:  # a channel never raises; the words may have left
            return Outcome(Fate.UNKNOWN, _("no answer from the provider: %(why)s") % _why(error))
        finally:
            connection.close()
        return self._outcome(status, headers, answer)

    def _connection(self) -> http.client.HTTPConnection:
        where = urlsplit(self.account.url)
        host, port = where.hostname or "", where.port
        if where.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=self.timeout, context=context)
        return http.client.HTTPConnection(host, port, timeout=self.timeout)

    def _post(
        self, connection: http.client.HTTPConnection, message: OutgoingMessage
    ) -> tuple[int, http.client.HTTPMessage, dict[str, Any]]:
        account = self.account
        path = f"{urlsplit(account.url).path.rstrip('/')}/2010-04-01/Accounts/{account.account}/Messages.json"
        form = {"To": message.to, "From": account.sender, "Body": message.body}
        form["StatusCallback"] = f"{account.report_to}?{urlencode({'key': message.key})}"
        credentials = b64encode(f"{account.account}:{account.token}".encode()).decode()
        headers = {
            "Authorization": f"Basic {credentials}",
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "Accept": "application/json",
            "Idempotency-Key": message.key,
        }
        connection.request("POST", path, body=urlencode(form), headers=headers)
        response = connection.getresponse()
        return response.status, response.headers, _json(response.read(MOST_BYTES))

    def _outcome(self, status: int, headers: http.client.HTTPMessage, answer: dict[str, Any]) -> Outcome:
        code = answer.get("code")
        words = {"why": f"{status} {code}" if isinstance(code, int) else str(status)}
        if 200 <= status < 300:
            return Outcome(Fate.SENT, _("taken by the provider"), provider_id=str(answer.get("sid", ""))[:64])
        if status in {401, 403}:
            logger.error("sms gateway: refuses our account (%s)", status)
            self._down = Outcome(Fate.NOT_NOW, _("the provider refuses the account: %(why)s") % words)
            return self._down
        if status == 429:
            wait = _seconds(headers.get("Retry-After"))
            self._down = Outcome(Fate.NOT_NOW, _("the provider asks to wait: %(why)s") % words, wait=wait)
            return self._down
        if status in IN_BETWEEN:
            return Outcome(Fate.UNKNOWN, _("no clear answer from the provider: %(why)s") % words)
        if status >= 500 or status < 400 or status == 408:
            return Outcome(Fate.NOT_NOW, _("not accepted for now: %(why)s") % words)
        opted_out = code == OPTED_OUT
        detail = _("this number has said STOP to the provider: %(why)s") if opted_out else _("refused: %(why)s")
        return Outcome(Fate.REFUSED, detail % words, opted_out=opted_out)


def _why(error: Exception) -> dict[str, str]:
    """The kind of error alone: its text may repeat the address."""
    return {"why": type(error).__name__}


def _json(raw: bytes) -> dict[str, Any]:
    """The answer's object; nothing of an answer that is none."""
    try:
        found = json.loads(raw)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _seconds(text: str | None) -> timedelta:
    """``Retry-After`` in seconds; a date, or nothing, leaves the waiting to us."""
    if text is None or not text.strip().isdecimal():
        return timedelta(0)
    return min(timedelta(seconds=min(int(text), 10**6)), LONGEST_WAIT)


def gateway() -> HttpGateway:
    return HttpGateway(
        Account(
            url=settings.SMS_URL,
            account=settings.SMS_ACCOUNT,
            token=settings.SMS_TOKEN,
            sender=settings.SMS_FROM,
            report_to=settings.SITE_URL + reverse("followups:sms_report"),
        )
    )
