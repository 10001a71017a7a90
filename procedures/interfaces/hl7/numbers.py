"""Numbers in texts: ``<5``, ``> 100``, ``≥250``, ``1.2E3``. What is not certainly a number stays text."""

from __future__ import annotations

import re

COMPARATORS = {
    "": "", "=": "", "<": "<", ">": ">", "<=": "<=", ">=": ">=", "=<": "<=", "=>": ">=", "≤": "<=", "≥": ">=",
    "≦": "<=", "≧": ">=", "&lt;": "<", "&gt;": ">", "&lt;=": "<=", "&gt;=": ">=",
}  # fmt: skip
_NUMBER = re.compile(
    r"(?a)(<=|>=|=<|=>|[<>=≤≥≦≧]|&lt;=?|&gt;=?)?\s*([+-]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][+-]?\d{1,2})?)"
)
#: A comma that can only be a decimal one: "0,25", "12,5"; "1,280" may be one or a thousand.
_COMMA = re.compile(r"(?a)([+-]?)(?:(0),(\d{1,30})|(\d{1,30}),(\d{1,2}|\d{4,30}))")
_SPACES = str.maketrans({"\xa0": " ", "\u202f": " ", "−": "-", "–": "-"})


def number(text: str) -> tuple[str, str] | None:
    """(comparator, number as written); None when the whole text is not one number."""
    text = text.strip().translate(_SPACES)
    if not text or len(text) > 80:
        return None
    sign, rest = _comparator(text)
    if found := _COMMA.fullmatch(rest):
        whole, after = (found[2], found[3]) if found[2] else (found[4], found[5])
        return sign, f"{found[1]}{whole}.{after}"
    found = _NUMBER.fullmatch(text)
    return (COMPARATORS[found[1] or ""], found[2]) if found else None


def comparator(text: str) -> str | None:
    """As a report knows it; None for what is none."""
    return COMPARATORS.get(text.strip().strip('"').strip())


def _comparator(text: str) -> tuple[str, str]:
    for length in (5, 4, 2, 1):
        if text[:length] in COMPARATORS:
            return COMPARATORS[text[:length]], text[length:].strip()
    return "", text
