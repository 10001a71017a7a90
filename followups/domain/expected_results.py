"""When results come, as a patient is told: each test with its day, those of one day together. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby


@dataclass(frozen=True, kw_only=True)
class Awaited:
    """One test that is not over. ``outer_at``: when it must be there; None: nothing has been taken yet."""

    label: str
    outer_at: datetime | None
    extended: bool = False


@dataclass(frozen=True, kw_only=True)
class Expected:
    """The tests of one day. ``extended``: they take longer than the others, and are named for it."""

    at: datetime | None
    labels: tuple[str, ...]
    extended: bool


def expected(tests: Iterable[Awaited]) -> Iterator[Expected]:
    """By day, the soonest first; what has no day yet comes last. Moments are in the clinic's local time."""
    for (_day, extended), group in groupby(sorted(tests, key=_place), key=_place):
        inside = list(group)
        labels = tuple(dict.fromkeys(t.label for t in inside))
        moments = [t.outer_at for t in inside if t.outer_at is not None]
        yield Expected(at=max(moments, default=None), labels=labels, extended=extended)


def _place(test: Awaited) -> tuple[date, bool]:
    return (test.outer_at.date() if test.outer_at is not None else date.max, test.extended)
