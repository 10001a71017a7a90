"""The day and the week by room: who, where, when, and what is not ready. Nothing clinical: a scheduler reads it.

Days are local days of the clinic; a day on which the clock changes has 23 or 25 hours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.core.paginator import Page as Rows
from django.core.paginator import Paginator
from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    ExpressionWrapper,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    When,
)
from django.utils import timezone

from clinic.actor import Actor
from clinic.models import ClinicHours, Closure, Room
from clinic.one_statement import OneStatement, Parts
from followups.access import BOOKING_KINDS
from followups.domain import labels
from followups.domain.kinds import Kind, Subject
from followups.domain.picture import Urgency
from followups.models import FollowUp
from followups.selectors import columns, paging
from procedures.domain import slots
from procedures.domain.ruleset import RuleSet
from procedures.domain.slots import Closed, Weekly
from procedures.domain.states import ProcedureStatus
from procedures.models import Procedure, RuleSetVersion
from procedures.models.rulesets import parsed_of
from procedures.selectors import checklist_memory

S = ProcedureStatus
DAY = timedelta(days=1)
WEEK = 7
#: Whether the checklist is ready is said of these; afterwards it does not matter.
BEFORE_THE_NEEDLE = frozenset({S.SCHEDULED, S.ARRIVED})
UNRECORDED = frozenset({S.SCHEDULED, S.ARRIVED, S.IN_PROGRESS})


@dataclass(frozen=True)
class Entry:
    """A case on the board. ``ready`` None: nobody asks any more. ``late``: its time has passed, and nothing says what
    happened. ``kit``: what room and kit must be, in words that everybody may read.
    """

    procedure: Procedure
    at: datetime | None
    short: str
    ready: bool | None = None
    late: bool = False
    kit: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lane:
    """A room and its cases in order of time; ``name`` empty for those without one (bedside)."""

    name: str
    entries: tuple[Entry, ...]
    closed: str = ""


@dataclass(frozen=True)
class Waiting:
    """A request or a no-show without a slot, and when it must be booked. ``due`` None: nothing is planned for it."""

    procedure: Procedure
    short: str
    due: datetime | None
    state: Urgency


@dataclass(frozen=True)
class Hours:
    """Rooms, closures and opening hours of some days."""

    rooms: tuple[tuple[int, str], ...]
    closures: tuple[Closed, ...]
    weekly: tuple[Weekly, ...]
    series_to_book: int = 0

    def closed(self, day: date, room: int | None = None) -> str:
        """Why the clinic (or that room alone) is closed on a day; empty when it is not."""
        return next((c.reason for c in self.closures if c.room == room and c.covers(day, room)), "")

    def opening(self, day: date) -> list[Weekly]:
        return [row for row in self.weekly if row.weekday == day.weekday()]


@dataclass(frozen=True, kw_only=True)
class Day:
    """One day of the board."""

    day: date
    lanes: tuple[Lane, ...]
    hours: Hours
    waiting: tuple[Waiting, ...]
    page: Rows[Any]  # of the waiting list

    @property
    def closed(self) -> str:
        return self.hours.closed(self.day)

    @property
    def opening(self) -> list[Weekly]:
        return self.hours.opening(self.day)

    @property
    def entries(self) -> list[Entry]:
        return [entry for lane in self.lanes for entry in lane.entries]

    @property
    def patients(self) -> list[int]:
        """The ids of everybody on the page, for the audit."""
        cases = [entry.procedure for entry in self.entries] + [row.procedure for row in self.waiting]
        return [case.patient_id for case in cases]


@dataclass(frozen=True)
class Column:
    """One day of the week's board. ``closed``: why, or empty. ``opens``: also while no hours are entered at all."""

    day: date
    count: int
    closed: str
    opens: bool


@dataclass(frozen=True, kw_only=True)
class Week:
    """Seven days, and for each room its cases day by day."""

    columns: tuple[Column, ...]
    lanes: tuple[tuple[str, tuple[tuple[Column, tuple[Entry, ...]], ...]], ...]

    @property
    def total(self) -> int:
        return sum(column.count for column in self.columns)

    @property
    def patients(self) -> list[int]:
        """The ids of everybody on the page, for the audit."""
        return [e.procedure.patient_id for _, cells in self.lanes for _, entries in cells for e in entries]


@dataclass(frozen=True)
class Pulse:
    """What one aggregate query says of the board: has it changed, and how many wait for a slot."""

    marker: str
    waiting: int


def bounds(first: date, days: int = 1) -> tuple[datetime, datetime]:
    """From the first local midnight until before the last one."""
    zone = timezone.get_default_timezone()
    return slots.moment(first, time(0), zone), slots.moment(first + days * DAY, time(0), zone)


