"""Open promises as lists of work: the inbox, the chase list, the lists behind the loop board.

A promise is in exactly one group of a page: the first that takes it (``Page.places``). Who sees it under *mine*, *my
role's* or *covered* is said once, in ``belongs``; the counts beside these words come from the same conditions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from typing import Any

from django.core.paginator import Page as Rows
from django.db.models import (
    BooleanField,
    Case,
    Count,
    Max,
    OuterRef,
    Q,
    QuerySet,
    SmallIntegerField,
    Subquery,
    Sum,
    Value,
    When,
)

from clinic.actor import Actor
from clinic.models import Absence, User
from clinic.roles import Role
from followups import links, wording
from followups.domain import kinds
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import Chase
from followups.domain.picture import PromiseMark
from followups.domain.roster import Roster
from followups.models import FollowUp, FollowUpNote
from followups.selectors import paging
from followups.selectors.case import urgency_of
from followups.selectors.groups import Group, Page
from followups.selectors.loop import CRITICAL, DUE, FIGURES, OVERDUE, WAITING, open_at
from procedures.models import Patient

#: How many parked promises are listed at the foot of a page; the others have a page of their own.
PARKED_SHOWN = 20
#: What somebody is called for.
CALLS = frozenset(spec.kind for spec in kinds.specs() if spec.chase in {Chase.CALL, Chase.SIGNS})


class Of(StrEnum):
    """Whose promises."""

    MINE = "mine"
    ROLE = "role"
    COVERED = "covered"
    ALL = "all"


@dataclass(frozen=True)
class Viewer:
    """Who looks, and for whom they stand in now."""

    person: int | None
    roles: frozenset[Role]
    covers: tuple[User, ...] = ()


@dataclass(frozen=True)
class Row:
    """A promise on a list: whose it is, what it is, where it is kept."""

    follow_up: FollowUp
    mark: PromiseMark
    patient: Patient | None
    code: str
    short: str
    calls: bool
    given: str = ""  # who gave it to whom, and why; empty once somebody has taken it

    @property
    def held_by(self) -> int | None:
        """The person who has it; None while it is a role's."""
        return self.follow_up.taken_by_id or self.follow_up.responsible_id

    @property
    def is_untaken_critical(self) -> bool:
        """Its owner takes it all the same: until then everybody on duty is told that nobody has."""
        return self.follow_up.level == "critical" and self.follow_up.taken_by_id is None


@dataclass(frozen=True)
class Section:
    """A group with its rows of this page. ``total`` counts the whole group; ``overdue`` of those."""

    group: Group
    rows: tuple[Row, ...]
    total: int
    overdue: int


@dataclass
class Tally:
    """How many promises are in each segment, and in each place of the chosen one."""

    segments: dict[Of, int] = field(default_factory=lambda: dict.fromkeys(Of, 0))
    places: dict[int, int] = field(default_factory=dict)
    overdue: dict[int, int] = field(default_factory=dict)
    critical: int = 0
    parked_until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Worklist:
    """One page of a worklist, read once."""

    page: Page
    of: Of
    tally: Tally
    covers: tuple[User, ...]
    sections: tuple[Section, ...]
    rows: Rows[Any]
    parked: tuple[Row, ...]
    show_parked: bool

    @property
    def open(self) -> int:
        return self.tally.segments[self.of]

    @property
    def overdue(self) -> int:
        return sum(self.tally.overdue.values())

    @property
    def parked_total(self) -> int:
        return self.tally.places.get(self.page.parked_at, 0)

    @property
    def patients(self) -> list[int]:
        """The ids of everybody on the page, for the audit."""
        shown = [*(row for section in self.sections for row in section.rows), *self.parked]
        return [row.patient.pk for row in shown if row.patient]


