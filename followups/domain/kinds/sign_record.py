"""What was done is written down and signed. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import About, Chase, Spec, Station, gettext_noop
from followups.domain.promise import Promise
from procedures.domain.states import Outcome, ProcedureStatus

S = ProcedureStatus


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


def _kept(_about: About, facts: ProcedureFacts) -> bool:
    return facts.record_signed_at is not None


SPEC = Spec(
    kind=Kind.SIGN_RECORD,
    rules=(sign_record,),
    label=gettext_noop("Sign the record"),
    line=gettext_noop("Sign the procedure record"),
    mail=gettext_noop("The record of a procedure is waiting to be signed."),
    opens="the needle was in and the record is not signed",
    closes="the record is signed",
    page="procedures:record",
    kept=_kept,
    station=Station.RECORD,
    chase=Chase.RECORD,
)
