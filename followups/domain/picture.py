"""The case picture: one line of stations from the request to the closed case, as plain data.

Facts stand above the line, promises below it, and each test is a branch with its own clock. This module says only
what the picture is made of; who builds it decides what is on it. Every label is already a word for people, every
moment is aware. ``templates/components/timeline.html`` draws it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Mark(StrEnum):
    """Where a station, a branch or one of its steps stands."""

    DONE = "done"
    CURRENT = "current"
    PROMISED = "promised"
    #: Will not happen or did not apply: passed without stopping.
    SKIPPED = "skipped"


class Urgency(StrEnum):
    """What a promise is at the moment of reading."""

    WAITING = "waiting"
    DUE = "due"
    OVERDUE = "overdue"
    CRITICAL = "critical"


class ResultLevel(StrEnum):
    """What the current version of a result asks for; empty where there is none or nobody has judged it."""

    NONE = ""
    NORMAL = "normal"
    ABNORMAL = "abnormal"
    CRITICAL = "critical"


@dataclass(frozen=True)
class PromiseMark:
    """Something that must still happen. ``owner`` is a person or a role and never empty."""

    label: str
    owner: str
    due: datetime | None
    state: Urgency
    url: str = ""

    def __post_init__(self) -> None:
        if not self.owner:
            raise ValueError(f"promise {self.label!r} has no owner")


@dataclass(frozen=True)
class Step:
    """One stop of a branch: collected, received, preliminary, final, reviewed."""

    label: str
    state: Mark
    when: datetime | None = None


@dataclass(frozen=True)
class Branch:
    """One test with its own clock. ``extended`` says that it takes longer than the others, and is meant to."""

    label: str
    state: Mark
    extended: bool
    steps: tuple[Step, ...]
    promise: PromiseMark | None = None
    result_level: ResultLevel = ResultLevel.NONE
    url: str = ""


@dataclass(frozen=True)
class Station:
    """One stop of the main line: ``who`` did it ``when``. The tests branch off at the one station that ``forks``."""

    label: str
    state: Mark
    when: datetime | None = None
    who: str = ""
    note: str = ""
    promises: tuple[PromiseMark, ...] = ()
    forks: bool = False


@dataclass(frozen=True)
class Picture:
    """The whole line, in order, and the tests that leave it."""

    stations: tuple[Station, ...]
    branches: tuple[Branch, ...] = ()

    def __post_init__(self) -> None:
        forks = sum(station.forks for station in self.stations)
        if self.branches and forks != 1:
            raise ValueError(f"branches leave the line at one station, not at {forks}")
