"""The calendar that the slot rules read, filled from the database."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime, time, timedelta

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext

from clinic.models import Absence, ClinicHours, Closure, OperatorSession, Room, User
from procedures.domain import slots
from procedures.domain.slots import Away, Busy, Calendar, Closed, Lengths, Named, Reason, Resource, Slot, Span, Weekly
from procedures.models import Procedure
from procedures.models.procedures import ACTIVE_VALUES


def rooms_for(procedure: Procedure) -> list[Room]:
    """Rooms in use at the case's location; none where it is done without one (bedside)."""
    return list(Room.objects.filter(is_active=True, location=procedure.location))


def calendar(
    *,
    procedure: Procedure,
    rooms: Iterable[Room],
    operator: User | None,
    first: date,
    last: date,
    now: datetime,
    moving: Collection[int] = (),
) -> Calendar:
    """Hours, closures, sessions, absences and what is taken from ``first`` to ``last`` (local days). Five queries.

    ``moving``: cases that give up their place, beside this one.
    """
    zone = timezone.get_default_timezone()
    places = tuple(named_room(room) for room in rooms)
    people = (named_user(operator),) if operator else ()
    begin = slots.moment(first - slots.DAY, time(0), zone)
    end = slots.moment(last + 2 * slots.DAY, time(0), zone)
    return Calendar(
        zone=zone,
        now=now,
        lengths=Lengths.of(procedure.protocol_version.parsed.variant(procedure.variant)),
        patient=procedure.patient_id,
        rooms=places,
        operators=people,
        hours=tuple(Weekly(row.weekday, row.opens, row.closes) for row in ClinicHours.objects.all()),
        closures=tuple(
            Closed(row.first_day, row.last_day, row.room_id, row.reason)
            for row in Closure.objects.filter(first_day__lte=last, last_day__gte=first)
        ),
        sessions=_sessions(operator),
        busy=tuple(_busy(procedure, {p.pk for p in places}, operator, DateTimeTZRange(begin, end), moving)),
        away=_away(operator, begin, end),
    )


def next_free(
    *,
    procedure: Procedure,
    after: datetime,
    now: datetime,
    operator: User | None = None,
    count: int = 3,
    rooms: Iterable[Room] | None = None,
) -> list[Slot]:
    """The next free starts in any room of the case's location. ``rooms``: these, where they were read."""
    first = timezone.localtime(after, timezone.get_default_timezone()).date()
    found = calendar(
        procedure=procedure,
        rooms=rooms_for(procedure) if rooms is None else rooms,
        operator=operator,
        first=first,
        last=first + slots.HORIZON_DAYS * timedelta(days=1),
        now=now,
    )
    return slots.next_free(found, after, count)


def reasons(
    *, procedure: Procedure, start: datetime, room: Room | None, operator: User | None, now: datetime
) -> list[Reason]:
    """Why this start is not free; nothing when it is."""
    day = timezone.localtime(start, timezone.get_default_timezone()).date()
    found = calendar(procedure=procedure, rooms=[room] if room else [], operator=operator, first=day, last=day, now=now)
    return slots.explain(
        found, start, room=named_room(room) if room else None, operator=named_user(operator) if operator else None
    )


def sentence(reason: Reason) -> str:
    """The reason in the reader's language."""
    return gettext(reason.message) % reason.params


def named_room(room: Room) -> Named:
    return Named(room.pk, room.name)


def named_user(user: User) -> Named:
    return Named(user.pk, user.display_name)


def _sessions(operator: User | None) -> dict[int, tuple[Weekly, ...]]:
    if operator is None:
        return {}
    rows = OperatorSession.objects.filter(operator=operator)
    return {operator.pk: tuple(Weekly(row.weekday, row.starts, row.ends) for row in rows)}


def _away(operator: User | None, begin: datetime, end: datetime) -> dict[int, tuple[Span, ...]]:
    """Whoever is absent cannot operate, whether or not somebody has accepted to cover."""
    if operator is None:
        return {}
    rows = Absence.objects.filter(user=operator, starts_at__lt=end, ends_at__gt=begin).select_related("surrogate")
    covered = {row.pk: row.surrogate.display_name for row in rows if row.is_covered and row.surrogate}
    return {operator.pk: tuple(Away(row.starts_at, row.ends_at, covered.get(row.pk, "")) for row in rows)}


def _busy(
    procedure: Procedure,
    rooms: set[int],
    operator: User | None,
    within: DateTimeTZRange,
    moving: Collection[int],
) -> Iterable[Busy]:
    """An overbooked case occupies its room as much as any other."""
    mine = Q(patient_id=procedure.patient_id, stay__overlap=within)
    theirs = mine | Q(room_id__in=rooms, room_time__overlap=within)
    if operator is not None:
        theirs |= Q(operator=operator, operator_time__overlap=within)
    leaving = {*moving, *([procedure.pk] if procedure.pk else [])}
    rows = Procedure.objects.filter(theirs, status__in=ACTIVE_VALUES).exclude(pk__in=leaving)
    for other in rows.only("patient_id", "room_id", "operator_id", "stay", "room_time", "operator_time"):
        if other.patient_id == procedure.patient_id and other.stay:
            yield Busy(Resource.PATIENT, procedure.patient_id, _span(other.stay))
        if other.room_id in rooms and other.room_time:
            yield Busy(Resource.ROOM, other.room_id, _span(other.room_time))
        if operator is not None and other.operator_id == operator.pk and other.operator_time:
            yield Busy(Resource.OPERATOR, operator.pk, _span(other.operator_time))


def _span(value: DateTimeTZRange) -> Span:
    return Span(value.lower, value.upper)
