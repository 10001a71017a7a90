"""A laboratory's message that cannot be read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from followups.domain import closing, planner
from followups.domain.kinds import Closed, Kind, Subject
from followups.domain.message_facts import MessageFacts

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
BROKEN = MessageFacts(id=9, received_at=NOW, unreadable=True)


def test_what_cannot_be_read_counts_like_an_abnormal_result() -> None:
    (promise,) = planner.plan(BROKEN, Subject.MESSAGE)
    assert (promise.kind, promise.level, promise.about) == (Kind.UNREADABLE_MESSAGE, "abnormal", {"message": 9})


def test_it_ends_when_it_is_read_or_dealt_with() -> None:
    dealt = replace(BROKEN, unreadable=False)
    assert planner.plan(dealt, Subject.MESSAGE) == ()
    assert closing.because(Kind.UNREADABLE_MESSAGE, {}, dealt) is Closed.KEPT
