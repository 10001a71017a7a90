"""What every channel is given and what it answers."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from followups.domain.backoff import Fate


@dataclass(frozen=True, kw_only=True)
class OutgoingMessage:
    """Ready to leave. ``key`` is the same for every attempt, so that a provider can drop a second copy."""

    key: str
    to: str
    subject: str
    body: str


@dataclass(frozen=True)
class Outcome:
    """What became of an attempt. ``detail`` is in words and names nobody: it is stored and shown.

    ``wait``: the provider asked not to be tried again before. ``provider_id``: what it calls the message.
    ``opted_out``: the provider says that whoever has this address wants no messages.
    """

    fate: Fate
    detail: str = ""
    wait: timedelta = timedelta(0)
    provider_id: str = ""
    opted_out: bool = False


class Session(Protocol):
    """One connection for many messages."""

    def send(self, message: OutgoingMessage) -> Outcome:
        """Try once. Never raises."""
        ...


class Channel(Protocol):
    """A way out."""

    name: str

    def session(self) -> AbstractContextManager[Session]:
        """Open when the first message needs it, closed at the end."""
        ...
