"""Which laboratory examines a case's tubes, and how they get there."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from procedures.domain import couriers as rules
from procedures.domain import slots as slot_rules
from procedures.domain.couriers import Courier, Missed
from procedures.domain.slots import Slot
from procedures.models import Laboratory, Procedure
from procedures.selectors import slots

#: How far a slot that makes the courier is looked for.
DAYS_LOOKED_AT = 7


@dataclass(frozen=True, kw_only=True)
class Site:
    """What a tube of this room depends on. Without a laboratory: every day, and the container's own minutes."""

    running_days: list[int] = field(default_factory=list)
    receipt_minutes: int | None = None


def laboratory_for(room_id: int | None) -> Laboratory | None:
    """The laboratory that names this room, else the default one: one query."""
    rows = Laboratory.objects.filter(Q(rooms=room_id) if room_id else Q(pk__in=[]), is_active=True)
    found = rows | Laboratory.objects.filter(is_default=True, is_active=True)
    return found.distinct().order_by("is_default", "name").first()


def site_of(procedure: Procedure) -> Site:
    """Working days and window of receipt of the case's laboratory."""
    found = laboratory_for(procedure.room_id)
    return Site(running_days=found.running_days, receipt_minutes=found.receipt_minutes) if found else Site()


def couriers_of(room_ids: set[int | None]) -> dict[int | None, Courier]:
    """The courier of each of these rooms; none where none is known: two queries."""
    rows = Laboratory.objects.filter(is_active=True).prefetch_related("rooms").order_by("is_default", "name")
    found: dict[int | None, Courier] = {}
    for row in rows:
        named = {room.pk for room in row.rooms.all()}
        for pk in room_ids - found.keys():
            if row.is_default or pk in named:
                found[pk] = courier(row)
    return found


def courier(laboratory: Laboratory) -> Courier:
    return Courier(pickups=laboratory.pickups(), running=frozenset(laboratory.running_days), laboratory=laboratory.name)


def missed_by(procedure: Procedure, start: datetime, room_id: int | None) -> Missed | None:
    """Whether the fluid of a slot comes too late for the last courier; None when it does not, or none is known."""
    known = couriers_of({room_id}).get(room_id)
    return rules.missed(known, start + drawn_after(procedure), timezone.get_default_timezone())


def next_in_time(procedure: Procedure, now: datetime) -> Slot | None:
    """The first free slot from the case's own on whose fluid makes the courier, within the usual horizon."""
    start = procedure.stay.lower if procedure.stay else now
    rooms = slots.rooms_for(procedure)
    known = couriers_of({room.pk for room in rooms})
    first = timezone.localtime(start).date()
    found = slots.calendar(
        procedure=procedure, rooms=rooms, operator=procedure.operator, first=first,
        last=first + timedelta(days=DAYS_LOOKED_AT), now=now,
    )  # fmt: skip
    later = slot_rules.free_slots(found, first, first + timedelta(days=DAYS_LOOKED_AT), after=now)
    others = (slot for slot in later if slot.start != start)
    return rules.first_in_time(known, others, drawn_after(procedure), timezone.get_default_timezone())


def drawn_after(procedure: Procedure) -> timedelta:
    """How long after the slot's start the fluid is ready: when the operator is done."""
    return timedelta(minutes=procedure.protocol_version.parsed.variant(procedure.variant).operator_minutes)
