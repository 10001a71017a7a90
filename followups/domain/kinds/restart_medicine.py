"""A medicine that was held. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import Inbox, Spec, Station, alive, gettext_noop
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
        if facts.status in {S.CANCELLED, S.NO_SHOW, S.ENTERED_IN_ERROR} or facts.lost_its_slot:
            due = max(facts.ended_at or hold.decided_at, hold.decided_at)
        elif facts.status is S.COMPLETED:
            due = hold.restart_due_at or max(facts.needle_ended_at, hold.decided_at)
        elif facts.status is S.REQUESTED:
            due = hold.restart_due_at or max(facts.book_by, hold.decided_at)
        else:
            due = hold.restart_due_at or max(facts.slot_ends_at or hold.decided_at, hold.decided_at)
        yield Promise(
            kind=Kind.RESTART_MEDICINE,
            key=f"restart:{hold.id}",
            start_at=hold.decided_at,
            due_at=due,
            role=Role.PHYSICIAN,
            responsible_id=facts.responsible_id,
            level="abnormal",
            about={"hold": hold.id},
        )


SPEC = Spec(
    kind=Kind.RESTART_MEDICINE,
    rules=(restart_medicine,),
    label=gettext_noop("Restart the held medicine, or decide not to"),
    line=gettext_noop("Restart the held medicine, or say why not"),
    mail=gettext_noop("A decision about a medicine that was paused is due."),
    opens="a medicine was held; after a cancellation or a no-show it is due at once",
    closes="it was restarted, not restarted with a reason, or the hold was withdrawn",
    page="procedures:holds",
    kept=alive,
    station=Station.MEDICINES,
    inbox=Inbox.DECIDE,
    timed=True,
    handed_on=gettext_noop("Restart it then, or say why not."),
)