def viewer(actor: Actor, now: datetime) -> Viewer:
    """The actor and whom they cover at ``now``. One query."""
    away = Absence.objects.filter(starts_at__lte=now, ends_at__gt=now)
    absences = list(away.select_related("user").order_by("user__full_name", "pk"))
    if actor.user_id is None:
        return Viewer(None, actor.roles)
    covers = {row.user_id: row.surrogate_id for row in absences if row.accepted_at and row.surrogate_id}
    # the viewer looks, so the viewer is there: also somebody who reads their covered list while away themselves
    others = frozenset(row.user_id for row in absences) - {actor.user_id}
    roster = Roster(roles={actor.user_id: actor.roles}, covers=covers, away=others)
    people = {row.user_id: row.user for row in absences if roster.present(row.user_id) == actor.user_id}
    people.pop(actor.user_id, None)
    return Viewer(actor.user_id, actor.roles, tuple(people.values()))


def belongs(of: Of, who: Viewer) -> Q:
    """Mine: I took it, or I am responsible and nobody took it. My role's: nobody took it, and it is or came to my role.
    Covered: the same as mine, of somebody for whom I stand in now.
    """
    if of is Of.MINE:
        return _of_person([who.person] if who.person else [])
    if of is Of.COVERED:
        return _of_person([person.pk for person in who.covers])
    if of is Of.ROLE:
        roles = [str(role) for role in who.roles]
        return Q(taken_by__isnull=True) & (Q(role__in=roles) | Q(escalated_role__in=roles))
    return Q()


def _of_person(people: list[int]) -> Q:
    return Q(taken_by__in=people) | Q(taken_by__isnull=True, responsible__in=people)


def in_scope(page: Page, who: Viewer, now: datetime) -> QuerySet[Any]:
    """What the page is about. Whatever somebody has taken is on their page, of whatever kind it is."""
    # a check that was sent to the patient stands there once, as the one call for all that are silent
    rows = open_at(now).exclude(kind=Kind.SYMPTOM_CHECK, about__contains={"by": "link"})
    if page.kinds is None:
        return rows
    return rows.filter(Q(kind__in=page.kinds) | belongs(Of.MINE, who))


def placed(page: Page, rows: QuerySet[Any], now: datetime) -> QuerySet[Any]:
    """Each promise in its one place: the first that takes it."""
    begins_later = Q(rank=WAITING) & (Q(start_at__gt=now) | Q(kind__in=page.timed))
    elsewhere = Q(rank__in=(DUE, WAITING), kind__in=page.elsewhere)
    whens = [When(rank=CRITICAL, then=Value(page.at("critical")))]
    if page.overdue_apart:
        whens.append(When(rank=OVERDUE, then=Value(page.at("overdue"))))
    whens.append(When(begins_later | elsewhere, then=Value(page.parked_at)))
    whens += [When(kind__in=group.kinds, then=Value(page.at(group.code))) for group in page.groups if group.kinds]
    place = Case(*whens, default=Value(page.at(page.rest)), output_field=SmallIntegerField())
    found: QuerySet[Any] = rows.annotate(place=place)
    return found


def marker(page: Page, actor: Actor, of: Of, now: datetime) -> str:
    """A fingerprint of the segment, for polls. One query."""
    rows: QuerySet[Any] = FollowUp.objects.filter(closed_at__isnull=True)
    if of in (Of.MINE, Of.ROLE):
        rows = rows.filter(belongs(of, Viewer(actor.user_id, actor.roles)))
    return paging.marker(fingerprint(rows, now) | {"page": page.code}, now)


def fingerprint(rows: QuerySet[Any], now: datetime) -> dict[str, Any]:
    """What changes when a promise is opened, closed, moved, escalated, taken, put off, begun or overdue. One query."""
    found: dict[str, Any] = rows.aggregate(
        count=Count("pk"),
        newest=Max("pk"),
        generations=Sum("generation"),
        rungs=Sum("rung"),
        repeats=Sum("repeat"),
        takers=Sum("taken_by"),
        taken=Count("taken_by"),
        last_taken=Max("taken_at"),
        last_snoozed=Max("snoozed_until"),
        begun=Count("pk", filter=Q(start_at__lte=now)),
        overdue=Count("pk", filter=Q(due_at__lt=now)),
    )
    return found


