"""Nobody came. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import About, Spec, Station, gettext_noop
from followups.domain.promise import Promise
from procedures.domain.states import ProcedureStatus

S = ProcedureStatus
GONE = frozenset({S.CANCELLED, S.ENTERED_IN_ERROR})


def rebook_no_show(facts: ProcedureFacts) -> Iterator[Promise]:
    """Nobody came: somebody rebooks it or ends it."""
    if facts.status is not S.NO_SHOW:
        return
    since = facts.ended_at or facts.requested_at
    yield Promise(
        kind=Kind.REBOOK_NO_SHOW,
        key="rebook",
        start_at=since,
        due_at=since + timedelta(hours=facts.protocol.no_show_hours),
        role=Role.SCHEDULER,
    )


def _kept(_about: About, facts: ProcedureFacts) -> bool:
    return facts.status not in GONE


SPEC = Spec(
    kind=Kind.REBOOK_NO_SHOW,
    rules=(rebook_no_show,),
    label=gettext_noop("Rebook or end the no-show"),
    line=gettext_noop("Rebook or end the no-show"),
    mail=gettext_noop("A case whose patient did not come is waiting to be booked again or ended."),
    opens="the patient did not come",
    closes="the case is booked again or cancelled",
    page="procedures:schedule",
    kept=_kept,
    station=Station.BOOKED,
    booking=True,
)
