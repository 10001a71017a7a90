"""What the booking pages show of a case, a protocol and its free slots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from clinic.models import Room, User
from procedures.domain import couriers as courier_rules
from procedures.domain import slots as rules
from procedures.domain.couriers import Courier, Missed
from procedures.domain.protocol import Variant
from procedures.domain.slots import Slot
from procedures.models import Procedure, ProtocolVersion
from procedures.models import Protocol as ProtocolRow
from procedures.selectors import couriers, slots


@dataclass(frozen=True)
class Day:
    """The free starts of a local day; the first free room of each. ``late``: what misses the courier, by its start."""

    day: date
    slots: list[Slot]
    late: Mapping[datetime, Missed] = field(default_factory=dict)

    @property
    def offers(self) -> list[tuple[Slot, Missed | None]]:
        """Each start, with what is in the way of its fluid."""
        return [(slot, self.late.get(slot.start)) for slot in self.slots]


@dataclass(frozen=True)
class CourierNote:
    """What the slot page says of the courier. ``better``: the first free slot that makes it, where some do not."""

    laboratory: str
    better: Slot | None


def protocols() -> list[ProtocolVersion]:
    """The newest version of every protocol in use, by label."""
    rows = ProtocolVersion.objects.filter(protocol__in=ProtocolRow.objects.filter(is_active=True))
    newest = rows.select_related("protocol").order_by("protocol_id", "-number").distinct("protocol_id")
    return sorted(newest, key=lambda version: version.protocol.label)


def rooms(procedure: Procedure) -> QuerySet[Room]:
    """Rooms in use where the case is done; all of them where that place has none of its own."""
    own = Room.objects.filter(is_active=True, location=procedure.location)
    return own if own.exists() else Room.objects.filter(is_active=True)


def room_needed(procedure: Procedure) -> bool:
    """Whether the case's location has rooms: the bedside has none."""
    return Room.objects.filter(is_active=True, location=procedure.location).exists()


def free_days(
    *, procedure: Procedure, first: date, days: int, room: Room | None, operator: User | None, now: datetime
) -> list[Day]:
    """Free starts, day by day, for ``days`` from ``first`` on; days without one are left out."""
    last = first + timedelta(days=days - 1)
    calendar = slots.calendar(
        procedure=procedure,
        rooms=[room] if room else slots.rooms_for(procedure),
        operator=operator,
        first=first,
        last=last,
        now=now,
    )
    found: dict[date, list[Slot]] = {}
    for slot in rules.free_slots(calendar, first, last):
        on_day = found.setdefault(timezone.localtime(slot.start, calendar.zone).date(), [])
        if not on_day or on_day[-1].start != slot.start:
            on_day.append(slot)
    known = couriers.couriers_of({slot.room.pk if slot.room else None for on in found.values() for slot in on})
    return [Day(day, on_day, _late(procedure, on_day, known)) for day, on_day in found.items()]


def courier_note(procedure: Procedure, days: Iterable[Day]) -> CourierNote | None:
    """What to say when some of these slots miss the last courier; None when none does. Never a refusal."""
    days = list(days)
    if not any(day.late for day in days):
        return None
    better = next((slot for day in days for slot in day.slots if slot.start not in day.late), None)
    found = couriers.laboratory_for(procedure.room_id)
    return CourierNote(found.name if found else "", better)


def _late(procedure: Procedure, offered: list[Slot], known: dict[int | None, Courier]) -> dict[datetime, Missed]:
    drawn, zone = couriers.drawn_after(procedure), timezone.get_default_timezone()
    found = {slot.start: courier_rules.of_slot(known, slot, drawn, zone) for slot in offered}
    return {start: missed for start, missed in found.items() if missed is not None}


def facts(procedure: Procedure) -> dict[str, Any]:
    """The case in the protocol's words."""
    protocol = procedure.protocol_version.parsed
    variant: Variant = protocol.variant(procedure.variant)
    return {
        "procedure": procedure,
        "patient": procedure.patient,
        "protocol": protocol,
        "indication": protocol.indication(procedure.indication).label,
        "variant": variant,
    }
