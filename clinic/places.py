"""When and where work is possible, and who is on call: the director keeps these lists."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

from django.db import IntegrityError, transaction
from django.utils import timezone

from clinic import audit, clock
from clinic.access import require
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid
from clinic.models import Absence, ClinicHours, Closure, OnCall, OperatorSession, Room, User
from clinic.opening import Opening
from clinic.roles import Role

PlaceRow: TypeAlias = Room | ClinicHours | Closure | OperatorSession | OnCall


def add(*, actor: Actor, row: PlaceRow) -> None:
    """Store a new, validated row. Raises Conflict for a turn on call that somebody else has entered meanwhile."""
    require(actor, Role.DIRECTOR)
    with _once(row), transaction.atomic():
        row.save(force_insert=True)
        audit.record(action=f"{_noun(row)}.added", actor=actor, subject=row)


def change(*, actor: Actor, row: PlaceRow, fields: list[str]) -> None:
    """Store the named columns."""
    require(actor, Role.DIRECTOR)
    if not fields:
        return
    with _once(row), transaction.atomic():
        row.save(update_fields=fields)
        audit.record(action=f"{_noun(row)}.changed", actor=actor, subject=row, data={"fields": fields})


def remove(*, actor: Actor, row: PlaceRow) -> None:
    """Take a row away. A room is never removed, only taken out of use: past cases name it."""
    require(actor, Role.DIRECTOR)
    if isinstance(row, Room):
        raise Invalid("A room is taken out of use, not removed: past cases name it.")
    with transaction.atomic():
        audit.record(action=f"{_noun(row)}.removed", actor=actor, subject=row)
        row.delete()


def pass_turn(*, actor: Actor, turn: OnCall, to: User | None) -> None:
    """The rest of a turn on call is somebody else's, or nobody's: what has been of it stays on record.

    Raises Invalid for somebody who does not hold the role or is away then, Conflict for one who is on call already.
    """
    require(actor, Role.DIRECTOR, Role.ADMINISTRATOR)
    now = clock.now()
    since = max(now, turn.starts_at)
    if to is not None and not to.has(Role(turn.role)):
        raise Invalid("This person does not hold this role.", field="to")
    if to is not None and Absence.objects.filter(user=to, starts_at__lt=turn.ends_at, ends_at__gt=since).exists():
        raise Invalid("This person is away then. Choose somebody else, or another time.", field="to")
    with _once(turn), transaction.atomic():
        audit.record(
            action="oncall.passed_on",
            actor=actor,
            subject=turn,
            data={"from": turn.user_id, "to": to.pk if to else None, "since": since.isoformat()},
        )
        if to is not None:
            OnCall.objects.create(user=to, role=turn.role, starts_at=since, ends_at=turn.ends_at)
        if turn.starts_at < now:
            OnCall.objects.filter(pk=turn.pk).update(ends_at=now)
        else:
            OnCall.objects.filter(pk=turn.pk).delete()


def opening() -> Opening:
    """The opening hours and the closures of the whole clinic. Two queries."""
    return Opening(
        hours=tuple(ClinicHours.objects.values_list("weekday", "opens", "closes")),
        closures=tuple(Closure.objects.filter(room=None).values_list("first_day", "last_day")),
        zone=timezone.get_default_timezone(),
    )


@contextmanager
def _once(row: PlaceRow) -> Iterator[None]:
    """Nobody is on call twice at once for one role: PostgreSQL refuses it, and this says so."""
    try:
        yield
    except IntegrityError as error:
        if not isinstance(row, OnCall):
            raise
        raise Conflict("Somebody else entered a turn for the same time. Look again.") from error


def _noun(row: PlaceRow) -> str:
    return str(row._meta.model_name)
