"""Which laboratory examines a case's tubes, and how they get there."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from procedures.domain import couriers as rules
from procedures.domain.couriers import Courier, Missed
from procedures.models import Laboratory, Procedure


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
    drawn = timedelta(minutes=procedure.protocol_version.parsed.variant(procedure.variant).operator_minutes)
    known = couriers_of({room_id}).get(room_id)
    return rules.missed(known, start + drawn, timezone.get_default_timezone())
