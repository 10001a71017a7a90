"""Which version of a result is the current one. Pure.

A withdrawn version withdraws everything before it; corrected outranks final outranks preliminary; then the
laboratory's reporting time, then arrival. Order of arrival never changes the answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol, TypeVar

from procedures.domain.states import ResultStatus

RANK = {ResultStatus.PRELIMINARY: 0, ResultStatus.FINAL: 1, ResultStatus.CORRECTED: 2}


class Version(Protocol):
    @property
    def number(self) -> int: ...
    @property
    def status(self) -> str: ...
    @property
    def reported_at(self) -> datetime: ...


V = TypeVar("V", bound=Version)


def current(versions: Iterable[V]) -> V | None:
    """The version that counts now, or None when there is none or all that there were are withdrawn."""
    rows = sorted(versions, key=lambda v: v.number)
    withdrawn = [v for v in rows if v.status == ResultStatus.WITHDRAWN]
    if withdrawn:
        last = max(withdrawn, key=lambda v: (v.reported_at, v.number))
        rows = [v for v in rows if v.reported_at > last.reported_at and v.status != ResultStatus.WITHDRAWN]
    if not rows:
        return None
    return max(rows, key=lambda v: (RANK[ResultStatus(v.status)], v.reported_at, v.number))
