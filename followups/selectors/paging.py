"""Lists in pages, and a cheap answer to *has anything changed since I last looked?*"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet

SIZE = 25
#: A list that has not changed is still read again so often: its words for time ("in 3 h") grow old.
FRESH = timedelta(minutes=5)


class Counted(Paginator):  # type: ignore[type-arg]  # not subscriptable at run time
    """A paginator that is told how many rows there are, because the page has counted them already."""

    def __init__(self, rows: QuerySet[Any], total: int, size: int = SIZE) -> None:
        super().__init__(rows, size)
        self.count = total  # in place of the query that the property would make


def page(rows: QuerySet[Any], total: int, number: str | None, size: int = SIZE) -> Page[Any]:
    """The page of that number; the nearest one when there is no such page. One query, when it is read."""
    return Counted(rows, total, size).get_page(number or 1)


def places(total: int, number: str | None, size: int = SIZE) -> Page[Any]:
    """The same where the page itself reads its rows: it holds their places in the list."""
    return Paginator(range(total), size).get_page(number or 1)


def offset(number: str | None, size: int = SIZE) -> int:
    """Where the page of that number begins, should there be one."""
    asked = int(number) if number and number.isascii() and number.isdigit() and len(number) < 8 else 1
    return max(asked - 1, 0) * size


def marker(found: Mapping[str, Any], now: datetime, fresh: timedelta = FRESH) -> str:
    """A short fingerprint of what an aggregate query has found, for the address of the next poll.

    It differs when a figure differs, and at the latest after ``fresh``.
    """
    period = int(now.timestamp() // fresh.total_seconds())
    words = "|".join(f"{name}={found[name]}" for name in sorted(found))
    return hashlib.sha256(f"{period}|{words}".encode()).hexdigest()[:16]
