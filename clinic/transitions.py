"""The only door for a state change: compare-and-swap, timestamps and audit in one transaction."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Model

from clinic import audit
from clinic.actor import Actor
from clinic.errors import Conflict
from clinic.machine import Machine

Row = TypeVar("Row", bound=Model)


def apply(
    row: Row,
    *,
    machine: Machine[Any],
    to: StrEnum,
    action: str,
    actor: Actor,
    patient_id: int | None = None,
    reason: str = "",
    data: dict[str, Any] | None = None,
    also: dict[str, Any] | None = None,
    field: str = "status",
) -> Row:
    """Move ``row.status`` to ``to`` and set the columns in ``also``.

    Raises IllegalMove when the table has no such move, Conflict when somebody moved the row
    since it was read. The row in memory is updated on success.
    """
    old = getattr(row, field)
    state_type = type(to)
    machine.check(state_type(old), to)
    values = {field: str(to), **(also or {})}
    # no savepoint: the one refusal that a caller may go on after has written nothing
    with transaction.atomic(savepoint=False):
        moved = type(row)._default_manager.filter(pk=row.pk, **{field: old}).update(**values)
        if moved == 1:
            for name, value in values.items():
                setattr(row, name, value)
            audit.record(
                action=action,
                actor=actor,
                subject=row,
                patient_id=patient_id,
                reason=reason,
                data={"from": str(old), "to": str(to), **(data or {})},
            )
    if moved != 1:
        raise Conflict
    return row
