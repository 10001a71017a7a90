"""The planner raised: made without it, so that no fact is ever lost. Pure."""

from __future__ import annotations

from followups.domain.facts import ProcedureFacts
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import About, Inbox, Spec, Station, gettext_noop


def _kept(_about: About, _facts: ProcedureFacts) -> bool:
    return True


SPEC = Spec(
    kind=Kind.PLAN_FAILED,
    rules=(),
    label=gettext_noop("Look at this case by hand: its plan could not be made"),
    line=gettext_noop("Look at this case by hand: its plan could not be made"),
    mail=gettext_noop("The product could not work out what must still happen in a case. Please look at it by hand."),
    opens="the plan of a case could not be made",
    closes="the plan can be made again",
    page="followups:case",
    kept=_kept,
    station=Station.NEEDLE,
    inbox=Inbox.DECIDE,
)
