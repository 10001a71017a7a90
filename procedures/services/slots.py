"""Taking a slot: the locks, in one order, and what the database refuses, in words.

Patient, room and operator rows are locked first, in that order, then the case. Three exclusion constraints alone
would hold too, but competing transactions would kill each other by deadlock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clinic import clock, row_locks
from clinic.errors import Conflict, Invalid
from clinic.models import Room, User
from procedures.domain.slots import Lengths, Reason, Resource, Slot, Span
from procedures.models import Patient, Procedure
from procedures.models.procedures import ACTIVE_VALUES
from procedures.selectors import slots as calendar

CONSTRAINTS = {
    "procedure_patient_once": Resource.PATIENT,
    "procedure_room_once": Resource.ROOM,
    "procedure_operator_once": Resource.OPERATOR,
}
#: The columns that hold each interval.
INTERVALS = {Resource.PATIENT: "stay", Resource.ROOM: "room_time", Resource.OPERATOR: "operator_time"}
TAKEN: dict[Resource, Promise] = {
    Resource.PATIENT: _("The patient has another procedure at that time."),
    Resource.ROOM: _("The room is taken at that time."),
    Resource.OPERATOR: _("The operator is busy at that time."),
}
#: Parsed once per process.
LARGE = ("protocol_version__data",)
DEADLOCK, LOCK_TIMEOUT = "40P01", "55P03"


class SlotTaken(Conflict):
    """That time is taken."""

    def __init__(self, what: Resource, free: list[Slot] | None = None) -> None:
        self.what = what
        self.free = free or []
        super().__init__(str(TAKEN[what]))


class SlotBusy(Conflict):
    """Several people are booking this room or patient right now. Nothing was booked. Please try again."""


class OutsideHours(Invalid):
    """This is outside the usual hours."""

    def __init__(self, reasons: list[Reason]) -> None:
        self.reasons = reasons
        super().__init__()


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Where a case shall go. ``overbook``: what may knowingly be taken twice, with ``reason``; never the patient."""

    start: datetime
    room: Room | None
    operator: User | None
    overbook: frozenset[Resource] = frozenset()
    outside_hours: bool = False
    reason: str = ""

    def check(self) -> None:
        """Raises Invalid for an overbook of the patient, or one without a reason."""
        if Resource.PATIENT in self.overbook:
            raise Invalid("A patient cannot be in two places: this cannot be overbooked.")
        if (self.overbook or self.outside_hours) and not self.reason.strip():
            raise Invalid("Say why.", field="reason")


def intervals(lengths: Lengths, start: datetime) -> dict[str, DateTimeTZRange]:
    """The three columns for a booking that begins at ``start``."""
    return {column: as_range(lengths.span(resource, start)) for resource, column in INTERVALS.items()}


def as_range(span: Span) -> DateTimeTZRange:
    return DateTimeTZRange(span.start, span.end)


def lengths_of(procedure: Procedure) -> Lengths:
    return Lengths.of(procedure.protocol_version.parsed.variant(procedure.variant))


def token(procedure: Procedure) -> str:
    """What a page has shown of a booking; a later write says so, and is refused if it has changed since."""
    start = int(procedure.stay.lower.timestamp()) if procedure.stay else ""
    return f"{procedure.status}:{start}:{procedure.room_id or ''}:{procedure.operator_id or ''}"


def lock(procedure: Procedure, *, room: Room | None = None, operator: User | None = None) -> Procedure:
    """The case, fresh, with everything locked that its slot depends on."""
    lock_ground(procedure.patient_id, rooms=[room], operators=[operator])
    return lock_case(procedure)


def lock_ground(
    patient_id: int, *, rooms: Iterable[Room | None] = (), operators: Iterable[User | None] = ()
) -> Patient:
    """Everything that bookings of one patient in these rooms by these operators depend on; the patient, fresh."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '5s'")
    patient = row_locks.lock(Patient, patient_id)
    for pk in sorted({room.pk for room in rooms if room is not None}):
        row_locks.lock(Room, pk)
    for pk in sorted({user.pk for user in operators if user is not None}):
        row_locks.lock(User, pk)
    return patient


def lock_case(procedure: Procedure) -> Procedure:
    """The case alone, fresh and locked."""
    related = ("patient", "protocol_version__protocol", "responsible", "operator", "room")
    return row_locks.lock(Procedure, procedure.pk, *related, without=LARGE)


def others(procedure: Procedure, resource: Resource, key: int, wanted: DateTimeTZRange) -> Q:
    """Active cases that bind the same patient, room or operator in that interval."""
    owner = {Resource.PATIENT: "patient_id", Resource.ROOM: "room_id", Resource.OPERATOR: "operator_id"}[resource]
    return Q(**{owner: key, f"{INTERVALS[resource]}__overlap": wanted}, status__in=ACTIVE_VALUES) & ~Q(pk=procedure.pk)


def overbooked(procedure: Procedure, wish: Wish, wanted: dict[str, DateTimeTZRange]) -> dict[str, bool]:
    """The two overbook columns: set only where somebody is really in the way and the wish allows it.

    The constraints do not see a case that was itself overbooked: that one is looked for here, under the locks.
    Raises SlotTaken for it.
    """
    columns: dict[str, bool] = {}
    for resource, who in ((Resource.ROOM, wish.room), (Resource.OPERATOR, wish.operator)):
        column = f"{resource}_overbooked"
        columns[column] = False
        if who is None:
            continue
        in_the_way = Procedure.objects.filter(others(procedure, resource, who.pk, wanted[INTERVALS[resource]]))
        if resource in wish.overbook:
            columns[column] = in_the_way.exists()
        elif in_the_way.filter(**{column: True}).exists():
            raise SlotTaken(resource)
    return columns


def taking(procedure: Procedure, work: Callable[[], Procedure], *, start: datetime, operator: User | None) -> Procedure:
    """Run ``work`` in one transaction; twice after a deadlock or a lock time-out.

    Raises SlotTaken, with the next free slots, when a constraint refuses it, and SlotBusy when the locks never came.
    """
    for last_try in (False, True):
        try:
            with transaction.atomic():
                return work()
        except IntegrityError as exc:
            what = CONSTRAINTS.get(getattr(getattr(exc.__cause__, "diag", None), "constraint_name", None) or "")
            if what is None:
                raise
            raise SlotTaken(what, _next_free(procedure, start, operator)) from exc
        except SlotTaken as exc:
            exc.free = _next_free(procedure, start, operator)
            raise
        except OperationalError as exc:
            if getattr(exc.__cause__, "sqlstate", None) not in {DEADLOCK, LOCK_TIMEOUT}:
                raise
            if last_try:
                raise SlotBusy from exc
    raise SlotBusy


def _next_free(procedure: Procedure, start: datetime, operator: User | None) -> list[Slot]:
    return calendar.next_free(procedure=procedure, after=start, now=clock.now(), operator=operator)
