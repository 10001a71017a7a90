"""What the booking pages show of a case, a protocol and its free slots."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from clinic.models import Room, User
from procedures.domain import slots as rules
from procedures.domain.protocol import Variant
from procedures.domain.slots import Slot
from procedures.models import Procedure, ProtocolVersion
from procedures.models import Protocol as ProtocolRow
from procedures.selectors import slots


@dataclass(frozen=True)
class Day:
    """The free starts of a local day; the first free room of each."""

    day: date
    slots: list[Slot]


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
    return [Day(day, on_day) for day, on_day in found.items()]


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
