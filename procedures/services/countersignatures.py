"""The second signature under an emergency start: by another physician or the director, agreeing or not."""

from __future__ import annotations

from django.db import transaction

from clinic import audit, clock
from clinic.access import require
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid, NotPermitted
from clinic.roles import Role
from procedures import events
from procedures.models import Countersignature, Procedure
from procedures.services import slots

#: Who may sign under what a physician began alone.
COUNTERSIGN = (Role.PHYSICIAN, Role.DIRECTOR)


@transaction.atomic
def countersign(*, actor: Actor, procedure: Procedure, agrees: bool, comment: str = "") -> Countersignature:
    """Sign under the start that stands. Not agreeing closes the promise too, and the director sees it as an override.

    Raises NotPermitted for who started it, Invalid for a disagreement without a comment, Conflict when there is no
    emergency start (any more) or somebody else has signed. The same signature twice changes nothing.
    """
    require(actor, *COUNTERSIGN)
    if actor.user_id is None:
        raise NotPermitted
    comment = comment.strip()
    if not agrees and not comment:
        raise Invalid("Say what you do not agree with.", field="comment")
    locked = slots.lock_case(procedure)
    if not locked.emergency_start or locked.started_at is None:
        raise Conflict("This case has no emergency start to sign under.")
    if locked.started_at != procedure.started_at:
        raise Conflict("This start was abandoned and begun again in the meantime. Look at it anew.")
    if locked.emergency_by_id == actor.user_id:
        raise NotPermitted("You started it: somebody else signs under it.")
    earlier = locked.countersignatures.filter(start_at=locked.started_at).first()
    if earlier is not None:
        if (earlier.by_id, earlier.agrees, earlier.comment) == (actor.user_id, agrees, comment):
            return earlier
        raise Conflict("Somebody has signed under this start already.")
    row = Countersignature.objects.create(
        procedure=locked,
        start_at=locked.started_at,
        by_id=actor.user_id,
        at=clock.now(),
        agrees=agrees,
        comment=comment,
    )
    audit.record(
        action="procedure.countersigned" if agrees else "procedure.start_not_agreed",
        actor=actor,
        subject=locked,
        patient_id=locked.patient_id,
        reason=comment,
        data={"countersignature": row.pk, "started_by": locked.emergency_by_id},
    )
    events.changed(locked)
    return row
