"""What a provider says later of a text that it took. Pure.

Only the state and the number of the error are taken from it: the rest repeats numbers and words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

DELIVERED = frozenset({"delivered", "read"})
FAILED = frozenset({"failed", "undelivered", "canceled"})
CODE = re.compile(r"\d{1,6}")
STATE = re.compile(r"[a-z_]{1,20}")


def report(fields: Mapping[str, str]) -> str:
    """``undelivered 30003``; empty when there is no state in it."""
    state = fields.get("MessageStatus", "").strip().lower()
    if not STATE.fullmatch(state):
        return ""
    code = CODE.fullmatch(fields.get("ErrorCode", "").strip())
    return f"{state} {code[0]}" if code else state


def delivered(report: str) -> bool:
    return report.partition(" ")[0] in DELIVERED


def failed(report: str) -> bool:
    return report.partition(" ")[0] in FAILED
