"""How urgent a result is. Pure."""

from __future__ import annotations


def graded(level: str) -> str:
    """A level that the rules could not tell counts as abnormal, never as normal."""
    return level if level in {"normal", "critical"} else "abnormal"
