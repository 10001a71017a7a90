"""A booked or begun case. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import About, Chase, Spec, Station, gettext_noop
from followups.domain.promise import Promise
from procedures.domain.states import ProcedureStatus

S = ProcedureStatus


def carry_out(facts: ProcedureFacts) -> Iterator[Promise]:
    """A booked or begun case must be carried out, or what happened instead must be recorded."""
    if facts.status not in {S.SCHEDULED, S.ARRIVED, S.IN_PROGRESS}:
        return
    start = facts.started_at or facts.slot_at or facts.arrived_at or facts.requested_at
    running = facts.status is S.IN_PROGRESS
    yield Promise(
        kind=Kind.CARRY_OUT,
        key="carry_out",
        start_at=start,
        due_at=max(facts.slot_ends_at or start, start),
        role=Role.PHYSICIAN if running else Role.NURSE,
        responsible_id=(facts.operator_id or facts.responsible_id) if running else None,
        about={"status": str(facts.status)},
    )


def _kept(_about: About, facts: ProcedureFacts) -> bool:
    return facts.status is S.COMPLETED


SPEC = Spec(
    kind=Kind.CARRY_OUT,
    rules=(carry_out,),
    label=gettext_noop("Carry out or record the case"),
    line=gettext_noop("Carry out or record the case"),
    mail=gettext_noop("A booked case has neither been carried out nor recorded as something else."),
    opens="a slot is booked, the patient has arrived, or the needle is in",
    closes="the case is completed, given back, cancelled or recorded as a no-show",
    page="followups:case",
    kept=_kept,
    station=Station.NEEDLE,
    chase=Chase.RECORD,
    timed=True,
    booking=True,
)
