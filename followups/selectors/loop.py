"""The numbers of the loop board, counted where they are shown and in ``loop_status``: one definition each.

What a promise is at a moment is decided by ``domain.labels``; ``open_at`` says the same in SQL, for lists that are
counted, ordered and cut into pages by the database. A test compares the two over every boundary.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Case, Count, DateTimeField, Q, QuerySet, SmallIntegerField, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, NullIf

from followups.domain.kinds import Kind
from followups.domain.labels import DUE_WITHIN
from followups.domain.picture import Urgency
from followups.models import FollowUp
from followups.selectors.case import ORDER

CRITICAL, OVERDUE, DUE, WAITING = (
    ORDER[word] for word in (Urgency.CRITICAL, Urgency.OVERDUE, Urgency.DUE, Urgency.WAITING)
)

#: Which open promises each figure counts. The four urgencies share out all that is open; the others overlap with them
#: on purpose. None: all of them.
FIGURES: dict[str, Q | None] = {
    "open": None,
    "due": Q(rank=DUE),
    "overdue": Q(rank=OVERDUE),
    "critical": Q(rank=CRITICAL),
    "waiting": Q(rank=WAITING),
    "unreviewed": Q(kind__in=[Kind.REVIEW_RESULT, Kind.REREAD_CORRECTION]),  # a result waits for its reader
    "untold": Q(kind=Kind.TELL_PATIENT),  # a patient waits to be told
    "lost": Q(kind=Kind.SPECIMEN_LOST),  # lost or rejected, and nobody has decided what now
    "unmatched": Q(kind__in=[Kind.MATCH_RESULT, Kind.UNREADABLE_MESSAGE]),  # a message waits for somebody to place it
    "extended": Q(kind=Kind.AWAITED_RESULT, about__extended=True),  # awaited, and known to take longer
    "unowned": Q(responsible__isnull=True, taken_by__isnull=True),  # a role's, and nobody has taken it
    "escalated": ~Q(escalated_role=""),  # moved to another role by its ladder
}


def open_at(now: datetime) -> QuerySet[Any]:
    """What is not kept yet. ``rank``: 0 critical, 1 overdue, 2 due, 3 waiting, as ``labels.urgency`` says."""
    usual = Cast(NullIf(KeyTextTransform("usual_at", "about"), Value("")), DateTimeField())
    rank = Case(
        When(level="critical", start_at__lte=now, then=Value(CRITICAL)),
        When(due_at__lt=now, then=Value(OVERDUE)),
        When(usual_at__lte=now, then=Value(DUE)),
        When(usual_at__isnull=False, then=Value(WAITING)),
        When(start_at__lte=now, due_at__lte=now + DUE_WITHIN, then=Value(DUE)),
        default=Value(WAITING),
        output_field=SmallIntegerField(),
    )
    return FollowUp.objects.filter(closed_at__isnull=True).alias(usual_at=usual).annotate(rank=rank)


def counts(now: datetime) -> dict[str, int]:
    """How many promises are open, and how many of those are what (``FIGURES``). One query."""
    figures = {name: Count("pk", filter=condition) for name, condition in FIGURES.items()}
    found: dict[str, int] = open_at(now).aggregate(**figures)
    return found
