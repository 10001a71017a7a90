"""The loop board: its figures, the engine's health, and the promises behind each figure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.paginator import Page as Rows
from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext_lazy as _

from followups.selectors import engine as engine_selector
from followups.selectors import loop, paging, ranked, worklists
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
    marker: str  # for the next poll
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
    return paging.marker({"open": ranked.fingerprint(now)}, now, FRESH)


def load(*, show: str, now: datetime, number: str | None = None) -> LoopBoard:
    """The board (three queries), or a page of the promises of one figure (two)."""
    return _figure(show, now, number) if show in loop.FIGURES else _board(now)


def _figure(show: str, now: datetime, number: str | None) -> LoopBoard:
    found = _asked(now, listed=_numbers(show, paging.offset(number), paging.SIZE))
    figures = loop.figures(found["counted"])
    page = paging.places(figures[show], number)
    if figures[show] and page.start_index() - 1 != paging.offset(number):  # no such page: the nearest one
        found |= _asked(now, listed=_numbers(show, page.start_index() - 1, paging.SIZE))
    rows = worklists.read(found["listed"])
    return LoopBoard(
        figures=figures, show=show, page=page, marker=_marker(found, now), rows=_rows(found["listed"], rows, now)
    )


def _board(now: datetime) -> LoopBoard:
    found = _asked(
        now,
        oldest=ranked.numbers("TRUE", "opened_at, id", f"LIMIT {FIRST}"),
        unowned=_numbers("unowned", 0, FIRST),
        escalated=_numbers("escalated", 0, FIRST),
    )
    rows = worklists.read({*found["oldest"], *found["unowned"], *found["escalated"]})
    return LoopBoard(
        figures=loop.figures(found["counted"]),
        show="",
        marker=_marker(found, now),
        engine=engine_selector.glance(),
        oldest=_rows(found["oldest"], rows, now),
        unowned=_rows(found["unowned"], rows, now),
        escalated=_rows(found["escalated"], rows, now),
    )


def _asked(now: datetime, **lists: str) -> dict[str, Any]:
    """All figures, the fingerprint, and the ids of these lists. One query."""
    return ranked.ask({"counted": loop.COUNTED, "marker": ranked.changed(), **lists}, now, flags=loop.FLAGS)


def _numbers(figure: str, first: int, size: int) -> str:
    """Exactly the promises that a figure counts, the most urgent first."""
    return ranked.numbers(loop.condition(figure), "rank, due_at, id", f"LIMIT {size} OFFSET {first}")


def _marker(found: dict[str, Any], now: datetime) -> str:
    return paging.marker({"open": found["marker"]}, now, FRESH)


def _rows(ids: list[int], rows: dict[int, Any], now: datetime) -> tuple[Row, ...]:
    return tuple(worklists.row_of(rows[pk], now) for pk in ids if pk in rows)
