"""Code 128: what the bars say is what the label says."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procedures.domain import barcode
from procedures.domain.barcode import QUIET


def test_every_sign_is_eleven_wide_and_the_stop_sign_thirteen() -> None:
    widths = [sum(int(d) for d in sign) for sign in barcode._WIDTHS]
    assert widths == [11] * 106 + [13]
    assert len(set(barcode._WIDTHS)) == 107


def test_the_signs_of_the_standard_s_own_example() -> None:
    # "PJJ123C" in set A has check sign 54; the same signs in set B start one higher
    assert barcode.signs("PJJ123C") == [104, 48, 42, 42, 17, 18, 19, 35, 55, 106]


def test_bars_and_spaces_of_the_start_sign() -> None:
    found = barcode.encode("A")
    assert found is not None
    assert [(b.x - QUIET, b.width) for b in found.bars[:3]] == [(0, 2), (3, 1), (6, 1)]
    assert found.width == 11 * 3 + 13 + 2 * QUIET


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=40))
def test_what_is_read_back_from_the_bars_is_the_text(text: str) -> None:
    found = barcode.encode(text)
    assert found is not None
    dark = {x for bar in found.bars for x in range(bar.x, bar.x + bar.width)}
    pattern = [x in dark for x in range(QUIET, found.width - QUIET)]
    read = [_sign(pattern[place : place + 11]) for place in range(0, len(pattern) - 13, 11)]
    assert "".join(chr(number + 32) for number in read[1:-1]) == text
    assert read[-1] == (104 + sum(p * n for p, n in enumerate(read[1:-1], start=1))) % 103


def _sign(pattern: list[bool]) -> int:
    runs, count = "", 1
    for one, two in pairwise(pattern):
        if one == two:
            count += 1
        else:
            runs, count = runs + str(count), 1
    return barcode._WIDTHS.index(runs + str(count))


@pytest.mark.parametrize("text", ["", "Müller", "a\tb", "№ 7"])
def test_what_a_scanner_cannot_type_is_no_bar_code(text: str) -> None:
    assert barcode.encode(text) is None
