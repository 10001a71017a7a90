"""When and where work is possible, who is on call and who covers whom: the director keeps these lists."""

from __future__ import annotations

from typing import TypeAlias

from django.db import transaction

from clinic import audit, clock
from clinic.access import require
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid
from clinic.models import Absence, ClinicHours, Closure, OnCall, OperatorSession, Room
from clinic.roles import Role

PlaceRow: TypeAlias = Room | ClinicHours | Closure | OperatorSession | OnCall | Absence


def add(*, actor: Actor, row: PlaceRow) -> None:
    """Store a new, validated row."""
    require(actor, Role.DIRECTOR)
    with transaction.atomic():
        row.save(force_insert=True)
        audit.record(action=f"{_noun(row)}.added", actor=actor, subject=row)


def change(*, actor: Actor, row: PlaceRow, fields: list[str]) -> None:
    """Store the named columns. An absence that changes must be accepted again: the surrogate agreed to other days."""
    require(actor, Role.DIRECTOR)
    if not fields:
        return
    columns = list(fields)
    if isinstance(row, Absence) and row.accepted_at is not None:
        row.accepted_at = None
        columns.append("accepted_at")
    with transaction.atomic():
        row.save(update_fields=columns)
        audit.record(action=f"{_noun(row)}.changed", actor=actor, subject=row, data={"fields": columns})


def remove(*, actor: Actor, row: PlaceRow) -> None:
    """Take a row away. A room is never removed, only taken out of use: past cases name it."""
    require(actor, Role.DIRECTOR)
    if isinstance(row, Room):
        raise Invalid("A room is taken out of use, not removed: past cases name it.")
    with transaction.atomic():
        audit.record(action=f"{_noun(row)}.removed", actor=actor, subject=row)
        row.delete()


def accept_cover(*, actor: Actor, absence: Absence) -> None:
    """The surrogate agrees: from here on what waits for the absent person reaches them too."""
    if absence.surrogate_id != actor.user_id:
        raise Invalid("Only the person who is asked can accept.")
    with transaction.atomic():
        accepted = Absence.objects.filter(pk=absence.pk, surrogate_id=actor.user_id, accepted_at__isnull=True).update(
            accepted_at=clock.now()
        )
        if accepted != 1:
            raise Conflict("This cover is accepted already.")
        audit.record(action="absence.accepted", actor=actor, subject=absence)


def _noun(row: PlaceRow) -> str:
    return str(row._meta.model_name)
