"""Moving the demonstration's clock: from one moment at which something is due to the next, a pass at each.

So everything happens at its own time, and two weeks take seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from clinic import audit
from clinic.actor import Actor
from followups import engine
from followups.services import demo_clock

#: What one replay may take; the rest of the way is then made in one step.
MOST_STEPS = 2000


@dataclass(frozen=True)
class Replayed:
    passes: int
    rungs: int
    sent: int


def move_to(*, actor: Actor, to: datetime) -> Replayed:
    """Move the clock forward to ``to``. Raises NotPermitted outside a demonstration, Invalid when it would go back."""
    cursor = demo_clock.check_forward(to)
    audit.record(action="demo_clock.moved", actor=actor, data={"from": cursor.isoformat(), "to": to.isoformat()})
    reports = []
    while cursor < to:
        reports.append(_pass_at(cursor))
        following = demo_clock.next_moment(after=cursor, until=to) if len(reports) < MOST_STEPS else None
        cursor = following or to
    reports.append(_pass_at(to))
    return Replayed(
        passes=len(reports),
        rungs=sum(report.rungs for report in reports),
        sent=sum(report.delivered.get("sent", 0) for report in reports),
    )


def _pass_at(moment: datetime) -> engine.PassReport:
    """Whatever the pass calls sees the same time as the pass."""
    demo_clock.set_to(moment)
    return engine.run_pass(moment)
