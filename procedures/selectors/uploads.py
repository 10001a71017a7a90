"""What became of messages that were given by hand. Nothing of what they say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from procedures.models import InboundItem, InboundMessage
from procedures.models.inbound import InboundState, ItemState

#: More lines than a person reads; the figures above them count all.
SHOWN = 200


@dataclass(frozen=True, kw_only=True)
class Became:
    """``entered``, ``waiting``: parts of it that made a result, and that wait for a person."""

    message: InboundMessage
    is_new: bool
    entered: int
    waiting: int


def became(given: Sequence[tuple[int, bool]]) -> list[Became]:
    """In the order in which they stood. Two queries."""
    numbers = [pk for pk, _new in given]
    messages = InboundMessage.objects.defer("raw").select_related("laboratory").in_bulk(numbers)
    items = Counter(InboundItem.objects.filter(message__in=numbers).values_list("message_id", "state"))
    return [
        Became(
            message=messages[pk],
            is_new=new,
            entered=items[pk, ItemState.APPLIED],
            waiting=items[pk, ItemState.WAITING],
        )
        for pk, new in given
        if pk in messages
    ]


def counts(rows: Sequence[Became]) -> dict[str, int]:
    """How many are in which state, in the words of the page."""
    states = Counter(row.message.state for row in rows)
    return {
        "all": len(rows),
        "again": sum(not row.is_new for row in rows),
        "unread": states[InboundState.STORED],
        "waiting": states[InboundState.WAITING],
        "unreadable": states[InboundState.UNREADABLE],
    }
