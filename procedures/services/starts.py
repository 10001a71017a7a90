"""The needle: started, started as an emergency, abandoned before it went in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from clinic import clock, transitions
from clinic.actor import Actor
from clinic.errors import IllegalMove, Invalid
from clinic.models import Room, User
from procedures import events
from procedures.domain.clearance import Moment
from procedures.domain.slots import Resource
from procedures.domain.states import PROCEDURE, ProcedureStatus
from procedures.models import Procedure
from procedures.services import clearance, gates, safety, slots

_S = ProcedureStatus
#: A start this long before its slot still uses the slot.
EARLY = timedelta(hours=1)


def start(*, actor: Actor, procedure: Procedure, operator: User | None = None) -> Procedure:
    """Start a case that has a slot. ``operator`` is set where the booking named nobody.

    Raises StartBlocked with everything the gate waits for. Rolls back when no plan can be made.
    """
    return slots.taking(procedure, lambda: _start(actor, procedure, operator), start=clock.now(), operator=operator)


def emergency_start(
    *, actor: Actor, procedure: Procedure, reason: str, room: Room | None = None, operator: User | None = None
) -> Procedure:
    """Start on the six-item minimum by one person's override, with or without a slot; the rest becomes promises.

    A room, operator or patient that another case holds is not claimed (its interval stays empty): a booking is never
    the reason for a delay. Raises Invalid without a reason, StartBlocked while the minimum is not answered.
    """
    if not reason.strip():
        raise Invalid("Say why it cannot wait.", field="reason")
    return slots.taking(
        procedure,
        lambda: _emergency_start(actor, procedure, reason, room, operator),
        start=clock.now(),
        operator=operator,
    )


@transaction.atomic
def abandon_start(*, actor: Actor, procedure: Procedure, reason: str) -> Procedure:
    """Started, but the needle did not go in: back to arrived. The next start passes the gate again."""
    if not reason.strip():
        raise Invalid("Say why it was abandoned.", field="reason")
    locked = slots.lock_case(procedure)
    if locked.state != _S.IN_PROGRESS:
        raise IllegalMove(noun=PROCEDURE.noun, old=locked.status, new=str(_S.ARRIVED))
    now = clock.now()
    also = {
        "started_at": None,
        "arrived_at": locked.arrived_at or now,
        "emergency_start": False,
        "emergency_reason": "",
        "emergency_by_id": None,
    }
    data = {"emergency": locked.emergency_start}
    return _move(actor, locked, _S.ARRIVED, "procedure.start_abandoned", reason, also, data)


def _start(actor: Actor, procedure: Procedure, operator: User | None) -> Procedure:
    operator = procedure.operator or operator
    locked = slots.lock(procedure, room=procedure.room, operator=operator)
    PROCEDURE.check(locked.state, _S.IN_PROGRESS)
    now = clock.now()
    blockers = gates.start_blockers(locked, now)
    if blockers:
        raise gates.StartBlocked(blockers)
    also, data = _claims(locked, now, locked.room, locked.operator or operator)
    safety.run(actor=actor, procedure=locked, moment=Moment.START)
    also |= {"started_at": now}
    return _move(actor, locked, _S.IN_PROGRESS, "procedure.started", "", also, data, strict=True)


def _emergency_start(
    actor: Actor, procedure: Procedure, reason: str, room: Room | None, operator: User | None
) -> Procedure:
    room, operator = room or procedure.room, operator or procedure.operator
    locked = slots.lock(procedure, room=room, operator=operator)
    PROCEDURE.check(locked.state, _S.IN_PROGRESS)
    now = clock.now()
    blockers = gates.emergency_blockers(locked, now)
    if blockers:
        raise gates.StartBlocked(blockers)
    also, data = _claims(locked, now, room, operator)
    data |= _passed(actor, locked, reason)
    also |= {
        "started_at": now,
        "emergency_start": True,
        "emergency_reason": reason,
        "emergency_by_id": actor.user_id,
    }
    return _move(actor, locked, _S.IN_PROGRESS, "procedure.emergency_started", reason, also, data, strict=True)


def _passed(actor: Actor, locked: Procedure, reason: str) -> dict[str, Any]:
    """The stops that an emergency passes over are kept, and stand among the overrides: never a reason to wait."""
    run = safety.run(actor=actor, procedure=locked, moment=Moment.START)
    if run is None:
        return {}
    passed = clearance.passed_in_emergency(actor=actor, procedure=locked, run=run, reason=reason)
    return {"clearance": passed.pk, "stops": len(passed.covers)} if passed is not None else {}


def _claims(
    locked: Procedure, now: datetime, room: Room | None, operator: User | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Intervals, room and operator of a case that starts now, and what of them another case holds.

    Within its slot the booking stands; otherwise the intervals begin now. Whatever is taken stays unclaimed. The rows
    are locked, so nobody takes anything between the look and the write.
    """
    kept = locked.stay is not None and locked.stay.lower - EARLY <= now < locked.stay.upper
    fresh = slots.intervals(slots.lengths_of(locked), now)
    owners = {
        Resource.PATIENT: locked.patient_id,
        Resource.ROOM: room.pk if room else None,
        Resource.OPERATOR: operator.pk if operator else None,
    }
    values: dict[str, Any] = {"room": room, "operator": operator}
    unclaimed: list[str] = []
    for resource, key in owners.items():
        column = slots.INTERVALS[resource]
        wanted = getattr(locked, column) if kept and getattr(locked, column) else fresh[column]
        values[column] = wanted
        if key is None or (kept and getattr(locked, f"{resource}_overbooked", False)):
            continue
        if Procedure.objects.filter(slots.others(locked, resource, key, wanted)).exists():
            values[column] = None
            unclaimed.append(str(resource))
    return values, {"unclaimed": unclaimed} if unclaimed else {}


def _move(
    actor: Actor,
    locked: Procedure,
    to: ProcedureStatus,
    action: str,
    reason: str,
    also: dict[str, Any],
    data: dict[str, Any],
    *,
    strict: bool = False,
) -> Procedure:
    transitions.apply(
        locked,
        machine=PROCEDURE,
        to=to,
        action=action,
        actor=actor,
        patient_id=locked.patient_id,
        reason=reason,
        data=data,
        also=also,
    )
    events.changed(locked, strict=strict)
    return locked
