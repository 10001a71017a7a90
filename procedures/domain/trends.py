"""A number over the procedures of a patient: its points, and where they stand in a small drawing. Pure.

The drawing is a picture of the table beside it and says nothing that the table does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from procedures.domain.calculations import Calculated, component_of
from procedures.domain.lab_content import Trend
from procedures.domain.measurement import Value, bounds, exact, number_text
from procedures.domain.protocol import Protocol

WIDTH, HEIGHT = 320, 120
#: Room for the numbers of the scale at the left, for the dates below, and for a mark at either end.
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 10, 22
#: Room above the highest value and below the lowest one, as a part of what lies between.
_MARGIN = 0.08


@dataclass(frozen=True, kw_only=True)
class Tap:
    """What is known of one procedure: laboratory values and calculations by name, numbers of the record."""

    code: str
    at: datetime
    values: Mapping[str, Value]
    calculated: Mapping[str, Calculated]
    record: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Point:
    """``text`` as it is written in the table; ``bound`` when the laboratory gave only less or more than that."""

    code: str
    at: datetime
    number: float
    text: str
    bound: bool = False
    preliminary: bool = False


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A point in the drawing."""

    x: float
    y: float
    point: Point


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """Everything in the units of the drawing: ``path`` joins the marks; ``line_y`` None without a line."""

    marks: tuple[Mark, ...]
    path: str
    line_y: float | None
    low: str
    high: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def points(protocol: Protocol, trend: Trend, taps: Sequence[Tap]) -> tuple[Point, ...]:
    """The trend's value of every tap that has one, oldest first. A value of unknown unit is left out, never guessed."""
    found = []
    for tap in sorted(taps, key=lambda t: (t.at, t.code)):
        point = next((p for name in trend.of if (p := _point(protocol, trend, name, tap)) is not None), None)
        if point is not None:
            found.append(point)
    return tuple(found)


def _point(protocol: Protocol, trend: Trend, name: str, tap: Tap) -> Point | None:
    head, dot, tail = name.partition(".")
    if not dot:
        computed = tap.calculated.get(name)
        if computed is None or computed.value is None:
            return None
        return _shown(trend, tap, exact(computed.value), preliminary=computed.preliminary)
    if head == "record":
        number = tap.record.get(tail)
        return None if number is None else _shown(trend, tap, exact(number))
    value = tap.values.get(name)
    known = None if value is None or value.is_blank else bounds(component_of(protocol, name), value)
    if value is None or known is None:
        return None
    sign = value.comparator
    return _shown(
        trend, tap, exact(known.high if sign.startswith("<") else known.low), sign=sign, preliminary=value.preliminary
    )


def _shown(trend: Trend, tap: Tap, number: Fraction, *, sign: str = "", preliminary: bool = False) -> Point:
    shown = float(number / exact(trend.divide_by))
    # a bound lies next to the number that the laboratory wrote; people are shown that number
    text = f"{sign} {number_text(round(shown, 6))} {trend.unit}".strip()
    return Point(code=tap.code, at=tap.at, number=shown, text=text, bound=bool(sign), preliminary=preliminary)


def draw(trend: Trend, found: Sequence[Point]) -> Drawing | None:
    """Where the points stand, by their dates; None for fewer than two, which are no trend."""
    if len(found) < 2:
        return None
    numbers = [point.number for point in found] + ([trend.line] if trend.line is not None else [])
    low, high = min(0.0, *numbers), max(numbers)
    high += (high - low) * _MARGIN or 1.0
    first, last = found[0].at, found[-1].at
    span = (last - first).total_seconds()

    def across(place: int, at: datetime) -> float:
        part = (at - first).total_seconds() / span if span else place / (len(found) - 1)
        return round(LEFT + part * (WIDTH - LEFT - RIGHT), 1)

    def up(number: float) -> float:
        return round(HEIGHT - BOTTOM - (number - low) / (high - low) * (HEIGHT - TOP - BOTTOM), 1)

    marks = tuple(Mark(x=across(i, p.at), y=up(p.number), point=p) for i, p in enumerate(found))
    return Drawing(
        marks=marks,
        path="M" + " L".join(f"{mark.x:g} {mark.y:g}" for mark in marks),
        line_y=None if trend.line is None else up(trend.line),
        low=number_text(low),
        high=number_text(max(point.number for point in found)),
    )
