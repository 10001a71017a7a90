"""Laboratories, and what their codes mean here: kept by the people who know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from clinic import audit, clock
from clinic.access import require
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid
from clinic.roles import CLINICAL, Role
from procedures.domain.test_codes import Target
from procedures.models import CodeMapping, Laboratory, Protocol

#: Who keeps them: whoever coordinates, the director, the administrator.
KEEPERS = (Role.NURSE, Role.DIRECTOR, Role.ADMINISTRATOR)
LABEL_LENGTH = 200


@transaction.atomic
def save(*, laboratory: Laboratory | None, values: Mapping[str, Any], actor: Actor) -> Laboratory:
    """A new laboratory, or other columns of one. Raises Conflict when another one sends under the same marks."""
    require(actor, *KEEPERS)
    row = laboratory or Laboratory()
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    try:
        with transaction.atomic():
            row.save(update_fields=changed if row.pk else None)
    except IntegrityError as exc:
        raise Conflict("There is another laboratory with this name, or with these marks in its messages.") from exc
    action = "laboratory.changed" if laboratory else "laboratory.added"
    audit.record(action=action, actor=actor, subject=row, data={"fields": changed})
    return row


@transaction.atomic
def map_code(
    *, laboratory: Laboratory, protocol: Protocol, system: str, code: str, target: Target, actor: Actor, label: str = ""
) -> CodeMapping:
    """This code of the laboratory means that test and value. One that meant another before is kept, out of use."""
    require(actor, *KEEPERS, *CLINICAL)
    if not code.strip():
        raise Invalid("Type the laboratory's code.", field="code")
    Laboratory.objects.select_for_update(of=("self",), no_key=True).get(pk=laboratory.pk)
    same = {"laboratory": laboratory, "protocol": protocol, "system": system.strip(), "code": code.strip()}
    before = CodeMapping.objects.filter(**same, is_active=True).first()
    if before is not None:
        if (before.test, before.component) == (target.test, target.component):
            return before
        _retire(before, actor)
    row = CodeMapping.objects.create(
        **same,
        label=label.strip()[:LABEL_LENGTH],
        test=target.test,
        component=target.component,
        made_by_id=actor.user_id,
        made_at=clock.now(),
    )
    data = {"code": row.code, "system": row.system, "test": row.test, "component": row.component}
    audit.record(action="code.mapped", actor=actor, subject=row, data=data)
    return row


@transaction.atomic
def remove_code(*, mapping: CodeMapping, actor: Actor) -> None:
    """The code means nothing any more; what was entered by it stays. Removed already: nothing happens."""
    require(actor, *KEEPERS)
    row = CodeMapping.objects.select_for_update(of=("self",), no_key=True).get(pk=mapping.pk)
    if row.is_active:
        _retire(row, actor)


def _retire(row: CodeMapping, actor: Actor) -> None:
    row.is_active = False
    row.save(update_fields=["is_active"])
    data = {"code": row.code, "system": row.system, "test": row.test, "component": row.component}
    audit.record(action="code.unmapped", actor=actor, subject=row, data=data)
