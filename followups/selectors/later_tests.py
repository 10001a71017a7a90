"""One item of the protocol's later tests in a case: its window, its tests, what was decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from procedures.domain.lab_content import LaterTests
from procedures.domain.states import TestStatus
from procedures.models import LabTest, LaterDecision, Procedure


@dataclass(frozen=True)
class Later:
    """``missing``: labels of what nobody has ordered. ``early``: a tube was taken before the window opened."""

    item: LaterTests
    panel: str
    opens: datetime | None
    closes: datetime | None
    tests: tuple[LabTest, ...]
    missing: tuple[str, ...]
    to_collect: bool
    early: bool
    decision: LaterDecision | None
    now: datetime

    @property
    def is_open(self) -> bool:
        """Whether it is time to take it."""
        return self.opens is not None and self.opens <= self.now


def load(procedure: Procedure, code: str, now: datetime) -> Later | None:
    """None for what the protocol does not ask for. Two queries."""
    protocol = procedure.protocol_version.parsed
    item = next((later for later in protocol.later_tests if later.code == code), None)
    if item is None:
        return None
    panel = protocol.panel(item.panel)
    rows = procedure.tests.filter(code__in=panel.tests).exclude(status=TestStatus.CANCELLED)
    tests = tuple(sorted(rows, key=lambda test: panel.tests.index(test.code)))
    there = {test.code for test in tests}
    start = procedure.started_at
    opens = start + timedelta(hours=item.after_hours) if start else None
    return Later(
        item=item,
        panel=panel.code,
        opens=opens,
        closes=start + timedelta(hours=item.within_hours) if start else None,
        tests=tests,
        missing=tuple(protocol.test(wanted).label for wanted in panel.tests if wanted not in there),
        to_collect=any(test.state is TestStatus.ORDERED for test in tests),
        early=any(test.collected_at and opens and test.collected_at < opens for test in tests),
        decision=procedure.later_decisions.select_related("by").filter(code=code).first(),
        now=now,
    )
