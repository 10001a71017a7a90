"""Temporary."""

from __future__ import annotations

from collections.abc import Iterable


def sounds_critical(texts: Iterable[str], notes: Iterable[str]) -> bool:
    return any("diplococci" in t.lower() for t in texts) or any(
        "CRITICAL" in n or "called to" in n.lower() for n in notes
    )
