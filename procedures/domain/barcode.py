"""Code 128 (set B): a short text as bars that a scanner types. Pure.

Set B holds every printable ASCII sign; the check sign is what a scanner compares. Nothing is drawn here.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Widths of the three bars and three spaces of each of the 106 signs, then of the stop sign with its last bar.
_SIGNS = (
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222 "
    "123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321 "
    "232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 "
    "313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 "
    "111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 134111 "
    "111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 "
    "114311 411113 411311 113141 114131 311141 411131 211412 211214 211232 2331112"
)
_WIDTHS = _SIGNS.split()
_START_B, _STOP, _CHECK = 104, 106, 103
#: Empty room at either side that a scanner needs, in widths of the thinnest bar.
QUIET = 10


@dataclass(frozen=True)
class Bar:
    """A black bar, in widths of the thinnest one."""

    x: int
    width: int


@dataclass(frozen=True)
class Barcode:
    text: str
    bars: tuple[Bar, ...]
    width: int


def signs(text: str) -> list[int]:
    """Numbers of the signs with start, check and stop. Raises ValueError for what is not printable ASCII."""
    if not text or any(not " " <= sign <= "~" for sign in text):
        raise ValueError("Only printable ASCII can be a bar code.")
    values = [ord(sign) - 32 for sign in text]
    check = (_START_B + sum(place * value for place, value in enumerate(values, start=1))) % _CHECK
    return [_START_B, *values, check, _STOP]


def encode(text: str) -> Barcode | None:
    """The bars of a text; None when it cannot be one."""
    try:
        numbers = signs(text)
    except ValueError:
        return None
    bars, x = [], QUIET
    for number in numbers:
        for place, width in enumerate(int(digit) for digit in _WIDTHS[number]):
            if place % 2 == 0:
                bars.append(Bar(x, width))
            x += width
    return Barcode(text, tuple(bars), x + QUIET)