def tally(page: Page, rows: QuerySet[Any], who: Viewer, of: Of) -> Tally:
    """Every count of the page from one query: the rows grouped by where they are and whose they are."""
    flags = {f"in_{name}": _flag(belongs(name, who)) for name in (Of.MINE, Of.ROLE, Of.COVERED)}
    grouped = (
        rows.annotate(**flags).order_by().values("place", "rank", *flags).annotate(n=Count("pk"), last=Max("due_at"))
    )
    found = Tally()
    for group in grouped:
        number = group["n"]
        for name in Of:
            if name is Of.ALL or group[f"in_{name}"]:
                found.segments[name] += number
        if of is not Of.ALL and not group[f"in_{of}"]:
            continue
        place, rank = group["place"], group["rank"]
        found.places[place] = found.places.get(place, 0) + number
        if rank == CRITICAL:
            found.critical += number
        if rank == OVERDUE:
            found.overdue[place] = found.overdue.get(place, 0) + number
        if place == page.parked_at:
            found.parked_until = max(filter(None, (found.parked_until, group["last"])))
    return found


def _flag(condition: Q) -> Case:
    return Case(When(condition, then=Value(True)), default=Value(False), output_field=BooleanField())


def load(
    *, page: Page, actor: Actor, of: Of, now: datetime, number: str | None = None, show_parked: bool = False
) -> Worklist:
    """The page as it stands at ``now``. Four queries, however many promises there are."""
    who = viewer(actor, now)
    rows = placed(page, in_scope(page, who, now), now)
    counts = tally(page, rows, who, of)
    mine = with_subjects(rows.filter(belongs(of, who)))
    ordered = mine.order_by("place", "rank", "due_at", "pk")
    parked_total = counts.places.get(page.parked_at, 0)
    active = ordered.filter(place=page.parked_at) if show_parked else ordered.exclude(place=page.parked_at)
    total = parked_total if show_parked else counts.segments[of] - parked_total
    shown = paging.page(active, total, number)
    parked = [] if show_parked else ordered.filter(place=page.parked_at)[:PARKED_SHOWN]
    return Worklist(
        page=page,
        of=of,
        tally=counts,
        covers=who.covers,
        sections=_sections(page, counts, shown, now),
        rows=shown,
        parked=tuple(row_of(promise, now) for promise in parked),
        show_parked=show_parked,
    )


def _sections(page: Page, counts: Tally, rows: Iterable[Any], now: datetime) -> tuple[Section, ...]:
    return tuple(
        Section(
            group=page.places[place],
            rows=tuple(row_of(promise, now) for promise in inside),
            total=counts.places[place],
            overdue=counts.overdue.get(place, 0),
        )
        for place, inside in groupby(rows, key=lambda promise: promise.place)
    )


def figure(name: str, now: datetime) -> QuerySet[Any]:
    """Exactly the promises that a figure of the loop board counts, the most urgent first."""
    condition = FIGURES[name]
    rows = open_at(now) if condition is None else open_at(now).filter(condition)
    return with_subjects(rows).order_by("rank", "due_at", "pk")


def with_subjects(rows: QuerySet[Any]) -> QuerySet[Any]:
    """With everything that ``row_of`` reads: no further query for a row."""
    moves = FollowUpNote.objects.filter(follow_up=OuterRef("pk"), action__in=["taken", "handed_over", "given_back"])
    found: QuerySet[Any] = (
        rows.select_related("procedure__patient", "procedure__protocol_version", "responsible", "taken_by")
        .defer("procedure__protocol_version__data")
        .annotate(given=Subquery(moves.order_by("-pk").values("text")[:1]))
    )
    return found


def row_of(promise: FollowUp, now: datetime) -> Row:
    """The promise in words for a list over many cases."""
    kind, procedure = Kind(promise.kind), promise.procedure
    protocol = procedure.protocol_version.parsed if procedure else None
    mark = PromiseMark(
        label=wording.title(promise, protocol),
        owner=wording.owner(promise),
        due=promise.due_at,
        state=urgency_of(promise, now),
        url=links.url(promise, procedure.code if procedure else ""),
    )
    return Row(
        follow_up=promise,
        mark=mark,
        patient=procedure.patient if procedure else None,
        code=procedure.code if procedure else "",
        short=protocol.short if protocol else "",
        calls=kind in CALLS,
        given=getattr(promise, "given", None) or "",
    )
