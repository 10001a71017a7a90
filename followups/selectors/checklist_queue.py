"""Checklists as a queue of work: today's, tomorrow's, later ones, and those still owed after an emergency."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Any

from django.core.paginator import Page as Rows
from django.db.models import Case, Count, Exists, F, Max, OuterRef, Q, QuerySet, SmallIntegerField, Sum, Value, When
from django.db.models.functions import Coalesce
from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from clinic.models import User
from clinic.models.columns import without
from followups.domain.kinds import Kind
from followups.models import FollowUp
from followups.selectors import board, columns, paging
from procedures.domain.checklist import Summary, Word
from procedures.domain.states import ProcedureStatus
from procedures.models import Procedure
from procedures.selectors import checklist_memory


class Part(StrEnum):
    """Which part of the queue. A case is in exactly one of them, and all together are the queue."""

    OWED = "owed"
    EARLIER = "earlier"
    TODAY = "today"
    TOMORROW = "tomorrow"
    LATER = "later"


ORDER = tuple(Part)
TITLES: dict[Part, LazyText] = {
    Part.OWED: gettext_lazy("Started in an emergency, still owed"),
    Part.EARLIER: gettext_lazy("Earlier, and nothing recorded since"),
    Part.TODAY: gettext_lazy("Today"),
    Part.TOMORROW: gettext_lazy("Tomorrow"),
    Part.LATER: gettext_lazy("Later"),
}


@dataclass(frozen=True)
class Row:
    """A case and its checklist in words. ``kind`` is the look of the word (clinic/statuses.py)."""

    procedure: Procedure
    at: datetime | None
    short: str
    summary: Summary
    kind: str
    words: str


@dataclass(frozen=True)
class Section:
    part: Part
    title: LazyText
    rows: tuple[Row, ...]
    total: int


@dataclass(frozen=True, kw_only=True)
class Queue:
    """One page of the queue. ``part`` None: all of it."""

    part: Part | None
    sections: tuple[Section, ...]
    rows: Rows[Any]
    counts: dict[Part, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def patients(self) -> list[int]:
        """The ids of everybody on the page, for the audit."""
        return [row.procedure.patient_id for section in self.sections for row in section.rows]


@dataclass(frozen=True)
class Pulse:
    """Has it changed, and how many are in each part."""

    marker: str
    counts: dict[Part, int]


def queue(now: datetime) -> QuerySet[Any]:
    """Booked or arrived, and begun cases whose checklist is still owed; ``part`` is the place in ``ORDER``."""
    owed = Exists(
        FollowUp.objects.filter(
            procedure=OuterRef("pk"), closed_at__isnull=True, kind=str(Kind.CHECKLIST_AFTER_EMERGENCY)
        )
    )
    today, tomorrow = board.bounds(board.today(now))
    _tomorrow, after = board.bounds(board.today(now) + timedelta(days=1))
    part = Case(
        When(owed=True, then=Value(ORDER.index(Part.OWED))),
        When(at__lt=today, then=Value(ORDER.index(Part.EARLIER))),
        When(Q(at__isnull=True) | Q(at__lt=tomorrow), then=Value(ORDER.index(Part.TODAY))),
        When(at__lt=after, then=Value(ORDER.index(Part.TOMORROW))),
        default=Value(ORDER.index(Part.LATER)),
        output_field=SmallIntegerField(),
    )
    before = Q(status__in=[ProcedureStatus.SCHEDULED, ProcedureStatus.ARRIVED])
    return (
        Procedure.objects.filter(closed_at__isnull=True)
        .annotate(owed=owed, at=Coalesce(F("stay__startswith"), "started_at", "arrived_at"))
        .filter(before | Q(owed=True))
        .annotate(part=part)
    )


def pulse(now: datetime) -> Pulse:
    """One query: each part is counted, and every fact of a case raises its ``facts_version``."""
    parts = {f"n_{part}": Count("pk", filter=Q(part=place)) for place, part in enumerate(ORDER)}
    found = queue(now).aggregate(newest=Max("pk"), facts=Sum("facts_version"), plans=Sum("planned_version"), **parts)
    return Pulse(paging.marker(found, now), {part: found[f"n_{part}"] for part in ORDER})


def load(*, part: Part | None, counts: dict[Part, int], now: datetime, number: str | None = None) -> Queue:
    """A page of the queue, in order of time within each part. Three queries, and five for what has changed."""
    # first which, by the queue's own columns alone; then who and where, of those
    rows = queue(now).order_by("part", "at", "pk").values_list("pk", "part", "at")
    if part is not None:
        rows = rows.filter(part=ORDER.index(part))
    page = paging.page(rows, sum(counts.values()) if part is None else counts[part], number)
    placed = list(page.object_list)
    cases = (
        Procedure.objects.select_related("patient", "operator", "room", "responsible", "protocol_version")
        .defer(*columns.OF_CASES, *without("responsible__", User, {"full_name"}))
        .in_bulk([pk for pk, _place, _at in placed])
    )
    found: list[Any] = []
    for pk, place, at in placed:
        case: Any = cases[pk]
        case.part, case.at = place, at
        found.append(case)
    summaries = checklist_memory.summary(found, now)
    sections = tuple(
        Section(
            ORDER[place],
            TITLES[ORDER[place]],
            tuple(_row(case, summaries[case.pk]) for case in inside),
            counts[ORDER[place]],
        )
        for place, inside in groupby(found, key=lambda case: case.part)
    )
    return Queue(part=part, sections=sections, rows=page, counts=counts)


def _row(case: Any, summary: Summary) -> Row:
    kind, words = said(summary)
    return Row(case, case.at, case.protocol_version.parsed.short, summary, kind, words)


def said(summary: Summary) -> tuple[str, str]:
    """The look and the words of a checklist on a list: what keeps it from being signed comes first."""
    if summary.word is Word.NOT_STARTED:
        return "not_asked", _("Not started")
    if summary.word is Word.SIGNED:
        return "clear", _("Signed")
    if summary.word is Word.TO_SIGN:
        return "due", _("To sign: %(stages)s") % {"stages": ", ".join(summary.unsigned)}
    parts = []
    if summary.unanswered:
        parts.append(ngettext("%(n)s unanswered", "%(n)s unanswered", summary.unanswered) % {"n": summary.unanswered})
    if summary.reported:
        parts.append(
            ngettext(
                "the patient has answered: %(n)s to confirm",
                "the patient has answered: %(n)s to confirm",
                summary.to_confirm,
            )
            % {"n": summary.to_confirm}
        )
    elif summary.to_confirm:
        parts.append(ngettext("%(n)s to confirm", "%(n)s to confirm", summary.to_confirm) % {"n": summary.to_confirm})
    if summary.expired:
        parts.append(ngettext("%(n)s expired", "%(n)s expired", summary.expired) % {"n": summary.expired})
    if summary.unknown and summary.word is Word.FLAGGED:
        parts.append(ngettext("%(n)s unknown", "%(n)s unknown", summary.unknown) % {"n": summary.unknown})
    return "caution" if summary.expired or summary.word is Word.FLAGGED else "due", ", ".join(parts)
