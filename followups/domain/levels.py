"""How urgent a result is. Pure."""

from __future__ import annotations


def graded(level: str) -> str:
    """A level that the rules could not tell counts as abnormal, never as normal."""
    return level if level in {"normal", "critical"} else "abnormal"


def at_least_abnormal(level: str) -> str:
    """A correction is never read as calmly as a first normal result."""
    return "critical" if level == "critical" else "abnormal"
