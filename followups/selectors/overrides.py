"""What people decided knowingly against a rule or a usual step: who, when, why. The newest first.

What is kept in the audit trail alone is read from there (``AUDITED``: its subject is the case); the rest are facts of
their own. A new override is a line in one of the two tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page as Rows
from django.db.models import F, QuerySet, TextField, Value
from django.db.models.functions import Cast
from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext_lazy as _

from clinic.models import AuditEntry
from followups.domain.period import Period
from followups.models import Action, Review, SymptomCheck
from followups.models.reviews import Interpretation, TellHow
from followups.models.symptoms import CheckOutcome
from followups.selectors import paging
from procedures.domain.clearance import Decision
from procedures.domain.states import Level
from procedures.models import ClearanceDecision, Patient, Procedure

#: Actions of the audit trail that are overrides.
AUDITED: dict[str, LazyText] = {
    "procedure.overbooked": _("Room or operator booked twice"),
    "procedure.outside_hours": _("Booked outside the hours"),
    "procedure.emergency_started": _("Started as an emergency, by one person"),
    "procedure.start_not_agreed": _("Emergency start that the second signature did not agree with"),
}
READ_AS_NORMAL = "review.critical_as_normal"
NOT_TOLD = "review.not_told"
NOT_DONE = "action.not_done"
NOT_ASKED = "symptoms.not_needed"
OVER_A_STOP = "clearance.over_a_stop"
TITLES: dict[str, LazyText] = {
    **AUDITED,
    READ_AS_NORMAL: _("Critical by the rules, read as normal"),
    NOT_TOLD: _("Patient not told about a result"),
    NOT_DONE: _("Decided action not done"),
    NOT_ASKED: _("Danger signs not asked"),
    OVER_A_STOP: _("Decided to proceed over a stop of the safety rules"),
}


@dataclass(frozen=True)
class Override:
    """One of them. ``why`` is what the person wrote; empty when nobody asked for a reason."""

    what: LazyText
    at: datetime
    who: str
    why: str
    procedure: Procedure

    @property
    def patient(self) -> Patient:
        return self.procedure.patient


@dataclass(frozen=True)
class Overrides:
    """A page of them, and how often each happened in the period."""

    counts: tuple[tuple[LazyText, int], ...]
    total: int
    page: Rows[Any]
    rows: tuple[Override, ...]

    @property
    def patients(self) -> list[int]:
        """The ids of everybody on the page, for the audit."""
        return [row.procedure.patient_id for row in self.rows]


def load(period: Period, number: str | None = None) -> Overrides:
    """Four queries at most: how many of each, the page, its cases, their patients' numbers."""
    sources = _sources(period)
    each = _counts(sources)
    total = sum(each.values())
    page = paging.page(_together(sources), total, number)
    counts = tuple((title, each[what]) for what, title in TITLES.items() if each.get(what))
    return Overrides(counts, total, page, tuple(_dressed(list(page.object_list))))


def every(period: Period, size: int = 500) -> Iterator[Override]:
    """All of the period, for a file."""
    rows, first = _together(_sources(period)), 0
    while found := list(rows[first : first + size]):
        yield from _dressed(found)
        first += size


def patients(period: Period) -> tuple[int, list[int]]:
    """How many there are, and the ids of everybody they are about."""
    cases = [row["case"] for row in _together(_sources(period))]
    found = Procedure.objects.filter(pk__in=set(cases)).values_list("patient_id", flat=True)
    return len(cases), sorted(set(found))


def _sources(period: Period) -> list[QuerySet[Any, Any]]:
    def within(rows: QuerySet[Any, Any], at: str) -> QuerySet[Any, Any]:
        return rows.filter(**{f"{at}__gte": period.starts, f"{at}__lt": period.ends}).order_by()

    audited = within(AuditEntry.objects.filter(action__in=list(AUDITED)), "at")
    normal = Review.objects.filter(interpretation=Interpretation.NORMAL, version__level=str(Level.CRITICAL))
    not_told = Review.objects.filter(tell=TellHow.NOT_THIS)
    # an action that a later review replaced was decided anew, not left undone
    not_done = Action.objects.filter(not_done=True, review__superseded_by__isnull=True)
    not_asked = SymptomCheck.objects.filter(outcome=CheckOutcome.NOT_NEEDED)
    over_a_stop = ClearanceDecision.objects.filter(decision=str(Decision.PROCEED), over_stop=True)
    return [
        _as(audited, F("action"), "actor_name", "reason", "subject_id"),
        _as(within(normal, "at"), Value(READ_AS_NORMAL), "reviewer__full_name", "comment"),
        _as(within(not_told, "at"), Value(NOT_TOLD), "reviewer__full_name", "tell_reason"),
        _as(within(not_done, "done_at"), Value(NOT_DONE), "done_by__full_name", "done_note", at="done_at"),
        _as(within(not_asked, "at"), Value(NOT_ASKED), "by__full_name", "reason"),
        _as(within(over_a_stop, "at"), Value(OVER_A_STOP), "by__full_name", "reason"),
    ]


def _as(
    rows: QuerySet[Any, Any], what: Any, who: str, why: str, case: str = "procedure_id", at: str = "at"
) -> QuerySet[Any, Any]:
    """The rows under one set of column names, so that the database can sort them together."""
    named: QuerySet[Any, Any] = rows.annotate(
        override=Cast(what, TextField()),
        happened=F(at),
        whom=Cast(who, TextField()),
        because=Cast(why, TextField()),
        case=F(case),
    )
    found: QuerySet[Any, Any] = named.values("override", "happened", "whom", "because", "case")
    return found


def _together(sources: list[QuerySet[Any, Any]]) -> QuerySet[Any, Any]:
    first, *others = sources
    return first.union(*others, all=True).order_by("-happened", "-case", "override")


def _counts(sources: list[QuerySet[Any, Any]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in _together(sources):
        found[row["override"]] = found.get(row["override"], 0) + 1
    return found


def _dressed(rows: list[dict[str, Any]]) -> Iterator[Override]:
    """With the case and its patient's number."""
    cases = (
        Procedure.objects.select_related("patient", "protocol_version")
        .defer("protocol_version__data")
        .prefetch_related("patient__identifiers")
        .in_bulk({row["case"] for row in rows})
    )
    for row in rows:
        yield Override(TITLES[row["override"]], row["happened"], row["whom"] or "", row["because"], cases[row["case"]])
