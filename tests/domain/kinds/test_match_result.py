"""A laboratory's result that could not be placed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from clinic.roles import Role
from followups.domain import closing, kinds, planner
from followups.domain.kinds import Closed, Kind, Subject
from followups.domain.kinds.spec import Plural
from followups.domain.message_facts import MessageFacts
from followups.services import ladders

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
WAITS = MessageFacts(id=9, received_at=NOW, waiting=2)


def test_what_waits_is_the_nurses_until_somebody_has_placed_it() -> None:
    (promise,) = planner.plan(WAITS, Subject.MESSAGE)
    assert (promise.kind, promise.role, promise.start_at) == (Kind.MATCH_RESULT, Role.NURSE, NOW)
    assert promise.about == {"message": 9, "n": 2}
    assert planner.plan(replace(WAITS, waiting=0), Subject.MESSAGE) == ()


@pytest.mark.parametrize(("level", "hours"), [("critical", 1), ("abnormal", 4), ("normal", 8)])
def test_the_worse_it_looks_the_sooner_it_is_due(level: str, hours: int) -> None:
    (promise,) = planner.plan(replace(WAITS, level=level), Subject.MESSAGE)
    assert (promise.level, promise.due_at) == (level, NOW + timedelta(hours=hours))


def test_one_that_looks_critical_reaches_a_physician_within_minutes_and_never_stops() -> None:
    ladder = ladders.ladder(Kind.MATCH_RESULT, "critical")
    physician = next(rung for rung in ladder.rungs if rung.to == "physician")
    assert physician.after <= timedelta(minutes=30)
    assert ladder.rungs[0].after == timedelta(0)
    assert ladder.rungs[-1].repeat_every is not None


def test_it_says_how_many_and_nothing_of_what_they_say() -> None:
    line = kinds.of(Kind.MATCH_RESULT).line_of({"message": 9, "n": 2}, "match")
    assert isinstance(line, Plural)
    assert line.n == 2


def test_it_is_kept_when_nothing_waits_any_more() -> None:
    assert closing.because(Kind.MATCH_RESULT, {}, replace(WAITS, waiting=0)) is Closed.KEPT
    assert closing.because(Kind.MATCH_RESULT, {}, WAITS) is Closed.NO_LONGER_NEEDED
