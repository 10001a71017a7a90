"""Text messages. ``SMS_GATEWAY`` says through which gateway: files on this computer, or a provider."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import cast

from django.conf import settings

from followups.channels.sms.gateway import SmsGateway

#: Name → module. ``file`` sends nothing to anybody.
GATEWAYS = {"file": "followups.channels.sms.files", "http": "followups.channels.sms.http"}


def gateway() -> SmsGateway:
    """The one of this installation. Raises KeyError for a name that is none."""
    return cast(SmsGateway, import_module(GATEWAYS[settings.SMS_GATEWAY]).gateway())


class SmsChannel:
    name = "sms"

    @contextmanager
    def session(self) -> Iterator[SmsGateway]:
        yield gateway()


CHANNEL = SmsChannel()
