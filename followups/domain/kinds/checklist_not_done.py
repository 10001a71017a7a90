"""A booked case whose checklist is not signed. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import Chase, Spec, Station, gettext_noop
from followups.domain.promise import Promise
from procedures.domain.states import ProcedureStatus

BEFORE = frozenset({ProcedureStatus.SCHEDULED, ProcedureStatus.ARRIVED})


def checklist_not_done(facts: ProcedureFacts) -> Iterator[Promise]:
    """Signed so long before the slot that what it finds can still be put right; a case booked late has until its slot.

    Sign-in and time-out belong to the day itself and are not waited for here.
    """
    if facts.status not in BEFORE or facts.slot_at is None or not facts.stages_owed:
        return
    early = facts.slot_at - timedelta(hours=facts.protocol.checklist_hours)
    yield Promise(
        kind=Kind.CHECKLIST_NOT_DONE,
        key="checklist:before",
        start_at=facts.requested_at,
        due_at=min(facts.slot_at, max(early, facts.book_by)),
        role=Role.NURSE,
        responsible_id=facts.responsible_id,
        about={"stages": list(facts.stages_owed)},
    )


SPEC = Spec(
    kind=Kind.CHECKLIST_NOT_DONE,
    rules=(checklist_not_done,),
    label=gettext_noop("Do the checklist"),
    line=gettext_noop("Do and sign the checklist"),
    mail=gettext_noop("The checklist of a booked case is not signed."),
    opens="a case has a slot and a stage of its checklist before the day itself is not signed",
    closes="these stages are signed, the case begins, or it loses its slot",
    page="procedures:checklist",
    station=Station.CHECKLIST,
    chase=Chase.CHECKLIST,
    timed=True,
    others_first=True,
)
