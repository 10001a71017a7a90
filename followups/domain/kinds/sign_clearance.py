"""*Proceed* over a stop that waits for its second signature. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts
from followups.domain.kinds import Kind
from followups.domain.kinds.checklist_not_done import BEFORE
from followups.domain.kinds.spec import Inbox, Spec, Station, gettext_noop
from followups.domain.promise import Promise


def sign_clearance(facts: ProcedureFacts) -> Iterator[Promise]:
    """Any other physician, or the director: it is the role's, not that of whoever decided."""
    if facts.status not in BEFORE or facts.slot_at is None:
        return
    early = facts.slot_at - timedelta(hours=facts.protocol.checklist_hours)
    for unsigned in facts.safety.to_sign:
        late = unsigned.at >= early
        yield Promise(
            kind=Kind.SIGN_CLEARANCE,
            key=f"clearance:sign:{unsigned.decision}",
            start_at=unsigned.at,
            due_at=max(facts.slot_at if late else early, unsigned.at),
            role=Role.PHYSICIAN,
            level="critical" if late else "abnormal",
            about={"decision": unsigned.decision},
        )


SPEC = Spec(
    kind=Kind.SIGN_CLEARANCE,
    rules=(sign_clearance,),
    label=gettext_noop("Sign as the second person"),
    line=gettext_noop("Second signature: to proceed over a stop"),
    mail=gettext_noop("A decision to proceed before a procedure waits for a second signature."),
    opens="somebody decided to proceed over a stop of a booked case",
    closes="another physician or the director signs it, the stop is gone, or the case begins or loses its slot",
    page="procedures:clearance_sign",
    args=("code", "decision"),
    station=Station.CHECKLIST,
    inbox=Inbox.DECIDE,
)
