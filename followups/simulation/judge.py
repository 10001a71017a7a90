"""What the checker is given of a year: what providers accepted and what the pages show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from importlib import import_module
from typing import Protocol

from followups.selectors import loop
from followups.simulation.sinks import Accepted

#: Shares no code with what it judges, and so is called by its name alone.
CHECKER = "followups.checker"


class Judged(Protocol):
    """What it says."""

    @property
    def content(self) -> bool: ...

    def lines(self) -> Iterator[str]: ...


def judge(now: datetime, accepted: Sequence[Accepted], look: timedelta) -> Judged:
    """Everything that it asserts, at this moment."""
    checker = import_module(CHECKER)
    delivered = [checker.Delivered(row.key, row.at) for row in accepted]
    report: Judged = checker.check(now, delivered=delivered, shown=loop.counts(now), late=look)
    return report
