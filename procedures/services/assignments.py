"""Who answers for a case, given to somebody else."""

from __future__ import annotations

from django.db import transaction

from clinic import audit
from clinic.access import require
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid
from clinic.models import User
from clinic.roles import Role
from procedures import events
from procedures.models import Procedure
from procedures.services import slots


@transaction.atomic
def change_responsible(*, actor: Actor, procedure: Procedure, to: User, reason: str = "") -> Procedure:
    """Somebody else answers for the case: reads its results, until the patient has been told.

    Raises Invalid for somebody who is no physician here or has it already, Conflict for a case that is closed or was
    given to somebody else in the meantime.
    """
    require(actor, Role.PHYSICIAN, Role.NURSE, Role.SCHEDULER, Role.DIRECTOR, Role.ADMINISTRATOR)
    if not to.is_active or not to.has(Role.PHYSICIAN):
        raise Invalid("The responsible clinician must be a physician who works here.", field="to")
    locked = slots.lock_case(procedure)
    if locked.closed_at is not None:
        raise Conflict("This case is closed: nothing is left to answer for.")
    if locked.responsible_id == to.pk:
        raise Invalid("This person is responsible already.", field="to")
    if locked.responsible_id != procedure.responsible_id:
        raise Conflict("Somebody else gave this case to another clinician in the meantime.")
    before, locked.responsible = locked.responsible_id, to
    locked.save(update_fields=["responsible"])
    audit.record(
        action="procedure.responsible_changed",
        actor=actor,
        subject=locked,
        patient_id=locked.patient_id,
        reason=reason,
        data={"from": before, "to": to.pk},
    )
    events.changed(locked)
    return locked