def today(now: datetime) -> date:
    return timezone.localtime(now, timezone.get_default_timezone()).date()


def on_board(first: date, days: int = 1) -> Q:
    """Cases that begin on these days: by their slot, or without one by when they began."""
    return _between(*bounds(first, days))


def _between(begin: Any, end: Any) -> Q:
    in_slot = Q(stay__startswith__gte=begin, stay__startswith__lt=end)
    started = Q(stay__isnull=True, started_at__gte=begin, started_at__lt=end)
    arrived = Q(stay__isnull=True, started_at__isnull=True, arrived_at__gte=begin, arrived_at__lt=end)
    return (in_slot | started | arrived) & ~Q(status__in=[S.ENTERED_IN_ERROR, S.REQUESTED])


def waits() -> Q:
    """Asked for, or not come: it waits for a slot."""
    return Q(status__in=[S.REQUESTED, S.NO_SHOW], closed_at__isnull=True)


def pulse(first: date, now: datetime, days: int = 1) -> Pulse:
    """A fingerprint of the cases that the board shows: every fact of a case raises its ``facts_version``. One query."""
    begin, end = bounds(first, days)
    (found,) = PULSE.rows(begin=begin, end=end)["pulse"]
    return Pulse(paging.marker({"found": found, "first": first, "days": days}, now), found[-1])


def _pulse(begin: Any, end: Any) -> Parts:
    return {
        "pulse": Procedure.objects.filter(_between(begin, end) | waits())
        .order_by()
        .annotate(
            count=_of_all("COUNT", "pk"),
            newest=_of_all("MAX", "pk"),
            facts=_of_all("SUM", "facts_version"),
            plans=_of_all("SUM", "planned_version"),
            to_book=Subquery(_series_to_book()),
            waiting=_of_all("COUNT", Case(When(waits(), then=F("pk")))),
        )
        .values_list("count", "newest", "facts", "plans", "to_book", "waiting")
    }


PULSE = OneStatement(_pulse)


def _of_all(function: str, what: Any) -> Func:
    """Over all rows, where an aggregate of Django's would group them."""
    return Func(what, function=function, output_field=BigIntegerField())


def day(*, actor: Actor, first: date, now: datetime, waiting: int, number: str | None = None) -> Day:
    """The board of one local day, and a page of what waits for a slot. Seven queries, however many cases there are."""
    hours = hours_of(first)
    page = Paginator(range(waiting), paging.SIZE).get_page(number or 1)
    begin, end = bounds(first)
    cases = list(_cases(on_board(first), waits_on(page)))
    shown = [case for case in cases if _is_on(case, begin, end)]
    before = [case for case in shown if case.state in BEFORE_THE_NEEDLE]
    ready = checklist_memory.summary(before, now)
    packed = checklist_memory.packed(before, now, _rules(before))
    entries = [
        _entry(case, now, ready[case.pk].ready if case.pk in ready else None, packed.get(case.pk, ())) for case in shown
    ]
    return Day(
        day=first,
        lanes=_lanes(entries, hours, first),
        hours=hours,
        waiting=tuple(_waiting(case, now) for case in sorted(cases, key=_by_due) if case.waits_here),
        page=page,
    )


def waits_on(page: Rows[Any]) -> QuerySet[Any]:
    """The part of the waiting list that a page shows: what must be booked first comes first."""
    rows = Procedure.objects.filter(waits()).annotate(due=_due()).order_by(F("due").asc(nulls_last=True), "pk")
    return rows.values("pk")[max(page.start_index() - 1, 0) : page.end_index()]


def week(*, actor: Actor, first: date, now: datetime) -> Week:
    """Seven days from ``first``. Two queries."""
    hours = hours_of(first, WEEK)
    cases = (
        Procedure.objects.filter(on_board(first, WEEK))
        .select_related("patient", "room", "protocol_version")
        .defer(*columns.OF_WEEK)
        .order_by("pk")
    )
    entries = [Entry(case, _begins(case), case.protocol_version.parsed.short) for case in cases]
    by_day: dict[date, dict[str, tuple[Entry, ...]]] = {}
    for one in (first + n * DAY for n in range(WEEK)):
        begin, end = bounds(one)
        lanes = _lanes([e for e in entries if _is_on(e.procedure, begin, end)], hours, one)
        by_day[one] = {lane.name: lane.entries for lane in lanes}
    days = tuple(
        Column(one, sum(map(len, cells.values())), hours.closed(one), bool(hours.opening(one)) or not hours.weekly)
        for one, cells in by_day.items()
    )
    names = [name for _, name in hours.rooms]
    others = {name for cells in by_day.values() for name in cells} - set(names)
    names += sorted(others, key=lambda name: (not name, name))  # without a room comes last
    return Week(
        columns=days,
        lanes=tuple((name, tuple((c, by_day[c.day].get(name, ())) for c in days)) for name in names),
    )


