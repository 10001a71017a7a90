"""What the checker is given of a year: what providers took, what was acknowledged, and what the pages show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from followups import checker
from followups.checker import Delivered, Report
from followups.selectors import shown
from followups.simulation.sinks import Accepted


def judge(now: datetime, accepted: Sequence[Accepted], acknowledged: Iterable[str], look: timedelta) -> Report:
    """Everything that it asserts, at this moment."""
    return checker.check(
        now,
        delivered=[Delivered(row.key, row.at) for row in accepted],
        shown=shown.counts(now),
        late=look,
        acknowledged=acknowledged,
    )
