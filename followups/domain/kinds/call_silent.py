"""A patient was asked by a link and has not answered: one call for all of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import About, Chase, Inbox, Line, Spec, Station, alive, gettext_noop
from followups.domain.kinds.symptom_check import unanswered
from followups.domain.promise import Promise
from procedures.domain.states import EncounterClass


def call_silent(facts: ProcedureFacts) -> Iterator[Promise]:
    """One call for every check of the case that the patient is asked by a link and is silent about.

    In the morning after the first of them; the same evening, and on call, only where the risk is high. A link that
    was locked by wrong birth dates reaches nobody any more: the call is due at once.
    """
    if facts.encounter_class is EncounterClass.INPATIENT:
        return
    calls = sorted(_calls(facts))
    if not calls:
        return
    start, locked, check = calls[0]
    high = _is_high(facts)
    minutes = facts.protocol.silence_minutes
    yield Promise(
        kind=Kind.CALL_SILENT,
        key="silent",
        start_at=start,
        due_at=start + timedelta(minutes=minutes["call_high_risk" if high else "call"]),
        role=Role.NURSE,
        responsible_id=facts.responsible_id,
        level="abnormal" if high else "normal",
        about={"check": check, "locked": locked},
    )


def _calls(facts: ProcedureFacts) -> Iterator[tuple[datetime, bool, str]]:
    """From when somebody calls, whether because of a locked link, and about which check."""
    locked = {link.about: link.at for link in facts.locked if link.purpose == "symptoms"}
    for check, start in unanswered(facts):
        if check.code in locked:
            yield locked[check.code], True, check.code
        elif facts.by_message and _is_high(facts):
            yield start + timedelta(minutes=facts.protocol.silence_minutes["high_risk"]), False, check.code
        elif facts.by_message:
            yield facts.morning_after(start), False, check.code


def _is_high(facts: ProcedureFacts) -> bool:
    return bool(facts.flags.intersection(facts.protocol.high_risk))


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
    opens="the patient is asked by a link; one promise for all checks of the case, for the next morning, "
    "the same evening where the risk is high, at once when the link is locked",
    closes="the checks are answered, by the patient or on the phone, or not needed with a reason",
    page="followups:symptoms",
    args=("code", "check"),
    kept=alive,
    others_first=True,
    station=Station.SYMPTOMS,
    inbox=Inbox.TELL,
    chase=Chase.CALL,
    handed_on=gettext_noop("The patient has not answered: ask about the danger signs; silence is not well."),
)
