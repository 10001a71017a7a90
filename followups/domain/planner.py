"""What must still happen. Pure: facts in, promises out, no clock.

Each kind has its rules (``kinds/``): while one returns a promise the case stays open. Whatever order the facts arrived
in, the plan is the same. Cancelled is not an empty plan: holds, specimens in flight, unread results and an untold
patient stay promised.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from followups.domain import kinds
from followups.domain.facts import ProcedureFacts
from followups.domain.kinds import Subject
from followups.domain.promise import Promise
from procedures.domain.states import TERMINAL


def plan(facts: Any, subject: Subject = Subject.PROCEDURE) -> tuple[Promise, ...]:
    """Every promise about this subject that should exist now, in a stable order."""
    rules = [rule for spec in kinds.specs() if spec.subject is subject for rule in spec.rules]
    promises = [promise for rule in rules for promise in rule(facts)]
    return tuple(sorted(promises, key=lambda p: (p.due_at, p.key)))


def is_closed(facts: ProcedureFacts, promises: Iterable[Promise]) -> bool:
    """Closed: nothing further will be done with the needle, and nothing is promised."""
    return facts.status in TERMINAL and not tuple(promises)
