"""How tubes get to a laboratory: whose rooms, on which days, with which last courier, in which time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import time

from django.db import IntegrityError, transaction

from clinic import audit
from clinic.access import require
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid
from clinic.models import Room
from clinic.roles import Role
from procedures.models import Laboratory


def arrange(
    *,
    laboratory: Laboratory,
    actor: Actor,
    rooms: Iterable[Room],
    is_default: bool,
    running_days: Iterable[int],
    last_pickups: Mapping[int, time],
    receipt_minutes: int | None,
) -> Laboratory:
    """Keep it. What was collected before keeps the days and the window that it was collected under.

    Raises Invalid for a laboratory that never works, Conflict when another one became the default meanwhile.
    """
    require(actor, Role.DIRECTOR)
    days = sorted(set(running_days))
    if not days:
        raise Invalid("Tick at least one day on which it works.", field="running_days")
    values = {
        "is_default": is_default,
        "running_days": days,
        "last_pickups": {str(day): f"{clock:%H:%M}" for day, clock in sorted(last_pickups.items())},
        "receipt_minutes": receipt_minutes,
    }
    try:
        with transaction.atomic():
            row = Laboratory.objects.select_for_update(of=("self",), no_key=True).get(pk=laboratory.pk)
            for name, value in values.items():
                setattr(row, name, value)
            row.save(update_fields=list(values))
            row.rooms.set(rooms)
            audit.record(action="laboratory.courier_changed", actor=actor, subject=row, data=values)
    except IntegrityError as error:
        raise Conflict("Another laboratory is the default already. Take it out there first.") from error
    return row
