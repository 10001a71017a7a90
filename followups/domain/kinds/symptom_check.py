"""The danger signs are asked about. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import About, Chase, Inbox, Spec, Station, Writes, alive, gettext_noop
from followups.domain.promise import Promise
from procedures.domain.patient_content import SymptomCheck
from procedures.domain.states import NEEDLE_IN, Disposition, ProcedureStatus

S = ProcedureStatus


def unanswered(facts: ProcedureFacts) -> Iterator[tuple[SymptomCheck, datetime]]:
    """The checks that are owed, each with its hour.

    A later answer to the same questions, or to more, also answers a check that was silent before it: whoever is well
    on the second day need not be asked about the first.
    """
    if facts.started_at is None or facts.status is not S.COMPLETED or facts.outcome not in NEEDLE_IN:
        return
    if facts.deceased or facts.disposition is Disposition.DIED:
        return
    for check in facts.protocol.symptom_checks:
        start = facts.started_at + timedelta(hours=check.after_hours)
        if not is_settled(facts, check, start) and (not check.only_if or facts.flags.intersection(check.only_if)):
            yield check, start


def is_settled(facts: ProcedureFacts, check: SymptomCheck, start: datetime) -> bool:
    """Whether the check was answered, by itself or by a later one, or is not needed."""
    questions = {c.code: frozenset(c.questions) for c in facts.protocol.symptom_checks}
    return any(
        s.check_code == check.code
        or (
            s.outcome == "answered" and s.at >= start and questions.get(s.check_code, frozenset()) >= {*check.questions}
        )
        for s in facts.symptoms
        if s.outcome in {"answered", "not_needed"}
    )


def symptom_check(facts: ProcedureFacts) -> Iterator[Promise]:
    """After a needle the danger signs are asked at the protocol's hours; silence is never taken for well."""
    how = {"by": "link"} if facts.by_message else {}
    for check, start in unanswered(facts):
        yield Promise(
            kind=Kind.SYMPTOM_CHECK,
            key=f"symptoms:{check.code}",
            start_at=start,
            due_at=start + timedelta(hours=check.within_hours),
            role=Role.NURSE,
            responsible_id=facts.responsible_id,
            about={"check": check.code, "encounter": str(facts.encounter_class), **how},
        )


def _writes(about: About) -> Writes:
    return Writes("message", link="symptoms", about=str(about.get("check", "")))


def _kept(about: About, facts: ProcedureFacts) -> bool:
    """Answered, or said not to be needed: not so where it was only asked while there was a headache."""
    check = next((c for c in facts.protocol.symptom_checks if c.code == about.get("check")), None)
    if check is None or facts.started_at is None:
        return alive(about, facts)
    return alive(about, facts) and is_settled(facts, check, facts.started_at + timedelta(hours=check.after_hours))


SPEC = Spec(
    kind=Kind.SYMPTOM_CHECK,
    rules=(symptom_check,),
    label=gettext_noop("Ask about symptoms"),
    line=gettext_noop("Ask about danger signs: %(check)s"),
    mail=gettext_noop("A patient is to be asked how they are after the procedure."),
    opens="the needle was in; one promise for each of the protocol's hours",
    closes="every question is answered, here or at a later hour, or the check is not needed with a reason; silence and "
    "a form that was begun never close it",
    page="followups:symptoms",
    args=("code", "check"),
    kept=_kept,
    station=Station.SYMPTOMS,
    inbox=Inbox.TELL,
    chase=Chase.CALL,
    writes=_writes,
    handed_on=gettext_noop("Ask about the danger signs at this time; silence is not well."),
)
