"""A patient was asked by a link and has not answered: one call for all of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from clinic.roles import Role
from followups.domain.facts import AskedFact, ProcedureFacts
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import About, Chase, Inbox, Line, Spec, Station, alive, gettext_noop
from followups.domain.kinds.symptom_check import unanswered
from followups.domain.promise import Promise
from procedures.domain.states import EncounterClass


def call_silent(facts: ProcedureFacts) -> Iterator[Promise]:
    """One call for every check of the case that was sent and is silent.

    In the morning after the first of them; the same evening, and on call, only where the risk is high. A link that
    was locked by wrong birth dates reaches nobody any more: the call is due at once.
    """
    if facts.encounter_class is EncounterClass.INPATIENT:
        return
    owed = {check.code for check, _ in unanswered(facts)}
    silent = [asked for asked in facts.asked if asked.check_code in owed]
    if not silent:
        return
    high = bool(facts.flags.intersection(facts.protocol.high_risk))
    minutes = facts.protocol.silence_minutes
    first = min(silent, key=lambda asked: _from(asked, high, minutes["high_risk"]))
    start = _from(first, high, minutes["high_risk"])
    yield Promise(
        kind=Kind.CALL_SILENT,
        key="silent",
        start_at=start,
        due_at=start + timedelta(minutes=minutes["call_high_risk" if high else "call"]),
        role=Role.NURSE,
        responsible_id=facts.responsible_id,
        level="abnormal" if high else "normal",
        about={"check": first.check_code, "locked": first.locked_at is not None},
    )


def _from(asked: AskedFact, high: bool, minutes: int) -> datetime:
    if asked.locked_at is not None:
        return asked.locked_at
    return asked.at + timedelta(minutes=minutes) if high else asked.morning


def _line(about: About, _key: str) -> Line:
    if about.get("locked"):
        return gettext_noop("Call the patient: the link is locked after ten wrong birth dates")
    return gettext_noop("No answer about danger signs: call the patient")


SPEC = Spec(
    kind=Kind.CALL_SILENT,
    rules=(call_silent,),
    label=gettext_noop("Call a silent patient"),
    line=_line,
    mail=gettext_noop("A patient has not answered: please call."),
    opens="a check was sent to the patient as a link; one promise for all checks of the case, for the next morning, "
    "the same evening where the risk is high, at once when the link is locked",
    closes="the checks that were sent are answered, by the patient or on the phone, or not needed with a reason",
    page="followups:symptoms",
    args=("code", "check"),
    kept=alive,
    others_first=True,
    station=Station.SYMPTOMS,
    inbox=Inbox.TELL,
    chase=Chase.CALL,
    handed_on=gettext_noop("The patient has not answered: ask about the danger signs; silence is not well."),
)
