"""What the checker is given of a year: what providers took, what was acknowledged, and what the pages show."""

from __future__ import annotations

from datetime import datetime

from followups import checker
from followups.checker import Delivered, Report
from followups.selectors import shown
from followups.simulation.year import Year


def judge(year: Year, now: datetime) -> Report:
    """Everything that it asserts, at this moment."""
    return checker.check(
        now,
        delivered=[Delivered(row.key, row.at) for row in year.accepted],
        shown=shown.counts(now),
        late=year.wanted.look,
        acknowledged=year.world.acknowledged,
        asleep=year.world.time.slept,
    )
