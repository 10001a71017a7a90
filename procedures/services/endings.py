"""How an attempt ended, and what goes on from it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from clinic import audit, clock, transitions
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid
from procedures import events
from procedures.domain.states import PROCEDURE, Disposition, Outcome, ProcedureStatus
from procedures.models import Procedure
from procedures.services import bookings, labs, patients, slots

#: Outcomes that leave something to send to the laboratory.
WITH_FLUID = frozenset({Outcome.DONE, Outcome.PARTIAL})
REASON_LENGTH = 200


@events.together()
def complete(
    *, actor: Actor, procedure: Procedure, outcome: Outcome, disposition: Disposition, outcome_reason: str = ""
) -> Procedure:
    """The attempt is over. Anything but *done* needs a reason.

    Without fluid and without a specimen the tests that were never collected are cancelled. A patient who died is
    recorded as deceased in the same moment: no further message.
    """
    outcome, disposition = Outcome(outcome), Disposition(disposition)
    if outcome != Outcome.DONE and not outcome_reason.strip():
        raise Invalid("Say what happened.", field="outcome_reason")
    locked = slots.lock(procedure)
    now = clock.now()
    transitions.apply(
        locked,
        machine=PROCEDURE,
        to=ProcedureStatus.COMPLETED,
        action="procedure.completed",
        actor=actor,
        patient_id=locked.patient_id,
        reason=outcome_reason,
        data={"outcome": str(outcome), "disposition": str(disposition)},
        also={
            "completed_at": now,
            "outcome": str(outcome),
            "outcome_reason": outcome_reason,
            "disposition": str(disposition),
        },
    )
    if outcome not in WITH_FLUID and not locked.specimens.exists():
        labs.cancel_uncollected(procedure=locked, reason=outcome_reason[:REASON_LENGTH], actor=actor)
    if disposition == Disposition.DIED:
        patients.set_deceased(actor=actor, patient=locked.patient, at=now, reason=outcome_reason)
    events.changed(locked)
    return locked


def continue_as(*, actor: Actor, procedure: Procedure, location: str, variant: str = "", note: str = "") -> Procedure:
    """A linked case for the same patient and indication at another location (fluoroscopy, radiology).

    The patient's stay for the first one ends now. Raises Conflict when it goes on already, Invalid when the first one
    is neither completed nor cancelled.
    """
    with events.together():
        locked = slots.lock(procedure)
        if locked.state not in {ProcedureStatus.COMPLETED, ProcedureStatus.CANCELLED}:
            raise Invalid("First say how this attempt ended.")
        if locked.continued_by.exclude(status=ProcedureStatus.ENTERED_IN_ERROR).exists():
            raise Conflict("This case goes on in another one already.")
        _end_stay(locked, clock.now())
        same = _same(locked, location, variant)
        new = bookings.request(actor=actor, continues=locked, note=note, route=False, **same)
        audit.record(
            action="procedure.continued",
            actor=actor,
            subject=locked,
            patient_id=locked.patient_id,
            data={"as": new.pk, "location": location},
        )
        events.changed(locked)
        return new


def _same(procedure: Procedure, location: str, variant: str) -> dict[str, Any]:
    return {
        "patient": procedure.patient,
        "protocol": procedure.protocol_version.protocol.code,
        "indication": procedure.indication,
        "variant": variant or procedure.variant,
        "urgency": procedure.urgency,
        "responsible": procedure.responsible,
        "location": location,
    }


def _end_stay(procedure: Procedure, now: datetime) -> None:
    """So that the second booking of the day does not collide with the rest of the first."""
    if procedure.stay is None or now >= procedure.stay.upper:
        return
    begun = procedure.stay.lower < now
    procedure.stay = DateTimeTZRange(procedure.stay.lower, now) if begun else None
    procedure.save(update_fields=["stay"])
