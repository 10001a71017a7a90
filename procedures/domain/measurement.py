"""A measured value and its unit. Pure.

A value counts only when its unit is known: without one it is *unusable*, never a guess and never normal.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from procedures.domain import units
from procedures.domain.lab_content import Component

_SUPERSCRIPTS = {ord(c): f"^{d}" for c, d in zip("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789", strict=True)}
#: cells per microlitre and per cubic millimetre are written in many ways; all are lower case here
_ALIASES = {
    "/ul": "/uL",
    "/mcl": "/uL",
    "/cumm": "/mm3",
    "/cmm": "/mm3",
    "/mm^3": "/mm3",
    "/mm3": "/mm3",
    "10*9/l": "10*9/L",
    "10*6/l": "10*6/L",
    "10*3/ul": "10*9/L",
    "k/ul": "10*9/L",
    "giga/l": "10*9/L",
    "gpt/l": "10*9/L",
    "mpt/l": "10*6/L",
    "iu/l": "U/L",
    "u/l": "U/L",
    "percent": "%",
}
_COUNTED = re.compile(r"^(cells|cell|wbc|rbc|leukocytes|#)(?=/)")
_POWER = re.compile(r"^[x×*.]?10(?:\^|\*|\*\*|e)?([369])/(l|ul)$")
COMPARATORS = ("", "<", "<=", ">", ">=")


@dataclass(frozen=True, kw_only=True)
class Value:
    """One component as the laboratory gave it.

    ``number`` in ``unit``, or ``text`` (a choice code, an organism). ``comparator`` is the laboratory's *less than* or
    *greater than*: then the number is only a bound.
    """

    number: float | None = None
    text: str = ""
    unit: str = ""
    comparator: str = ""
    preliminary: bool = False
    collected_at: datetime | None = None

    @property
    def is_blank(self) -> bool:
        """Nothing was given: the same as no value at all."""
        return self.number is None and not self.text.strip()

    @classmethod
    def from_stored(
        cls, stored: Mapping[str, Any], *, preliminary: bool = False, collected_at: datetime | None = None
    ) -> Value:
        """From the JSON of a result version, ``{"value": 312, "unit": "/mm3", "text": "<5"}``."""
        raw = stored.get("value")
        number = float(raw) if isinstance(raw, int | float) and not isinstance(raw, bool) else None
        text = str(stored.get("text") or (raw if isinstance(raw, str) else "") or "").strip()
        if number is None:
            comparator, number = parse_number(text)
        else:
            comparator = str(stored.get("comparator") or parse_number(text)[0])
        return cls(
            number=number,
            text=raw.strip() if isinstance(raw, str) else text,
            unit=str(stored.get("unit") or ""),
            comparator=comparator,
            preliminary=preliminary,
            collected_at=collected_at,
        )


@dataclass(frozen=True)
class Bounds:
    """What is known of a number: it lies between ``low`` and ``high``, both possible. Exact: both the same."""

    low: float
    high: float


def parse_number(text: str) -> tuple[str, float | None]:
    """``"<5"`` is ``("<", 5.0)``; ``"312"`` is ``("", 312.0)``; what is no number is ``("", None)``."""
    match = re.fullmatch(r"\s*(<=|>=|<|>|≤|≥)?\s*([-+]?\d+(?:\.\d+)?)\s*", text)
    if match is None:
        return "", None
    comparator = {"≤": "<=", "≥": ">="}.get(match[1] or "", match[1] or "")
    return comparator, float(match[2])


def normal_unit(unit: str) -> str:
    """One spelling for the many of the same unit: ``×10⁹/L``, ``10^9/L`` and ``K/uL`` are ``10*9/L``."""
    text = unit.translate(_SUPERSCRIPTS).replace("µ", "u").replace("μ", "u").replace(" ", "")
    lowered = _COUNTED.sub("", text.lower())
    power = _POWER.match(lowered)
    if power:
        exponent = int(power[1]) + (6 if power[2] == "ul" else 0)
        return f"10*{exponent}/L" if exponent in (6, 9) else text
    return _ALIASES.get(lowered, text)


def factor(component: Component, unit: str) -> Fraction | None:
    """What to multiply a number in ``unit`` by to get the component's first unit, exactly; None when it is not known.

    The component's own list first, then any other unit of the same measure (mg/L for g/dL). Laboratories write units
    in any case (``MG/DL``); no two units of one component differ in nothing else.
    """
    wanted = normal_unit(unit).lower()
    for known, multiplier in zip(component.units, component.factors, strict=True):
        if normal_unit(known).lower() == wanted:
            return exact(multiplier)
    return units.ratio(unit, component.units[0]) if component.units else None


def exact(number: float) -> Fraction:
    """The decimal number that was written: 0.1 is one tenth, not the binary number next to it."""
    return Fraction(repr(number))


def bounds(component: Component, value: Value) -> Bounds | None:
    """What is known of the number in the component's canonical unit; None when it cannot be used."""
    number = _converted(component, value)
    if number is None or value.comparator not in COMPARATORS:
        return None
    if value.comparator.startswith("<"):
        low = min(0.0, float(number))
        return Bounds(low, math.nextafter(float(number), -math.inf) if value.comparator == "<" else float(number))
    if value.comparator.startswith(">"):
        high = math.nextafter(float(number), math.inf) if value.comparator == ">" else float(number)
        return Bounds(high, math.inf)
    return Bounds(float(number), float(number))


def canonical(component: Component, value: Value) -> Fraction | None:
    """The exact number in the component's canonical unit; None for a bound, an unknown unit or no number."""
    return None if value.comparator else _converted(component, value)


def _converted(component: Component, value: Value) -> Fraction | None:
    if value.number is None or not math.isfinite(value.number):
        return None
    multiplier = factor(component, value.unit)
    return None if multiplier is None else exact(value.number) * multiplier


def number_text(number: float) -> str:
    """A computed number as people write it: at most six places, never with an exponent where that can be helped."""
    text = f"{number:.6f}".rstrip("0").rstrip(".")
    return text if float(text) != 0 else f"{number:g}"


def is_usable(component: Component, value: Value | None) -> bool:
    """Whether the value can be judged: a number in a known unit, a known choice, or some text."""
    if value is None:
        return False
    if component.kind == "number":
        return bounds(component, value) is not None
    if component.kind == "choice":
        return any(choice.code == value.text for choice in component.choices)
    if component.kind == "said":
        return False
    return bool(value.text.strip())
