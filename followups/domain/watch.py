"""What the engine is watched by: how long things wait, what did not arrive, and which of that is an alarm. Pure.

Every name in ``ALARMS`` has a part of its own in docs/runbook.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

ENGINE_LATE = "engine_late"
STEPS_LATE = "steps_late"
BACKLOG_LATE = "backlog_late"
DEAD_LETTERS = "dead_letters"
UNKNOWN_FATE = "unknown_fate"
PATIENTS_UNREACHED = "patients_unreached"
EMPTY_ROLE = "empty_role"
PLAN_FAILED = "plan_failed"
NIGHTLY_LATE = "nightly_late"
NIGHTLY_FAULT = "nightly_fault"
SEAL_MISSING = "seal_missing"
SEAL_BROKEN = "seal_broken"
INBOUND_DOWN = "inbound_down"
INBOUND_UNREAD = "inbound_unread"
INBOUND_SILENT = "inbound_silent"
#: In the order in which people are told.
ALARMS = (
    ENGINE_LATE,
    EMPTY_ROLE,
    STEPS_LATE,
    BACKLOG_LATE,
    DEAD_LETTERS,
    UNKNOWN_FATE,
    PATIENTS_UNREACHED,
    INBOUND_DOWN,
    INBOUND_UNREAD,
    INBOUND_SILENT,
    PLAN_FAILED,
    NIGHTLY_FAULT,
    NIGHTLY_LATE,
    SEAL_BROKEN,
    SEAL_MISSING,
)


@dataclass(frozen=True)
class Waiting:
    """``due``: what should have happened by now; ``oldest``: since how many seconds, 0 when nothing waits.
    ``retrying``: of a channel, what was tried and is to be tried again.
    """

    due: int = 0
    oldest: int = 0
    retrying: int = 0


@dataclass(frozen=True, kw_only=True)
class Readings:
    """One look. ``channels`` has a line for every channel there is; ``failed``, ``unknown``: of messages to staff;
    ``unread``: what laboratories sent.
    """

    steps: Waiting = Waiting()
    unread: Waiting = Waiting()
    channels: Mapping[str, Waiting] = field(default_factory=dict)
    sending: int = 0
    failed: int = 0
    unknown: int = 0
    #: Messages to patients that did not arrive, or may not have, and about which nobody has called.
    unreached: Waiting = Waiting()
    plan_failed: int = 0

    def data(self) -> dict[str, Any]:
        return asdict(self)

    def late_channels(self, limit: int) -> list[str]:
        """Channels on which something has waited for longer than ``limit`` seconds."""
        return sorted(name for name, waiting in self.channels.items() if waiting.oldest > limit)


@dataclass(frozen=True, kw_only=True)
class Beats:
    """What the engine, the nightly check, the seal and the laboratory connection said of themselves; ``*_seconds`` ago,
    None for never.
    """

    engine_seconds: int | None
    empty_roles: tuple[str, ...] = ()
    nightly_seconds: int | None = None
    nightly_faults: int = 0
    seal_behind: int = 0  # finished days without a seal, beyond the one that the coming night makes
    seal_broken: bool = False
    inbound_seconds: int | None = None
    silent_seconds: int | None = None  # since the last message of any laboratory


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Seconds after which it is an alarm."""

    engine: int
    backlog: int
    unreached: int = 4 * 3600  # as long as the call may take (``kinds.message_undelivered``)
    nightly: int = 26 * 3600  # a day, and two of the hourly looks
    silence: int = 0  # 0: laboratories may be silent for ever


def alarms(readings: Readings, beats: Beats, limits: Limits) -> list[str]:
    """What is wrong now, by name. A nightly check that has never run is no alarm: where it stays away, days without a
    seal are. Neither is a laboratory connection that nobody has ever used.
    """
    wrong = {
        ENGINE_LATE: beats.engine_seconds is None or beats.engine_seconds > limits.engine,
        EMPTY_ROLE: bool(beats.empty_roles),
        STEPS_LATE: readings.steps.oldest > limits.backlog,
        BACKLOG_LATE: bool(readings.late_channels(limits.backlog)),
        DEAD_LETTERS: readings.failed > 0,
        UNKNOWN_FATE: readings.unknown > 0,
        PATIENTS_UNREACHED: readings.unreached.oldest > limits.unreached,
        PLAN_FAILED: readings.plan_failed > 0,
        INBOUND_DOWN: (beats.inbound_seconds or 0) > limits.engine,
        INBOUND_UNREAD: readings.unread.oldest > limits.backlog,
        INBOUND_SILENT: 0 < limits.silence < (beats.silent_seconds or 0),
        NIGHTLY_FAULT: beats.nightly_faults > 0,
        NIGHTLY_LATE: (beats.nightly_seconds or 0) > limits.nightly,
        SEAL_BROKEN: beats.seal_broken,
        SEAL_MISSING: beats.seal_behind > 0,
    }
    return [name for name in ALARMS if wrong[name]]
