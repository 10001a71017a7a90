"""Plain values as a page shows them."""

from __future__ import annotations

import pytest

from clinic.templatetags.numbers import plain


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        (None, "–"),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        ("final", "final"),
        ([], "–"),
        ([3, None], "3, –"),
        ({"room": None, "seen": True, "tests": [1, 2]}, "room –, seen yes, tests 1, 2"),
    ],
)
def test_a_stored_detail_is_shown_in_words(stored: object, shown: str) -> None:
    assert plain(stored) == shown
