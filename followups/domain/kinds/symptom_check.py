"""The danger signs are asked about. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import About, Chase, Inbox, Spec, Station, Writes, alive, gettext_noop
from followups.domain.promise import Promise
from procedures.domain.states import NEEDLE_IN, Disposition, ProcedureStatus

S = ProcedureStatus


def symptom_check(facts: ProcedureFacts) -> Iterator[Promise]:
    """After a needle the danger signs are asked at the protocol's hours; silence is never taken for well."""
    if facts.started_at is None or facts.status is not S.COMPLETED or facts.outcome not in NEEDLE_IN:
        return
    if facts.deceased or facts.disposition is Disposition.DIED:
        return
    settled = {s.check_code for s in facts.symptoms if s.outcome in {"answered", "not_needed"}}
    for check in facts.protocol.symptom_checks:
        if check.code in settled or (check.only_if and not facts.flags.intersection(check.only_if)):
            continue
        start = facts.started_at + timedelta(hours=check.after_hours)
        yield Promise(
            kind=Kind.SYMPTOM_CHECK,
            key=f"symptoms:{check.code}",
            start_at=start,
            due_at=start + timedelta(hours=check.within_hours),
            role=Role.NURSE,
            responsible_id=facts.responsible_id,
            about={"check": check.code, "encounter": str(facts.encounter_class)},
        )


def _writes(about: About) -> Writes:
    return Writes("message", link="symptoms", about=str(about.get("check", "")))


SPEC = Spec(
    kind=Kind.SYMPTOM_CHECK,
    rules=(symptom_check,),
    label=gettext_noop("Ask about symptoms"),
    line=gettext_noop("Ask about danger signs: %(check)s"),
    mail=gettext_noop("A patient is to be asked how they are after the procedure."),
    opens="the needle was in; one promise for each of the protocol's hours",
    closes="every question is answered, or the check is not needed with a reason; silence never closes it",
    page="followups:symptoms",
    args=("code", "check"),
    kept=alive,
    station=Station.SYMPTOMS,
    inbox=Inbox.TELL,
    chase=Chase.CALL,
    writes=_writes,
    handed_on=gettext_noop("Ask about the danger signs at this time; silence is not well."),
)
