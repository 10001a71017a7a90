"""The rest of the checklist of an emergency. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import Chase, Spec, Station, gettext_noop
from followups.domain.promise import Promise
from procedures.domain.states import ProcedureStatus

S = ProcedureStatus


def checklist_after_emergency(facts: ProcedureFacts) -> Iterator[Promise]:
    """An emergency started on the six-item minimum: the rest of the checklist is owed (clinic-reality §2.2)."""
    if not facts.emergency_start or not facts.unsigned_stages or facts.started_at is None:
        return
    if facts.status in {S.CANCELLED, S.ENTERED_IN_ERROR}:
        return
    yield Promise(
        kind=Kind.CHECKLIST_AFTER_EMERGENCY,
        key="checklist",
        start_at=facts.started_at,
        due_at=facts.started_at + timedelta(hours=facts.protocol.countersign_hours),
        role=Role.NURSE,
        responsible_id=facts.responsible_id,
        about={"stages": list(facts.unsigned_stages)},
    )


SPEC = Spec(
    kind=Kind.CHECKLIST_AFTER_EMERGENCY,
    rules=(checklist_after_emergency,),
    label=gettext_noop("Complete the checklist after an emergency"),
    line=gettext_noop("Complete the checklist after the emergency start"),
    mail=gettext_noop("A case began as an emergency; the rest of its checklist is still to be done."),
    opens="an emergency started on the six-item minimum",
    closes="every stage that the start waits for is signed",
    page="procedures:checklist",
    station=Station.CHECKLIST,
    chase=Chase.CHECKLIST,
)
