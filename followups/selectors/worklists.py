"""Open promises as lists of work: the inbox, the chase list, the lists behind the loop board.

A promise is in exactly one group of a page: the first that takes it (``Page.places``). Who sees it under *mine*, *my
role's* or *covered* is said once, in ``BELONGS``; the counts beside these words come from the same conditions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from typing import Any

from django.core.paginator import Page as Rows
from django.db.models import CharField, F, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Cast

from clinic.actor import Actor
from clinic.models import Absence, User
from clinic.one_statement import IsOneOf, OneStatement, Parts
from clinic.roles import Role
from followups import links, wording
from followups.domain import kinds
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import Chase
from followups.domain.picture import PromiseMark
from followups.domain.roster import Roster
from followups.models import FollowUp, FollowUpNote
from followups.selectors import columns, paging, ranked
from followups.selectors.case import urgency_of
from followups.selectors.groups import Group, Page
from followups.selectors.loop import FIGURES
from followups.selectors.ranked import CRITICAL, DUE, OVERDUE, WAITING, open_at
from procedures.models import Patient, PatientIdentifier, Procedure

#: How many parked promises are listed at the foot of a page; the others have a page of their own.
PARKED_SHOWN = 10
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
    mrn: str = ""  # on paper and in a file alone
    phone: str = ""  # the patient's, as it is kept
    caregiver_phone: str = ""

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
    marker: str  # for the next poll

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


#: Mine: I took it, or I am responsible and nobody took it. My role's: nobody took it, and it is or came to my role.
#: Covered: the same as mine, of somebody for whom I stand in now.
BELONGS = {
    Of.MINE: "(taken_by_id = ANY(%(me)s) OR taken_by_id IS NULL AND responsible_id = ANY(%(me)s)) IS TRUE",
    Of.ROLE: "taken_by_id IS NULL AND (role = ANY(%(roles)s) OR escalated_role = ANY(%(roles)s))",
    Of.COVERED: "(taken_by_id = ANY(%(covers)s) OR taken_by_id IS NULL AND responsible_id = ANY(%(covers)s)) IS TRUE",
    Of.ALL: "TRUE",
}
#: The same, once each of them is a column of ``ranked``.
SEGMENT = {of: "TRUE" if of is Of.ALL else f"in_{of}" for of in Of}
#: A check that was sent to the patient stands on a list once, as the one call for all that are silent.
BY_LINK: ranked.Flags = (("by_link", Q(kind=str(Kind.SYMPTOM_CHECK), about__contains={"by": "link"})),)
TALLY = """
(SELECT json_agg(t) FROM (
    SELECT place, rank, in_mine, in_role, in_covered, count(*) AS n, max(due_at) AS last FROM ranked WHERE on_page
     GROUP BY place, rank, in_mine, in_role, in_covered) t)
