"""Asking for a procedure, and giving it a slot."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone

from clinic import audit, clock, transitions, users
from clinic.actor import Actor
from clinic.errors import Conflict, DomainError, IllegalMove, Invalid
from clinic.models import Room, User
from clinic.roles import Role
from procedures import events
from procedures.domain.clearance import Moment
from procedures.domain.protocol import Protocol
from procedures.domain.slots import EARLIEST_PAST, Resource
from procedures.domain.states import PROCEDURE, ProcedureStatus, Urgency
from procedures.models import Patient, Procedure, Series
from procedures.models.procedures import new_code
from procedures.selectors import slots as calendar
from procedures.services import assignments, labs, protocols, safety, slots
from procedures.services.slots import Wish

OUTSIDE_PROTOCOL = "Outside protocol: %(label)s is for patients of %(age)d years and older."
DECEASED = "This patient is recorded as deceased."
CHANGED = "This booking was changed in the meantime. Nothing of yours was saved over it."
#: A case without a slot.
NO_SLOT: dict[str, Any] = {
    "stay": None,
    "room_time": None,
    "operator_time": None,
    "room": None,
    "operator": None,
    "room_overbooked": False,
    "operator_overbooked": False,
    "overbook_reason": "",
    "scheduled_at": None,
}
#: A case that gives up its place for a moment, within a transaction.
NOWHERE = {name: DateTimeTZRange(empty=True) for name in ("stay", "room_time", "operator_time")}


def check_patient(patient: Patient, protocol: Protocol) -> None:
    """Raises Invalid for a patient younger than the protocol's ``min_age``, or one who has died."""
    if patient.deceased_at is not None:
        raise Invalid(DECEASED)
    if patient.age_on(timezone.localdate(clock.now())) < protocol.min_age:
        raise Invalid(OUTSIDE_PROTOCOL, label=protocol.label, age=protocol.min_age)


def request(
    *,
    actor: Actor,
    patient: Patient,
    protocol: str,
    indication: str,
    responsible: User,
    urgency: str = str(Urgency.ELECTIVE),
    variant: str = "",
    location: str = "clinic",
    note: str = "",
    code: str = "",
    continues: Procedure | None = None,
    series: Series | None = None,
    series_place: int | None = None,
    route: bool = True,
) -> Procedure:
    """A new case under the newest version of ``protocol``, with the indication's panel ordered.

    ``variant`` is the indication's own unless another is named. ``code`` is the name the page has shown for the case:
    sent twice, it is one case. Instead of a responsible physician who is away whoever has accepted to cover gets it;
    without anybody it is refused. ``route`` off leaves it with them, where something goes on that was theirs before.
    Raises Invalid for anything the protocol does not know, below its minimum age, and for a responsible who is no
    physician.
    """
    fields = checked(
        patient=patient,
        protocol=protocol,
        indication=indication,
        responsible=responsible,
        urgency=urgency,
        variant=variant,
        location=location,
    )
    fields |= {"note": note, "code": code or new_code(), "continues": continues}
    fields |= {"series": series, "series_place": series_place}
    try:
        with events.together():
            fields["responsible"] = users.working(assignments.routed(responsible) if route else responsible)
            return _store(actor, fields, chosen=responsible)
    except IntegrityError as exc:
        same = Procedure.objects.filter(code=fields["code"], patient=patient, requested_by_id=actor.user_id).first()
        if same is None:
            raise Conflict("The case could not be created. Please send it again.") from exc
        return same


def schedule(
    *,
    actor: Actor,
    procedure: Procedure,
    start: datetime,
    room: Room | None = None,
    operator: User | None = None,
    overbook: Collection[str] = (),
    outside_hours: bool = False,
    reason: str = "",
    seen: str = "",
) -> Procedure:
    """Give the case a slot, or move it to another one.

    ``overbook`` holds *room* or *operator* where a knowing double booking is meant, with ``reason``. ``outside_hours``
    allows a room outside opening hours, with ``reason``. ``seen`` is ``slots.token`` of what the page has shown.
    Raises SlotTaken (with the next free slots), OutsideHours, Invalid, or Conflict when the booking has changed since.
    """
    wish = Wish(
        start=start,
        room=room,
        operator=operator,
        overbook=frozenset(Resource(what) for what in overbook),
        outside_hours=outside_hours,
        reason=reason,
    )
    wish.check()
    return slots.taking(procedure, lambda: _schedule(actor, procedure, wish, seen), start=start, operator=operator)


