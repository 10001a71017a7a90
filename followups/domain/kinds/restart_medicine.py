"""A medicine that was held. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from clinic.roles import Role
from followups.domain.facts import HoldFact, ProcedureFacts
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import About, Inbox, Spec, Station, alive, gettext_noop
from followups.domain.promise import Promise
from procedures.domain.states import Disposition, ProcedureStatus

S = ProcedureStatus


def restart_medicine(facts: ProcedureFacts) -> Iterator[Promise]:
    """Every held medicine is restarted, or not, with a reason. Without a slot any more it is due at once."""
    if facts.deceased or facts.disposition is Disposition.DIED:
        return
    for hold in facts.holds:
        if hold.decided:
            continue
        no_needle = facts.status in {S.CANCELLED, S.NO_SHOW, S.ENTERED_IN_ERROR} or facts.lost_its_slot
        due = (facts.ended_at or hold.decided_at) if no_needle else _after_the_needle(hold, facts)
        about: dict[str, Any] = {"hold": hold.id}
        if not no_needle and hold.restart_due_at is None and hold.ruled and _hours(hold, facts) is None:
            about["set"] = True
        yield Promise(
            kind=Kind.RESTART_MEDICINE,
            key=f"restart:{hold.id}",
            start_at=hold.decided_at,
            due_at=max(due, hold.decided_at) if hold.restart_due_at is None or no_needle else due,
            role=Role.PHYSICIAN,
            responsible_id=facts.responsible_id,
            level="abnormal",
            about=about,
        )


def _hours(hold: HoldFact, facts: ProcedureFacts) -> int | None:
    """From the needle to the restart, by the rule the hold was made under. A traumatic tap has its own."""
    return hold.traumatic_hours if "traumatic" in facts.flags else hold.restart_hours


def _after_the_needle(hold: HoldFact, facts: ProcedureFacts) -> datetime:
    """When it is due: as the physician set it, else by the rule, else (the physician sets it) when the case is over.

    A traumatic tap never leaves an earlier time than its own rule says.
    """
    if facts.status is S.COMPLETED:
        needle = facts.needle_ended_at
    elif facts.status is S.REQUESTED:
        needle = facts.book_by
    else:
        needle = facts.slot_ends_at or hold.decided_at
    hours = _hours(hold, facts)
    ruled = needle + timedelta(hours=hours or 0)
    if hold.restart_due_at is None:
        return ruled
    lengthened = "traumatic" in facts.flags and hours is not None
    return max(hold.restart_due_at, ruled) if lengthened else hold.restart_due_at


def _line(about: About, _key: str) -> str:
    if about.get("set"):
        return gettext_noop("Set when the held medicine is restarted, before the patient leaves")
    return gettext_noop("Restart the held medicine, or say why not")


SPEC = Spec(
    kind=Kind.RESTART_MEDICINE,
    rules=(restart_medicine,),
    label=gettext_noop("Restart the held medicine, or decide not to"),
    line=_line,
    mail=gettext_noop("A decision about a medicine that was paused is due."),
    opens="a medicine was held; due by the rule it was held under (a traumatic tap has its own), or as the physician "
    "sets it; where the rule leaves that to the physician when the case is over; after a cancellation at once",
    closes="it was restarted, not restarted with a reason, or the hold was withdrawn",
    page="procedures:holds",
    kept=alive,
    station=Station.MEDICINES,
    inbox=Inbox.DECIDE,
    timed=True,
    handed_on=gettext_noop("Restart it then, or say why not."),
)
