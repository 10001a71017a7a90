"""A patient who may be written to gets a message at its time: the appointment, the form, a word after it. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import About, Spec, Station, Writes, alive, gettext_noop
from followups.domain.notices import FORM
from followups.domain.promise import Promise


def write_to_patient(facts: ProcedureFacts) -> Iterator[Promise]:
    """Once each. What was sent, or was seen to by a call, is not promised again."""
    if facts.deceased:
        return
    for notice in facts.notices:
        if notice.key in facts.written:
            continue
        yield Promise(
            kind=Kind.WRITE_TO_PATIENT,
            key=notice.key,
            start_at=notice.start_at,
            due_at=notice.due_at,
            role=Role.SCHEDULER if notice.code != "week" else Role.NURSE,
            about={"notice": notice.code},
        )


def _writes(about: About) -> Writes:
    notice = str(about.get("notice", ""))
    return Writes(notice, link="before") if notice == FORM else Writes(notice or "message")


def _kept(about: About, facts: ProcedureFacts) -> bool:
    sent = any(key.startswith(f"notice:{about.get('notice')}") for key in facts.written)
    return sent and alive(about, facts)


SPEC = Spec(
    kind=Kind.WRITE_TO_PATIENT,
    rules=(write_to_patient,),
    label=gettext_noop("Write to the patient"),
    line=gettext_noop("Write to the patient: %(notice)s"),
    mail=gettext_noop("A message to a patient has not been sent in time. Please call instead."),
    opens="a patient who has agreed to messages has a slot ahead, or a quiet week after one of a series",
    closes="the message was sent, a call was made instead, or there is nothing to say any more",
    page="followups:case",
    words={
        "notice": {
            "appointment": gettext_noop("a reminder of the appointment"),
            "form": gettext_noop("the form before the procedure"),
            "week": gettext_noop("a word a week after it"),
            "": gettext_noop("a message"),
        }
    },
    kept=_kept,
    station=Station.BOOKED,
    timed=True,
    booking=True,
    writes=_writes,
)
