"""What was done about what a patient reported. A call that reached nobody is written down and ends nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from clinic import audit, clock, row_locks
from clinic.actor import Actor
from clinic.errors import Invalid, NotPermitted
from clinic.roles import Role
from followups.models import SymptomCheck, SymptomTriage
from followups.models.symptoms import SPOKEN, TriageOutcome
from followups.selectors import symptom_facts
from procedures import events
from procedures.models import Procedure


@transaction.atomic
def record(
    *,
    report: SymptomCheck,
    actor: Actor,
    outcome: str,
    done: str = "",
    spoke_with: str = "",
    at: datetime | None = None,
    seen: str = "",
) -> SymptomTriage:
    """Write down one try. *Spoken with* needs with whom, and what was done; *read* is not enough for a sign.

    ``seen``: what the page showed (``fingerprint``); what arrived since then is not closed by it.
    """
    if not actor.has(Role.NURSE, Role.PHYSICIAN) or actor.user_id is None:
        raise NotPermitted
    procedure = row_locks.lock(Procedure, report.procedure_id)
    now = clock.now()
    when = at or now
    if when > now + timedelta(minutes=1):
        raise Invalid("This time has not come yet.", field="at")
    if outcome in SPOKEN and not done.strip():
        raise Invalid("Say what was done.", field="done")
    if outcome in SPOKEN and not spoke_with.strip():
        raise Invalid("Say with whom you spoke.", field="spoke_with")
    row = SymptomCheck.objects.prefetch_related("answers", "triages").get(pk=report.pk)
    if seen and seen != fingerprint(row):
        raise Invalid(
            "The patient has answered more since you opened this page. Please read it below.", field="outcome"
        )
    if outcome == TriageOutcome.READ and symptom_facts.report(row, set()).sign:
        raise Invalid("There is a sign that needs an answer: speak with the patient, or say that nobody was reached.",
                      field="outcome")  # fmt: skip
    saved = SymptomTriage.objects.create(
        check_row=row,
        outcome=outcome,
        done=done.strip(),
        spoke_with=spoke_with.strip(),
        at=when,
        recorded_at=now,
        by_id=actor.user_id,
    )
    audit.record(
        action="symptoms.triaged",
        actor=actor,
        subject=row,
        patient_id=procedure.patient_id,
        data={"outcome": outcome, "tier": row.worst_tier},
    )
    events.changed(procedure)
    return saved


def fingerprint(report: SymptomCheck) -> str:
    """Says whether anything was added to a report; ``report`` carries its answers."""
    return f"{max((a.pk for a in report.answers.all()), default=0)}-{len(report.note)}"
