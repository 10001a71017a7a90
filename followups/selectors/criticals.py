"""Critical results that nobody has read: shown to everybody on duty until somebody takes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page
from django.db.models import Case, Count, IntegerField, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce

from clinic.models import User
from clinic.roles import CLINICAL, Role
from followups.domain.kinds import Kind
from followups.models import FollowUp
from followups.selectors import paging, worklists
from followups.selectors.worklists import Row

#: A result that waits to be read, for the first time or again.
KINDS = frozenset({Kind.REVIEW_RESULT, Kind.REREAD_CORRECTION})
#: By somebody who can read it.
TAKEN = Q(taken_by__roles__contains=[str(Role.PHYSICIAN)])


def unread() -> QuerySet[FollowUp]:
    """Open promises to read a critical result, the oldest first."""
    rows = FollowUp.objects.filter(closed_at__isnull=True, level="critical", kind__in=[str(kind) for kind in KINDS])
    return rows.order_by("start_at", "pk")


def untaken() -> QuerySet[FollowUp]:
    """Those that no physician has taken. That somebody is responsible, or has seen them, takes none of them; a nurse
    who takes one has it in hand but cannot read it.
    """
    return unread().filter(Q(taken_by__isnull=True) | ~TAKEN)


@dataclass(frozen=True)
class Criticals:
    """A page of those that nobody has read; those that no physician has taken come first. The totals are of all."""

    page: Page[Any]
    rows: tuple[Row, ...]
    untaken_total: int
    taken_total: int

    @property
    def untaken(self) -> list[Row]:
        return [row for row in self.rows if not _is_taken(row)]

    @property
    def taken(self) -> list[Row]:
        return [row for row in self.rows if _is_taken(row)]


def load(now: datetime, number: str | None = None) -> Criticals:
    """Two queries, however many there are."""
    rows = unread().annotate(is_taken=Case(When(TAKEN, then=Value(1)), default=Value(0)))
    counts = rows.order_by().aggregate(all=Count("pk"), taken=Sum("is_taken"))
    taken = counts["taken"] or 0
    page = paging.page(worklists.with_subjects(rows.order_by("is_taken", "start_at", "pk")), counts["all"], number)
    shown = tuple(worklists.row_of(promise, now) for promise in page.object_list)
    return Criticals(page, shown, counts["all"] - taken, taken)


def _is_taken(row: Row) -> bool:
    return bool(getattr(row.follow_up, "is_taken", 0))


def untaken_count() -> Coalesce:
    """Their number as an expression, to be counted beside another row."""
    rows = untaken().order_by().values("level").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(rows), Value(0), output_field=IntegerField())


def may_see(user: object) -> bool:
    """Everybody who sees charts; a scheduler and an administrator do not."""
    return isinstance(user, User) and user.has(*CLINICAL)
