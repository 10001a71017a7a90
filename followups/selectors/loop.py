"""The numbers of the loop board, counted where they are shown and in ``loop_status``: one definition each."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from followups.domain.kinds import Kind
from followups.selectors import ranked
from followups.selectors.ranked import CRITICAL, DUE, OVERDUE, WAITING

open_at = ranked.open_at

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


#: The same, as columns of ``ranked``: what a rank decides is asked of the rank.
RANKS = {"due": DUE, "overdue": OVERDUE, "critical": CRITICAL, "waiting": WAITING}
FLAGS: ranked.Flags = tuple((f"is_{name}", q) for name, q in FIGURES.items() if q is not None and name not in RANKS)


def condition(figure: str) -> str:
    """Which of ``ranked`` a figure counts."""
    if figure in RANKS:
        return f"rank = {RANKS[figure]}"
    return "TRUE" if FIGURES[figure] is None else f"is_{figure}"


#: The question for all figures.
COUNTED = "(SELECT ARRAY[{}] FROM ranked)".format(
    ", ".join(f"count(*) FILTER (WHERE {condition(name)})" for name in FIGURES)
)


def counts(now: datetime) -> dict[str, int]:
    """How many promises are open, and how many of those are what (``FIGURES``). One query."""
    return figures(ranked.ask({"counted": COUNTED}, now, flags=FLAGS)["counted"])


def figures(counted: list[int]) -> dict[str, int]:
    """The answer to ``COUNTED`` by name."""
    return dict(zip(FIGURES, counted, strict=True))
