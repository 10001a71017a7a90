"""Which readings are an alarm. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from followups.domain import backoff, watch
from followups.domain.watch import Beats, Limits, Readings, Waiting

LIMITS = Limits(engine=120, backlog=900, silence=3600)
WELL = Beats(engine_seconds=20, nightly_seconds=3600)


def test_a_healthy_engine_raises_no_alarm() -> None:
    readings = Readings(steps=Waiting(3, 20), channels={"email": Waiting(5, 900, 2)})
    assert watch.alarms(readings, WELL, LIMITS) == []


@pytest.mark.parametrize(
    ("readings", "beats", "alarm"),
    [
        ({}, {"engine_seconds": None}, "engine_late"),
        ({}, {"engine_seconds": 121}, "engine_late"),
        ({}, {"empty_roles": ("director",)}, "empty_role"),
        ({"steps": Waiting(1, 901)}, {}, "steps_late"),
        ({"channels": {"email": Waiting(0, 0), "sms": Waiting(1, 901)}}, {}, "backlog_late"),
        ({"failed": 1}, {}, "dead_letters"),
        ({"unknown": 1}, {}, "unknown_fate"),
        ({}, {"inbound_seconds": 121}, "inbound_down"),
        ({}, {"inbound_seconds": 5, "silent_seconds": 3601}, "inbound_silent"),
        ({"unread": Waiting(1, 901)}, {}, "inbound_unread"),
        ({"plan_failed": 1}, {}, "plan_failed"),
        ({}, {"nightly_faults": 1}, "nightly_fault"),
        ({}, {"nightly_seconds": 26 * 3600 + 1}, "nightly_late"),
        ({}, {"seal_broken": True}, "seal_broken"),
        ({}, {"seal_behind": 1}, "seal_missing"),
    ],
)
def test_each_trouble_is_its_own_alarm(readings: dict[str, Any], beats: dict[str, Any], alarm: str) -> None:
    seen = Beats(**({"engine_seconds": 20, "nightly_seconds": 3600} | beats))
    assert watch.alarms(Readings(**readings), seen, LIMITS) == [alarm]


def test_a_connection_that_nobody_has_used_and_a_silence_that_nobody_limits_are_no_alarm() -> None:
    assert watch.alarms(Readings(), Beats(engine_seconds=20, inbound_seconds=None), LIMITS) == []
    quiet = Beats(engine_seconds=20, inbound_seconds=5, silent_seconds=10**9)
    assert watch.alarms(Readings(), quiet, Limits(engine=120, backlog=900)) == []


def test_a_late_channel_is_named() -> None:
    readings = Readings(channels={"sms": Waiting(1, 1000), "email": Waiting(1, 10)})
    assert readings.late_channels(900) == ["sms"]


def test_a_message_that_is_put_off_again_and_again_waits_since_it_was_due_at_first() -> None:
    due = datetime(2026, 11, 20, 9, tzinfo=UTC)
    at = due
    for tries in range(1, len(backoff.DELAYS) + 1):
        decision = backoff.decide(fate=backoff.Fate.NOT_NOW, tries=tries, now=at, useful_until=None, may_repeat=True)
        assert isinstance(decision, backoff.RetryAt)
        at = decision.at
        assert backoff.first_due(tries=tries, not_before=at) == due
    assert backoff.first_due(tries=0, not_before=due + timedelta(hours=1)) == due + timedelta(hours=1)
