"""From the request to the signed record. Pure: see planner.py.

Each function is one closing clause: while it returns a promise the case stays open.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts
from followups.domain.kinds import Kind
from followups.domain.promise import Promise
from procedures.domain.states import Outcome, ProcedureStatus, Urgency

S = ProcedureStatus


def book_request(facts: ProcedureFacts) -> Iterator[Promise]:
    """A request without a slot must be booked, in time for its urgency."""
    if facts.status is not S.REQUESTED:
        return
    emergency = facts.urgency is Urgency.EMERGENCY
    yield Promise(
        kind=Kind.BOOK_REQUEST,
        key="book",
        start_at=facts.waits_since,
        due_at=facts.book_by,
        role=Role.PHYSICIAN if emergency else Role.SCHEDULER,
        responsible_id=facts.responsible_id if emergency else None,
    )


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


def rebook_no_show(facts: ProcedureFacts) -> Iterator[Promise]:
    """Nobody came: somebody rebooks it or ends it."""
    if facts.status is not S.NO_SHOW:
        return
    since = facts.ended_at or facts.requested_at
    yield Promise(
        kind=Kind.REBOOK_NO_SHOW,
        key="rebook",
        start_at=since,
        due_at=since + timedelta(hours=facts.protocol.no_show_hours),
        role=Role.SCHEDULER,
    )


def sign_record(facts: ProcedureFacts) -> Iterator[Promise]:
    """What was done must be written and signed."""
    if facts.status is not S.COMPLETED or facts.outcome is Outcome.NOT_ATTEMPTED or facts.record_signed_at:
        return
    done = facts.needle_ended_at
    yield Promise(
        kind=Kind.SIGN_RECORD,
        key="record",
        start_at=done,
        due_at=done + timedelta(hours=facts.protocol.record_due_hours),
        role=Role.PHYSICIAN,
        responsible_id=facts.operator_id or facts.responsible_id,
    )


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
