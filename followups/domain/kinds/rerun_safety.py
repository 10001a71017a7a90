"""The rules were run again and say something else: somebody looks at the difference. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import Chase, Spec, Station, gettext_noop
from followups.domain.promise import Promise
from procedures.domain.states import ProcedureStatus

#: The evening before the slot.
EVENING = timedelta(hours=12)


def rerun_safety(facts: ProcedureFacts) -> Iterator[Promise]:
    """Until the patient is here: then everything is asked again anyway."""
    found = facts.safety
    if facts.status is not ProcedureStatus.SCHEDULED or facts.slot_at is None or found.changed_at is None:
        return
    yield Promise(
        kind=Kind.RERUN_SAFETY,
        key="safety:changed",
        start_at=found.changed_at,
        due_at=max(found.changed_at, facts.slot_at - EVENING),
        role=Role.NURSE,
        responsible_id=facts.responsible_id,
        about={"run": found.changed_run},
    )


SPEC = Spec(
    kind=Kind.RERUN_SAFETY,
    rules=(rerun_safety,),
    label=gettext_noop("Look at changed findings"),
    line=gettext_noop("Look at what the safety rules say otherwise than before"),
    mail=gettext_noop("The safety rules say something else than before about a procedure that is booked."),
    opens="the rules, run the day before the slot or after new rules, find something else than the time before",
    closes="somebody has looked at the difference, the patient arrives, or the case loses its slot",
    page="procedures:clearance",
    station=Station.CHECKLIST,
    chase=Chase.CHECKLIST,
    others_first=True,
)
