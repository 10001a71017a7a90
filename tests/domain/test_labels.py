from __future__ import annotations

import pytest

from followups.domain.labels import urgency
from followups.domain.picture import Urgency
from tests.domain.cases import NOON, hours


@pytest.mark.parametrize(
    ("level", "start", "due", "usual", "expected"),
    [
        ("normal", -1, -0.1, None, Urgency.OVERDUE),
        ("critical", -1, 1, None, Urgency.CRITICAL),
        ("critical", 2, 3, None, Urgency.WAITING),  # not yet begun: nothing critical happens before
        ("normal", -1, 24, None, Urgency.DUE),
        ("normal", -1, 25, None, Urgency.WAITING),
        ("normal", 1, 3, None, Urgency.WAITING),
        ("normal", -5, 24, 1, Urgency.WAITING),  # an awaited result before its usual hour
        ("normal", -5, 300, -1, Urgency.DUE),  # after it: a colour, not a message
        ("normal", -500, -1, -300, Urgency.OVERDUE),
    ],
)
def test_a_promise_is_what_its_times_say(
    level: str, start: float, due: float, usual: float | None, expected: Urgency
) -> None:
    usual_at = NOON + hours(usual) if usual is not None else None
    assert (
        urgency(level=level, start_at=NOON + hours(start), due_at=NOON + hours(due), now=NOON, usual_at=usual_at)
        is expected
    )