@dataclass(frozen=True, kw_only=True)
class Place:
    """One of several bookings that are made or moved together. ``row``: its line on the page; ``seen`` as above."""

    row: int
    procedure: Procedure
    wish: Wish
    seen: str = ""


class SomeRefused(Conflict):
    """Not all of them can be booked like this. Nothing was booked."""

    def __init__(self, refused: dict[int, DomainError]) -> None:
        self.refused = refused
        super().__init__()


def schedule_all(*, actor: Actor, places: Sequence[Place]) -> None:
    """Give several cases of one patient their slots: all of them or none. They may take each other's places.

    To be called in a transaction. Raises SomeRefused, which names every one that cannot be, by its row.
    """
    before: dict[int, dict[str, Any]] = {}
    refused: dict[int, DomainError] = {}
    for place in places:
        place.wish.check()
        locked = slots.lock_case(place.procedure)
        before[locked.pk] = _where(locked)
        if place.seen and place.seen != slots.token(locked):
            refused[place.row] = Conflict(CHANGED)
    # nobody is in the way of another one: an empty interval overlaps with nothing
    held = [place.procedure.pk for place in places]
    Procedure.objects.filter(pk__in=held, status=str(ProcedureStatus.SCHEDULED)).update(**NOWHERE)
    for place in places:
        if place.row in refused:
            continue
        try:
            slots.taking(
                place.procedure,
                partial(_schedule, actor, place.procedure, place.wish, "", before[place.procedure.pk]),
                start=place.wish.start,
                operator=place.wish.operator,
            )
        except (slots.SlotTaken, slots.OutsideHours, Invalid) as error:
            refused[place.row] = error
    if refused:
        raise SomeRefused(refused)


@transaction.atomic
def unschedule(*, actor: Actor, procedure: Procedure, reason: str = "") -> Procedure:
    """Give the slot back; the case waits to be booked again."""
    locked = slots.lock_case(procedure)
    if locked.state != ProcedureStatus.SCHEDULED:  # cancelled and no-show are opened again, which is another verb
        raise IllegalMove(noun=PROCEDURE.noun, old=locked.status, new=str(ProcedureStatus.REQUESTED))
    transitions.apply(
        locked,
        machine=PROCEDURE,
        to=ProcedureStatus.REQUESTED,
        action="procedure.unscheduled",
        actor=actor,
        patient_id=locked.patient_id,
        reason=reason,
        data=_where(locked),
        also={**NO_SLOT, "ended_at": clock.now()},  # the time to book it begins anew
    )
    events.changed(locked)
    return locked


def checked(
    *, patient: Patient, protocol: str, indication: str, responsible: User, urgency: str, variant: str, location: str
) -> dict[str, Any]:
    """The columns of a case of the newest version. Raises Invalid, beside its field, for what cannot be asked for."""
    version = protocols.newest(protocol)
    if version is None:
        raise Invalid("There is no such protocol.", field="protocol")
    data = version.parsed
    check_patient(patient, data)
    chosen = next((i for i in data.indications if i.code == indication), None)
    if chosen is None:
        raise Invalid("Choose an indication of this protocol.", field="indication")
    form = variant or chosen.variant
    if form not in {v.code for v in data.variants}:
        raise Invalid("Choose a form of this protocol.", field="variant")
    if location not in {place.code for place in data.locations}:
        raise Invalid("Choose a location of this protocol.", field="location")
    if urgency not in set(Urgency):
        raise Invalid("Choose how urgent it is.", field="urgency")
    if not (responsible.is_active and responsible.has(Role.PHYSICIAN)):
        raise Invalid("The responsible clinician must be a physician who works here.", field="responsible")
    return {
        "patient": patient,
        "protocol_version": version,
        "indication": indication,
        "variant": form,
        "urgency": urgency,
        "location": location,
        "responsible": responsible,
    }


