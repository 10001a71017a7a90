"""That a sheet was put into the patient's hand."""

from __future__ import annotations

from django.db import transaction

from clinic import access, audit
from clinic.actor import Actor
from followups.selectors.leaflets import GIVEN
from procedures.access import CONTACT
from procedures.models import Procedure


@transaction.atomic
def given(*, actor: Actor, procedure: Procedure, which: str, language: str) -> None:
    """Write down which sheet was given, in which language."""
    access.require(actor, *CONTACT)
    audit.record(
        action=GIVEN,
        actor=actor,
        subject=procedure,
        patient_id=procedure.patient_id,
        data={"which": which, "language": language},
    )
