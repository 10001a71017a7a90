"""The patient is told when to take the last dose of a medicine that is held. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import About, Chase, Inbox, Spec, Station, gettext_noop
from followups.domain.promise import Promise
from procedures.domain.states import Disposition, ProcedureStatus

S = ProcedureStatus
DAY = timedelta(days=1)
SATURDAY = 5


def working_day_before(moment: datetime) -> datetime:
    """The same hour of the last day before it that is neither Saturday nor Sunday (where ``moment`` is local)."""
    found = moment - DAY
    while found.weekday() >= SATURDAY:
        found -= DAY
    return found


def tell_last_dose(facts: ProcedureFacts) -> Iterator[Promise]:
    """Until the needle. When there will be none, that the medicine need not be stopped is told at once instead.

    Only from the hold: whatever becomes of the medicine list, of the slot or of the case.
    """
    if facts.deceased or facts.disposition is Disposition.DIED or facts.status in {S.IN_PROGRESS, S.COMPLETED}:
        return
    off = facts.status in {S.CANCELLED, S.NO_SHOW, S.ENTERED_IN_ERROR} or facts.lost_its_slot
    for hold in facts.holds:
        if hold.decided or hold.told or hold.planned_last_dose_at is None:
            continue
        due = (facts.ended_at or hold.decided_at) if off else working_day_before(hold.planned_last_dose_at)
        yield Promise(
            kind=Kind.TELL_LAST_DOSE,
            key=f"last_dose:{hold.id}",
            start_at=hold.decided_at,
            due_at=max(due, hold.decided_at),
            role=Role.NURSE,
            responsible_id=facts.responsible_id,
            level="abnormal",
            about={"hold": hold.id, "off": off},
        )


def _line(about: About, _key: str) -> str:
    if about.get("off"):
        return gettext_noop("Tell the patient that the medicine need not be stopped: there is no needle")
    return gettext_noop("Tell the patient when to take the last dose")


def _told(about: About, facts: ProcedureFacts) -> bool:
    return any(hold.id == about.get("hold") and hold.told for hold in facts.holds)


SPEC = Spec(
    kind=Kind.TELL_LAST_DOSE,
    rules=(tell_last_dose,),
    label=gettext_noop("Tell the patient when to take the last dose"),
    line=_line,
    mail=gettext_noop("A patient is waiting to be told when to take the last dose of a medicine."),
    opens="a medicine is held and its last dose is planned; told a working day before it, after a cancellation at once",
    closes="the patient was told, the hold was withdrawn or decided on, or the needle is in",
    page="procedures:holds",
    kept=_told,
    station=Station.MEDICINES,
    inbox=Inbox.TELL,
    chase=Chase.CALL,
    others_first=True,
)
