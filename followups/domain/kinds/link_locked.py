"""A patient's link was locked by wrong birth dates: a person calls. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import Chase, Inbox, Spec, Station, alive, gettext_noop
from followups.domain.promise import Promise


def link_locked(facts: ProcedureFacts) -> Iterator[Promise]:
    """The message did not reach whom it was for, or the birth date in the chart is wrong: either way ask."""
    if facts.deceased:
        return
    for link in facts.locked:
        if link.purpose == "symptoms":  # a call about the check itself (call_silent)
            continue
        yield Promise(
            kind=Kind.LINK_LOCKED,
            key=f"link_locked:{link.id}",
            start_at=link.at,
            due_at=link.at + timedelta(minutes=facts.protocol.silence_minutes["call"]),
            role=Role.NURSE,
            responsible_id=facts.responsible_id,
            about={"purpose": link.purpose},
        )


SPEC = Spec(
    kind=Kind.LINK_LOCKED,
    rules=(link_locked,),
    label=gettext_noop("Call about a locked link"),
    line=gettext_noop("Call the patient: a link is locked after ten wrong birth dates"),
    mail=gettext_noop("A patient could not open a message: please call."),
    opens="the birth date of a link that is not about danger signs was wrong ten times",
    closes="the patient, or who answers for them, was reached since then",
    page="followups:tell",
    kept=alive,
    others_first=True,
    station=Station.NONE,
    inbox=Inbox.TELL,
    chase=Chase.CALL,
    handed_on=gettext_noop("We could not reach the patient by a message: give them our number."),
)
