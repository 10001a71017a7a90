"""When the clinic is open, and spans of time that are added to and taken from each other. Pure.

A clinic is open from its first opening to its last closing of a day: a lunch break is no night. Hours are local times,
resolved day by day, so that a day on which the clock changes is right. Without any hours it is never known to be open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

DAY = timedelta(days=1)


@dataclass(frozen=True, order=True)
class Span:
    """From ``start`` until before ``end``."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Opening:
    """``hours``: weekday, opens, closes. ``closures``: first and last day, both included, of the whole clinic."""

    hours: tuple[tuple[int, time, time], ...]
    closures: tuple[tuple[date, date], ...]
    zone: tzinfo

    def on(self, day: date) -> Span | None:
        """From the first opening to the last closing of a local day; None when it stays shut."""
        if any(first <= day <= last for first, last in self.closures):
            return None
        rows = [(opens, closes) for weekday, opens, closes in self.hours if weekday == day.weekday()]
        if not rows:
            return None
        return Span(_moment(day, min(o for o, _ in rows), self.zone), _moment(day, max(c for _, c in rows), self.zone))

    def is_open(self, moment: datetime) -> bool:
        span = self.on(moment.astimezone(self.zone).date())
        return span is not None and span.start <= moment < span.end

    def shut_within(self, start: datetime, end: datetime) -> list[Span]:
        """The nights, weekends and closures of an interval, in order."""
        days = _days(start.astimezone(self.zone).date(), end.astimezone(self.zone).date())
        return minus([Span(start, end)], [span for day in days if (span := self.on(day))])


def minus(spans: Iterable[Span], holes: Iterable[Span]) -> list[Span]:
    """What is left of ``spans`` without ``holes``, in order."""
    left = sorted(spans)
    for hole in holes:
        cut: list[Span] = []
        for span in left:
            before = Span(span.start, min(span.end, hole.start))
            after = Span(max(span.start, hole.end), span.end)
            outside = hole.end <= span.start or span.end <= hole.start
            cut += [span] if outside else [part for part in (before, after) if part.start < part.end]
        left = cut
    return sorted(left)


def day_span(day: date, zone: tzinfo) -> Span:
    """A local day, which has 23 or 25 hours when the clock changes."""
    return Span(_moment(day, time(0), zone), _moment(day + DAY, time(0), zone))


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += DAY


def _moment(day: date, at: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)