def _store(actor: Actor, fields: dict[str, Any], *, chosen: User) -> Procedure:
    procedure = Procedure(**fields, requested_at=clock.now(), requested_by_id=actor.user_id)
    procedure.save(force_insert=True)
    data: dict[str, Any] = {name: getattr(procedure, name) for name in ("indication", "variant", "urgency")}
    if procedure.responsible_id != chosen.pk:
        data["instead_of"] = chosen.pk  # who is away
    audit.record(
        action="procedure.requested", actor=actor, subject=procedure, patient_id=procedure.patient_id, data=data
    )
    labs.order_panel(procedure=procedure, actor=actor)
    events.changed(procedure)
    return procedure


def _schedule(
    actor: Actor, procedure: Procedure, wish: Wish, seen: str, before: dict[str, Any] | None = None
) -> Procedure:
    """``before``: where it was, of a case that has given up its place for a moment."""
    now = clock.now()
    locked = slots.lock(procedure, room=wish.room, operator=wish.operator)
    if wish.operator is not None:
        users.working(wish.operator)
    if seen and seen != slots.token(locked):
        raise Conflict(CHANGED)
    check_patient(locked.patient, locked.protocol_version.parsed)
    outside = _outside(locked, wish, now)
    wanted = slots.intervals(slots.lengths_of(locked), wish.start)
    flags = slots.overbooked(locked, wish, wanted)
    values = {
        **wanted,
        **flags,
        "room": wish.room,
        "operator": wish.operator,
        "overbook_reason": wish.reason if any(flags.values()) else "",
        "scheduled_at": now,
        "arrived_at": None,  # whoever was here and is given another time comes again
        "ended_at": None,
        "end_reason": "",
    }
    data: dict[str, Any] = {"before": before or _where(locked), "start": wish.start.isoformat()}
    data["room"] = wish.room.pk if wish.room else None
    if outside:
        data["outside"] = outside
    _write(actor, locked, values, data)
    if any(flags.values()) or outside:
        audit.record(
            action="procedure.overbooked" if any(flags.values()) else "procedure.outside_hours",
            actor=actor,
            subject=locked,
            patient_id=locked.patient_id,
            reason=wish.reason,
            data={**flags, "outside": outside},
        )
    safety.run(actor=actor, procedure=locked, moment=Moment.BOOKING)
    events.changed(locked)
    return locked


def _write(actor: Actor, locked: Procedure, values: dict[str, Any], data: dict[str, Any]) -> None:
    if locked.state != ProcedureStatus.SCHEDULED:
        transitions.apply(
            locked,
            machine=PROCEDURE,
            to=ProcedureStatus.SCHEDULED,
            action="procedure.scheduled",
            actor=actor,
            patient_id=locked.patient_id,
            data=data,
            also=values,
        )
        return
    Procedure.objects.filter(pk=locked.pk).update(**values)  # the row is locked
    for name, value in values.items():
        setattr(locked, name, value)
    audit.record(action="procedure.moved", actor=actor, subject=locked, patient_id=locked.patient_id, data=data)


def _outside(locked: Procedure, wish: Wish, now: datetime) -> list[str]:
    """The kinds of hours that the wish breaks and may break. Raises OutsideHours for those it may not."""
    if wish.start < now - EARLIEST_PAST:
        raise Invalid("That time is past.", field="start")
    found = calendar.reasons(procedure=locked, start=wish.start, room=wish.room, operator=wish.operator, now=now)
    assignments.refuse_away(found)
    reasons = [reason for reason in found if reason.is_outside]
    if reasons and not wish.outside_hours:
        raise slots.OutsideHours(reasons)
    return [reason.kind for reason in reasons]


def _where(procedure: Procedure) -> dict[str, Any]:
    return {
        "room": procedure.room_id,
        "operator": procedure.operator_id,
        "start": procedure.stay.lower.isoformat() if procedure.stay else None,
    }
