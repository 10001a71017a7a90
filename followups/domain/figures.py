"""Figures as they may be said: a share with what it is a share of, times with how many they are of. Pure.

A percentage of three is no percentage: below ``SMALL`` a share is said as *n of N* alone. Nothing is never 0 % and
never 100 %.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

#: Below so many a share is said without a percentage.
SMALL = 20
#: Below so many a 90th percentile says nothing.
FEW = 10


@dataclass(frozen=True)
class Share:
    """``part`` of ``whole``."""

    part: int
    whole: int

    @property
    def percent(self) -> int | None:
        """Rounded; None of few or of nothing. Not 100 while one is missing, not 0 while there is one."""
        if self.whole < SMALL:
            return None
        rounded = round(100 * self.part / self.whole)
        if rounded == 100 and self.part < self.whole:
            return 99
        if rounded == 0 and self.part:
            return 1
        return rounded


@dataclass(frozen=True)
class Times:
    """How long it took, of those for which it is known. None where there are none, or too few to say."""

    count: int
    median: timedelta | None = None
    p90: timedelta | None = None

    @classmethod
    def of(cls, count: int, median: timedelta | None, p90: timedelta | None) -> Times:
        """As the database has computed them."""
        return cls(count, median if count else None, p90 if count >= FEW else None)


#: A gauge in the units of its picture: where the limit stands, and where the picture ends.
LIMIT_X = 150
WIDTH = 200
#: What took no time at all is still drawn.
THINNEST = 1.5


@dataclass(frozen=True)
class Gauge:
    """Times against their limit as a picture: positions from the left. ``beyond``: longer than the picture is wide."""

    median: float
    p90: float | None
    usual: float | None
    late: bool
    beyond: bool


def gauge(times: Times, limit: timedelta, usual: timedelta | None = None) -> Gauge | None:
    """None while there is nothing to draw."""
    if times.median is None or limit <= timedelta(0):
        return None

    def at(length: timedelta) -> float:
        return round(min(max(length / limit * LIMIT_X, 0), WIDTH), 1)

    longest = times.p90 or times.median
    return Gauge(
        median=max(at(times.median), THINNEST),
        p90=at(times.p90) if times.p90 is not None else None,
        usual=at(usual) if usual is not None else None,
        late=times.median > limit,
        beyond=longest / limit * LIMIT_X > WIDTH,
    )
