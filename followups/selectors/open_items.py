"""Everything that is open, in one piece: for paper when the computers are down, and for a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from followups.domain.picture import Urgency
from followups.selectors import loop, ranked, worklists
from followups.selectors.case import ORDER
from followups.selectors.worklists import Row

#: Nobody prints more; the page then says how many it leaves out.
MOST = 1000


@dataclass(frozen=True)
class OpenItems:
    """``left_out``: how many more there are than are printed; ``waiting``: whether those without haste are in it."""

    sections: tuple[tuple[Urgency, tuple[Row, ...]], ...]
    counts: dict[str, int]
    waiting: bool
    left_out: int

    @property
    def shown(self) -> int:
        return sum(len(rows) for _urgency, rows in self.sections)

    @property
    def patients(self) -> list[int]:
        """The ids of everybody on the page, for the audit."""
        return [row.patient.pk for _urgency, rows in self.sections for row in rows if row.patient]


def load(now: datetime, *, waiting: bool) -> OpenItems:
    """Critical, overdue and due; with ``waiting`` all the rest as well. Five queries."""
    counts = loop.counts(now)
    rows = every(now) if waiting else every(now).exclude(rank=ranked.WAITING)
    total = counts["open"] if waiting else counts["open"] - counts["waiting"]
    marks = [worklists.row_of(promise, now) for promise in rows.defer("opened_at", "snoozed_until")[:MOST]]
    by_urgency = ((urgency, tuple(row for row in marks if row.mark.state == urgency)) for urgency in ORDER)
    sections = tuple((urgency, found) for urgency, found in by_urgency if found)
    return OpenItems(sections, counts, waiting, total - len(marks))


def every(now: datetime, figure: str = "open") -> QuerySet[Any]:
    """The promises that a figure of the loop board counts, the most urgent first, with their patients' numbers."""
    return worklists.with_shared_subjects(worklists.figure(figure, now))


def patients(now: datetime, figure: str) -> tuple[int, list[int]]:
    """How many promises a figure counts, and the ids of everybody they are about."""
    rows = worklists.figure(figure, now).order_by().values_list("procedure__patient_id", flat=True)
    ids = list(rows)
    return len(ids), sorted({pk for pk in ids if pk is not None})


def streamed(now: datetime, figure: str) -> Iterator[Row]:
    """All of them, a few hundred at a time."""
    for promise in every(now, figure).iterator(chunk_size=500):
        yield worklists.row_of(promise, now)