def hours_of(first: date, days: int = 1) -> Hours:
    """Three small tables and a number. One query."""
    found = HOURS.rows(first=first, last=first + (days - 1) * DAY)
    return Hours(
        rooms=tuple(found["rooms"]),
        closures=tuple(Closed(*row) for row in found["closures"]),
        weekly=tuple(Weekly(*row) for row in found["weekly"]),
        series_to_book=found["series"][0],
    )


def _hours(first: Any, last: Any) -> Parts:
    closures = Closure.objects.filter(first_day__lte=last, last_day__gte=first).order_by("first_day")
    return {
        "rooms": Room.objects.filter(is_active=True).order_by("name").values_list("pk", "name"),
        "closures": closures.values_list("first_day", "last_day", "room_id", "reason"),
        "weekly": ClinicHours.objects.order_by("weekday", "opens").values_list("weekday", "opens", "closes"),
        "series": _series_to_book().values_list("n", flat=True),
    }


HOURS = OneStatement(_hours)


def _series_to_book() -> QuerySet[Any, Any]:
    """How many series have a next one to be booked or brought forward."""
    owed = FollowUp.objects.filter(kind=str(Kind.NEXT_IN_SERIES), closed_at__isnull=True).order_by()
    return owed.annotate(n=_of_all("COUNT", "pk")).values("n")


# --- the cases ------------------------------------------------------------------------------


def _due() -> Subquery:
    """When the one promise about booking that a case has is due."""
    promises = FollowUp.objects.filter(
        procedure=OuterRef("pk"),  # the index of what is open of a case
        subject_kind=Subject.PROCEDURE,
        closed_at__isnull=True,
        kind__in=[str(kind) for kind in BOOKING_KINDS],
    )
    return Subquery(promises.order_by("due_at").values("due_at")[:1])


def _cases(on: Q, waiting: QuerySet[Any]) -> QuerySet[Any]:
    """Cases on the board and cases of the waiting list, which may be the same: one query."""
    return (
        Procedure.objects.annotate(
            due=_due(),
            rules=Subquery(RuleSetVersion.objects.order_by("-number").values("digest")[:1]),
            waits_here=ExpressionWrapper(Q(pk__in=waiting.values("pk")), output_field=BooleanField()),
        )
        # two searches by index; as one condition it would read every case there ever was
        .filter(pk__in=Procedure.objects.filter(on).order_by().values("pk").union(waiting.values("pk")))
        .select_related("patient", "operator", "room", "protocol_version")
        .defer(*columns.OF_CASES)
        .order_by("pk")
    )


def _is_on(case: Procedure, begin: datetime, end: datetime) -> bool:
    at = _begins(case)
    return at is not None and case.state is not S.REQUESTED and begin <= at < end


def _begins(case: Procedure) -> datetime | None:
    return case.stay.lower if case.stay else case.started_at or case.arrived_at


def _by_due(case: Any) -> tuple[bool, datetime, int]:
    return case.due is None, case.due or case.requested_at, case.pk


def _rules(cases: Iterable[Any]) -> RuleSet | None:
    """The rules in force, which came along with each case."""
    digest = next((case.rules for case in cases), None)
    return parsed_of(digest) if digest else None


def _entry(case: Any, now: datetime, ready: bool | None = None, packed: tuple[str, ...] = ()) -> Entry:
    late = case.state in UNRECORDED and case.due is not None and case.due < now
    return Entry(case, _begins(case), case.protocol_version.parsed.short, ready, late, packed)


def _waiting(case: Any, now: datetime) -> Waiting:
    state = Urgency.WAITING
    if case.due is not None:
        state = labels.urgency(level="normal", start_at=case.requested_at, due_at=case.due, now=now)
    return Waiting(case, case.protocol_version.parsed.short, case.due, state)


def _lanes(entries: Iterable[Entry], hours: Hours, on: date) -> tuple[Lane, ...]:
    """One lane for each room in use and each other place that has a case; those without a room come last."""
    names = dict(hours.rooms)
    inside: dict[int | None, list[Entry]] = {pk: [] for pk in names}
    for entry in sorted(entries, key=_by_time):
        room = entry.procedure.room
        if room is not None:
            names.setdefault(room.pk, room.name)
        inside.setdefault(room.pk if room else None, []).append(entry)
    bedside = inside.pop(None, [])
    lanes = [Lane(names[pk], tuple(found), hours.closed(on, pk)) for pk, found in inside.items() if pk is not None]
    return (*lanes, Lane("", tuple(bedside))) if bedside else tuple(lanes)


def _by_time(entry: Entry) -> tuple[datetime, int]:
    return entry.at or entry.procedure.requested_at, entry.procedure.pk
