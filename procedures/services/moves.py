"""What becomes of a booking: arrived, did not come, cancelled, opened again, entered in error."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from clinic import clock, transitions
from clinic.actor import Actor
from clinic.errors import IllegalMove, Invalid
from procedures import events
from procedures.domain.clearance import Moment
from procedures.domain.states import PROCEDURE, ProcedureStatus
from procedures.models import Procedure
from procedures.services import labs, safety, slots
from procedures.services.bookings import NO_SLOT

_S = ProcedureStatus


@transaction.atomic
def cancel(*, actor: Actor, procedure: Procedure, reason: str) -> Procedure:
    """It will not be done. What is held, in flight or untold stays promised. Raises Invalid without a reason."""
    _need(reason, "Say why it is cancelled.")
    locked = slots.lock_case(procedure)
    return _move(actor, locked, _S.CANCELLED, "procedure.cancelled", reason, _ended(reason))


@transaction.atomic
def no_show(*, actor: Actor, procedure: Procedure, reason: str = "") -> Procedure:
    """The patient did not come. Somebody must rebook it or end it."""
    locked = slots.lock_case(procedure)
    return _move(actor, locked, _S.NO_SHOW, "procedure.no_show", reason, _ended(reason))


@transaction.atomic
def reopen(*, actor: Actor, procedure: Procedure, reason: str = "") -> Procedure:
    """Cancelled or not come: it is wanted again, and waits for a slot."""
    locked = slots.lock_case(procedure)
    _only_from(locked, {_S.CANCELLED, _S.NO_SHOW}, _S.REQUESTED)
    # since when it waits again: the time to book it does not run from the first request
    also = {**NO_SLOT, "ended_at": clock.now(), "end_reason": ""}
    return _move(actor, locked, _S.REQUESTED, "procedure.reopened", reason, also)


def arrive(*, actor: Actor, procedure: Procedure) -> Procedure:
    """The patient is here. After a no-show the slot is taken again, if nobody else has it: else SlotTaken."""
    start = procedure.stay.lower if procedure.stay else clock.now()
    return slots.taking(procedure, lambda: _arrive(actor, procedure), start=start, operator=procedure.operator)


@transaction.atomic
def undo_arrival(*, actor: Actor, procedure: Procedure) -> Procedure:
    """Not here after all. Raises Invalid for a case that never had a slot."""
    locked = slots.lock_case(procedure)
    _only_from(locked, {_S.ARRIVED}, _S.SCHEDULED)
    if locked.stay is None:
        raise Invalid("This case has no slot to go back to: start it, or cancel it.")
    return _move(actor, locked, _S.SCHEDULED, "procedure.arrival_undone", "", {"arrived_at": None})


@events.together()
def entered_in_error(*, actor: Actor, procedure: Procedure, reason: str) -> Procedure:
    """Wrong chart or a slip: the case counts for nothing, and stays readable. Raises Invalid without a reason."""
    _need(reason, "Say what was wrong.")
    locked = slots.lock_case(procedure)
    _move(
        actor,
        locked,
        _S.ENTERED_IN_ERROR,
        "procedure.entered_in_error",
        reason,
        _ended(reason),
        tell=False,
    )
    labs.cancel_uncollected(procedure=locked, reason=reason[:200], actor=actor)
    events.changed(locked)
    return locked


def _arrive(actor: Actor, procedure: Procedure) -> Procedure:
    locked = slots.lock(procedure, room=procedure.room, operator=procedure.operator)
    also: dict[str, Any] = {"arrived_at": clock.now()}
    if locked.state == _S.NO_SHOW:
        also |= {"ended_at": None, "end_reason": ""}
    else:
        _only_from(locked, {_S.SCHEDULED}, _S.ARRIVED)  # back from the needle is another move, with a reason
    _move(actor, locked, _S.ARRIVED, "procedure.arrived", "", also, tell=False)
    safety.run(actor=actor, procedure=locked, moment=Moment.ARRIVAL)
    events.changed(locked)
    return locked


def _only_from(locked: Procedure, states: set[ProcedureStatus], to: ProcedureStatus) -> None:
    """The table allows more ways to ``to`` than this one verb means."""
    if locked.state not in states:
        raise IllegalMove(noun=PROCEDURE.noun, old=str(locked.state), new=str(to))


def _ended(reason: str) -> dict[str, Any]:
    return {"ended_at": clock.now(), "end_reason": reason}


def _need(reason: str, message: str) -> None:
    if not reason.strip():
        raise Invalid(message, field="reason")


def _move(
    actor: Actor,
    locked: Procedure,
    to: ProcedureStatus,
    action: str,
    reason: str,
    also: dict[str, Any],
    *,
    tell: bool = True,
) -> Procedure:
    transitions.apply(
        locked,
        machine=PROCEDURE,
        to=to,
        action=action,
        actor=actor,
        patient_id=locked.patient_id,
        reason=reason,
        also=also,
    )
    if tell:
        events.changed(locked)
    return locked
