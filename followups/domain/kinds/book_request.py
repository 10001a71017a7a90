"""A request that has no slot yet. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import About, Spec, Station, gettext_noop
from followups.domain.promise import Promise
from procedures.domain.states import ProcedureStatus, Urgency

S = ProcedureStatus
GONE = frozenset({S.CANCELLED, S.ENTERED_IN_ERROR})


def book_request(facts: ProcedureFacts) -> Iterator[Promise]:
    """A request without a slot must be booked, in time for its urgency."""
    if facts.status is not S.REQUESTED:
        return
    emergency = facts.urgency is Urgency.EMERGENCY
    yield Promise(
        kind=Kind.BOOK_REQUEST,
        key="book",
        start_at=facts.waits_since,
        due_at=facts.book_by,
        role=Role.PHYSICIAN if emergency else Role.SCHEDULER,
        responsible_id=facts.responsible_id if emergency else None,
    )


def _kept(_about: About, facts: ProcedureFacts) -> bool:
    return facts.status not in GONE


SPEC = Spec(
    kind=Kind.BOOK_REQUEST,
    rules=(book_request,),
    label=gettext_noop("Book the request"),
    line=gettext_noop("Book the request"),
    mail=gettext_noop("A request is waiting to be booked."),
    opens="a request has no slot, or lost the one it had",
    closes="a slot is booked, the case is cancelled, or it begins as an emergency",
    page="procedures:schedule",
    kept=_kept,
    station=Station.BOOKED,
    booking=True,
)
