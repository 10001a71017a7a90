"""Units of laboratories as exact ratios. Pure.

A unit is read into what it measures and how many of the base unit it is, as an exact fraction: cells, grams, moles or
enzyme units per litre. Two units of the same measure are converted exactly; grams and moles never, because that needs
the substance (the protocol's own factor). What is not understood is None, never a guess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

_SUPERSCRIPTS = {ord(c): f"^{d}" for c, d in zip("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789", strict=True)}
_PREFIXES = {"": 0, "k": 3, "d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12}
_VOLUMES = {"l": 0, "dl": -1, "cl": -2, "ml": -3, "ul": -6, "nl": -9, "fl": -15, "m^3": 3, "m3": 3}
_CUBES = {"mm3": "ul", "mm^3": "ul", "cumm": "ul", "cmm": "ul", "cu.mm": "ul", "mcl": "ul", "100ml": "dl", "cc": "ml"}
_COUNTED = re.compile(r"(cells?|leukocytes?|erythrocytes?|wbc|rbc|pmn|#)")
_POWER = re.compile(r"[x×*.]?10(?:\^|\*\*|\*|e)(\d{1,2})")
_THOUSANDS = {"k": 3, "thou": 3, "thousand": 3, "mil": 6, "million": 6, "giga": 9, "gpt": 9, "mpt": 6, "tpt": 12}
_ENZYME = re.compile(r"([kmun]?)(u|iu|kat)")
_MASS = re.compile(r"([kdcmunp]?)g")
_MOLES = re.compile(r"([munp]?)mol")
#: One katal is so many enzyme units: a unit turns over one micromole a minute.
_UNITS_PER_KATAL = Fraction(60_000_000)


@dataclass(frozen=True)
class Unit:
    """``measure``: count, mass, moles or activity, each per litre; ``size``: how many of these it is."""

    measure: str
    size: Fraction


def parse(text: str) -> Unit | None:
    """``"10*9/L"`` is a thousand million per litre, ``"mg/dL"`` a hundredth of a gram; None for anything else."""
    numerator, slash, denominator = _plain(text).partition("/")
    volume = _VOLUMES.get(_CUBES.get(denominator, denominator))
    if not slash or volume is None:
        return None
    above = _numerator(numerator)
    return None if above is None else Unit(above.measure, above.size / _ten(volume))


def ratio(unit: str, wanted: str) -> Fraction | None:
    """What a number in ``unit`` is multiplied by to be in ``wanted``; None unless both measure the same."""
    found, goal = parse(unit), parse(wanted)
    if found is None or goal is None or found.measure != goal.measure:
        return None
    return found.size / goal.size


def _plain(text: str) -> str:
    """Lower case, without blanks, annotations in braces and square brackets, and with one sign for micro."""
    plain = re.sub(r"\{[^}]*\}", "", text).translate(_SUPERSCRIPTS).replace("µ", "u").replace("μ", "u")
    plain = re.sub(r"\s+", "", plain).lower().replace("[iu]", "iu").replace("[arb'u]", "u")
    head, slash, tail = plain.partition("/")
    return f"{_COUNTED.sub('', head).strip('.')}{slash}{tail.rstrip('.')}"


def _numerator(text: str) -> Unit | None:
    if text == "":
        return Unit("count", Fraction(1))
    power = _POWER.fullmatch(text)
    exponent = int(power[1]) if power else _THOUSANDS.get(text)
    if exponent is not None:
        return Unit("count", _ten(exponent))
    text = text.replace("mcg", "ug").replace("mcmol", "umol")
    if match := _MASS.fullmatch(text):
        return Unit("mass", _ten(_PREFIXES[match[1]]))
    if match := _MOLES.fullmatch(text):
        return Unit("moles", _ten(_PREFIXES[match[1]]))
    if match := _ENZYME.fullmatch(text):
        return Unit("activity", _ten(_PREFIXES[match[1]]) * (_UNITS_PER_KATAL if match[2] == "kat" else 1))
    return None


def _ten(exponent: int) -> Fraction:
    return Fraction(10) ** exponent
