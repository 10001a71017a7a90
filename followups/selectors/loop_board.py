"""The loop board: its figures, the engine's health, and the promises behind each figure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.paginator import Page as Rows
from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext_lazy as _

from followups.models import FollowUp
from followups.selectors import engine as engine_selector
from followups.selectors import loop, paging, worklists
from followups.selectors.engine import Glance
from followups.selectors.worklists import Row

#: What the promises of a figure are called.
TITLES: dict[str, LazyText] = {
    "open": _("Everything that is open"),
    "due": _("Due"),
    "overdue": _("Overdue"),
    "critical": _("Critical"),
    "waiting": _("Waiting"),
    "unreviewed": _("Results that nobody has read"),
    "untold": _("Patients who have not been told"),
    "lost": _("Specimens lost or rejected, and nobody has decided what now"),
    "unmatched": _("Messages of laboratories that could not be placed or read"),
    "extended": _("Awaited results that take longer than the others"),
    "unowned": _("Without a person: a role's, and nobody has taken it"),
    "escalated": _("Moved on by the ladder"),
}

#: Rows of a list on the board itself; each list links to the whole of it.
FIRST = 10
#: The engine's age is on the board: it is read again at least so often.
FRESH = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class LoopBoard:
    """``show``: the figure whose promises are listed; empty for the board itself."""

    figures: dict[str, int]
    show: str
    rows: tuple[Row, ...] = ()
    page: Rows[Any] | None = None
    engine: Glance | None = None
    oldest: tuple[Row, ...] = ()
    unowned: tuple[Row, ...] = ()
    escalated: tuple[Row, ...] = ()

    @property
    def title(self) -> str:
        return str(TITLES[self.show]) if self.show else ""

    @property
    def patients(self) -> list[int]:
        """The ids of everybody on the page, for the audit."""
        rows = (*self.rows, *self.oldest, *self.unowned, *self.escalated)
        return [row.patient.pk for row in rows if row.patient]


def marker(now: datetime) -> str:
    """A fingerprint of everything open, for polls. One query."""
    rows = FollowUp.objects.filter(closed_at__isnull=True)
    return paging.marker(worklists.fingerprint(rows, now), now, FRESH)


def load(*, show: str, now: datetime, number: str | None = None) -> LoopBoard:
    """The board (six queries), or a page of the promises of one figure (two)."""
    figures = loop.counts(now)
    if show in figures:
        page = paging.page(worklists.figure(show, now), figures[show], number)
        rows = tuple(worklists.row_of(promise, now) for promise in page.object_list)
        return LoopBoard(figures=figures, show=show, rows=rows, page=page)
    oldest = worklists.with_subjects(loop.open_at(now)).order_by("opened_at", "pk")
    return LoopBoard(
        figures=figures,
        show="",
        engine=engine_selector.glance(),
        oldest=_first(oldest, now),
        unowned=_first(worklists.figure("unowned", now), now),
        escalated=_first(worklists.figure("escalated", now), now),
    )


def _first(rows: Any, now: datetime) -> tuple[Row, ...]:
    return tuple(worklists.row_of(promise, now) for promise in rows[:FIRST])