"""
ORDERED = "place, rank, due_at, id"


def _people(who: Viewer) -> dict[str, Any]:
    """What ``BELONGS`` names."""
    return {
        "me": [who.person] if who.person else [],
        "roles": [str(role) for role in who.roles],
        "covers": [person.pk for person in who.covers],
    }


def _placed(page: Page) -> tuple[dict[str, str], dict[str, Any]]:
    """The columns that say whose a promise is, whether the page is about it, and its one place there: the first that
    takes it. Whatever somebody has taken is on their page, of whatever kind it is.
    """
    whens = [f"WHEN rank = {CRITICAL} THEN {page.at('critical')}"]
    if page.overdue_apart:
        whens.append(f"WHEN rank = {OVERDUE} THEN {page.at('overdue')}")
    begins_later = f"rank = {WAITING} AND (start_at > %(now)s OR kind = ANY(%(timed)s))"
    elsewhere = f"rank IN ({DUE}, {WAITING}) AND kind = ANY(%(elsewhere)s)"
    whens.append(f"WHEN {begins_later} OR {elsewhere} THEN {page.parked_at}")
    kinds_of = {f"kinds_{page.at(group.code)}": _names(group.kinds) for group in page.groups if group.kinds}
    whens += [f"WHEN kind = ANY(%({name})s) THEN {name.removeprefix('kinds_')}" for name in kinds_of]
    theirs = {f"in_{of}": BELONGS[of] for of in (Of.MINE, Of.ROLE, Of.COVERED)}
    about = "TRUE" if page.kinds is None else f"kind = ANY(%(kinds)s) OR {BELONGS[Of.MINE]}"
    place = f"CASE {' '.join(whens)} ELSE {page.at(page.rest)} END"
    values = {"timed": _names(page.timed), "elsewhere": _names(page.elsewhere), "kinds": _names(page.kinds or ())}
    return theirs | {"on_page": f"NOT by_link AND ({about})", "place": place}, values | kinds_of


def _names(some: Iterable[Kind]) -> list[str]:
    return sorted(map(str, some))


def marker(page: Page, actor: Actor, of: Of, now: datetime) -> str:
    """A fingerprint of the segment, for polls. One query."""
    whose = BELONGS[of] if of in (Of.MINE, Of.ROLE) else "TRUE"
    found = ranked.fingerprint(now, whose, **_people(Viewer(actor.user_id, actor.roles)))
    return paging.marker({"page": page.code, "open": found}, now)


def tally(page: Page, groups: Iterable[dict[str, Any]], of: Of) -> Tally:
    """Every count of the page: how many promises are where, and whose they are."""
    found = Tally()
    for group in groups:
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
            found.parked_until = max(filter(None, (found.parked_until, datetime.fromisoformat(group["last"]))))
    return found


def load(
    *, page: Page, actor: Actor, of: Of, now: datetime, number: str | None = None, show_parked: bool = False
) -> Worklist:
    """The page as it stands at ``now``. Three queries, however many promises there are."""
    who = viewer(actor, now)
    found = _asked(page, who, of, now, paging.offset(number), show_parked=show_parked)
    counts = tally(page, found["tally"] or (), of)
    parked_total = counts.places.get(page.parked_at, 0)
    total = parked_total if show_parked else counts.segments[of] - parked_total
    shown = paging.places(total, number)
    if total and shown.start_index() - 1 != paging.offset(number):  # no such page: the nearest one
        found |= _asked(page, who, of, now, shown.start_index() - 1, show_parked=show_parked)
    rows = read([*(pk for pk, _place in found["active"]), *found["parked"]])
    return Worklist(
        page=page,
        of=of,
        tally=counts,
        covers=who.covers,
        sections=_sections(page, counts, [(place, rows[pk]) for pk, place in found["active"] if pk in rows], now),
        rows=shown,
        parked=tuple(row_of(rows[pk], now) for pk in found["parked"] if pk in rows),
        show_parked=show_parked,
        marker=paging.marker({"page": page.code, "open": found["marker"]}, now),
    )


def counted(page: Page, who: Viewer, of: Of, now: datetime) -> Tally:
    """Every count of the page alone. One query."""
    columns, values = _placed(page)
    found = ranked.ask({"tally": TALLY}, now, flags=BY_LINK, also=columns, **values, **_people(who))
    return tally(page, found["tally"] or (), of)


def _asked(page: Page, who: Viewer, of: Of, now: datetime, first: int, *, show_parked: bool) -> dict[str, Any]:
    """The counts, the fingerprint and the ids of one page. One query."""
    columns, values = _placed(page)
    there = f"on_page AND {SEGMENT[of]} AND place"
    active = f"{there} {'=' if show_parked else '<>'} {page.parked_at}"
    parked = "FALSE" if show_parked else f"{there} = {page.parked_at}"
    return ranked.ask(
        {
            "tally": TALLY,
            "marker": ranked.changed(BELONGS[of] if of in (Of.MINE, Of.ROLE) else "TRUE"),
            "active": ranked.numbers(active, ORDERED, f"LIMIT {paging.SIZE} OFFSET {first}", "ARRAY[id, place]"),
            "parked": ranked.numbers(parked, ORDERED, f"LIMIT {PARKED_SHOWN}"),
        },
        now,
        flags=BY_LINK,
        also=columns,
        **values,
        **_people(who),
    )


def _sections(page: Page, counts: Tally, rows: list[tuple[int, Any]], now: datetime) -> tuple[Section, ...]:
    return tuple(
        Section(
            group=page.places[place],
            rows=tuple(row_of(promise, now) for _place, promise in inside),
            total=counts.places[place],
            overdue=counts.overdue.get(place, 0),
        )
        for place, inside in groupby(rows, key=lambda row: row[0])
    )


def figure(name: str, now: datetime) -> QuerySet[Any]:
    """Exactly the promises that a figure of the loop board counts, the most urgent first."""
    condition = FIGURES[name]
    rows = open_at(now) if condition is None else open_at(now).filter(condition)
    return rows.order_by("rank", "due_at", "pk")


def with_subjects(rows: QuerySet[Any]) -> QuerySet[Any]:
    """With everything that ``row_of`` reads: no further query for a row."""
    moves = FollowUpNote.objects.filter(follow_up=OuterRef("pk"), action__in=["taken", "handed_over", "given_back"])
    found: QuerySet[Any] = (
        rows.select_related("procedure__patient", "procedure__protocol_version", "responsible", "taken_by")
        .defer(*columns.OF_PROMISES)
        .annotate(
            given=Subquery(moves.order_by("-pk").values("text")[:1]),
            # as text: to read it as a number is work, and few lines say it
            phone=Cast("procedure__patient__phone", CharField()),
            caregiver_phone=Cast("procedure__patient__caregiver_phone", CharField()),
        )
    )
    return found


def with_shared_subjects(rows: QuerySet[Any]) -> QuerySet[Any]:
    """For hundreds of lines on paper or in a file, with the patients' numbers: each case and each person is made once,
    in however many lines it stands. Three queries more.
    """
    numbers = PatientIdentifier.objects.filter(patient=OuterRef("patient")).order_by("pk")
    cases = (
        Procedure.objects.select_related("patient", "protocol_version")
        .defer(*columns.OF_ITS_CASE)
        .annotate(
            mrn=Subquery(numbers.values("value")[:1]),
            phone=Cast("patient__phone", CharField()),
            caregiver_phone=Cast("patient__caregiver_phone", CharField()),
        )
    )
    people = User.objects.only(*columns.OWNER)
    found: QuerySet[Any] = rows.defer(*columns.OF_PROMISE, "generation", "closed_at").prefetch_related(
        Prefetch("procedure", cases), Prefetch("responsible", people), Prefetch("taken_by", people)
    )
    return found


def read(ids: Collection[int]) -> dict[int, Any]:
    """The promises with these ids, with their subjects. One query."""
    return {promise.pk: promise for promise in BY_NUMBER.rows(ids=list(ids))["promises"]} if ids else {}


def _by_number(ids: Any) -> Parts:
    return {"promises": with_subjects(FollowUp.objects.filter(IsOneOf(F("pk"), ids)).order_by())}


#: A page's rows: to write this query costs more than to answer it.
BY_NUMBER = OneStatement(_by_number)


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
    patient = procedure.patient if procedure else None
    also = vars(promise) if "phone" in vars(promise) else vars(procedure) if procedure else {}
    return Row(
        follow_up=promise,
        mark=mark,
        patient=patient,
        code=procedure.code if procedure else "",
        short=protocol.short if protocol else "",
        calls=kind in CALLS,
        given=getattr(promise, "given", None) or "",
        mrn=also.get("mrn") or "",
        phone=also.get("phone") or "",
        caregiver_phone=also.get("caregiver_phone") or "",
    )
