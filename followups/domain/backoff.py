"""What follows an attempt that did not deliver. Pure: the caller stores the decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias


class Fate(StrEnum):
    """What became of one attempt."""

    SENT = "sent"
    REFUSED = "refused"  # for good: another try would be refused as well
    NOT_NOW = "not_now"  # try again later
    UNKNOWN = "unknown"  # it may have arrived


#: Waiting time after the first, second … unsuccessful attempt; after the last one it is given up.
DELAYS = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=4),
)


@dataclass(frozen=True)
class RetryAt:
    at: datetime


@dataclass(frozen=True)
class GiveUp:
    """Failed: a person sees it on the engine's page, and the ladder goes on regardless."""


@dataclass(frozen=True)
class Expire:
    """Nobody needs it any more."""


@dataclass(frozen=True)
class Ask:
    """It may have arrived and must not arrive twice: a person decides."""


Decision: TypeAlias = RetryAt | GiveUp | Expire | Ask


def decide(
    *,
    fate: Fate,
    tries: int,
    now: datetime,
    useful_until: datetime | None,
    may_repeat: bool,
    wait: timedelta = timedelta(0),
) -> Decision:
    """What to do after the ``tries``-th attempt (counted from 1) that was not a success.

    ``may_repeat``: a second copy does no harm. A reminder to staff may repeat, a message to a patient may not.
    ``wait``: the provider asked for at least this.
    """
    if fate is Fate.SENT:
        raise ValueError("a message that was sent needs no decision")
    if fate is Fate.REFUSED:
        return GiveUp()
    if fate is Fate.UNKNOWN and not may_repeat:
        return Ask()
    if tries > len(DELAYS):
        return GiveUp()
    at = now + max(DELAYS[tries - 1], wait)
    if useful_until is not None and at > useful_until:
        return Expire()
    return RetryAt(at)


def first_due(*, tries: int, not_before: datetime) -> datetime:
    """When a message was due at first that has been put off ``tries`` times: for how long it has been waiting."""
    return not_before - sum(DELAYS[:tries], timedelta(0))
