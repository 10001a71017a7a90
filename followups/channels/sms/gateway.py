"""What a gateway for text messages must do."""

from __future__ import annotations

from typing import Protocol

from followups.channels.base import Outcome, OutgoingMessage


class SmsGateway(Protocol):
    """Takes one text at a time. A subject is not sent: a text has none."""

    def send(self, message: OutgoingMessage) -> Outcome:
        """Try once. Never raises; ``message.key`` is the same for each try of one message."""
        ...
