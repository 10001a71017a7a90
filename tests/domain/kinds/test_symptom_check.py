"""The danger signs are asked about."""

from __future__ import annotations

from dataclasses import replace

from followups.domain import facts as f
from followups.domain.kinds import Kind
from followups.domain.planner import plan
from tests.domain.cases import (
    NOON,
    case,
    kinds,
)


def test_every_symptom_check_is_asked_and_not_reached_is_no_answer() -> None:
    facts = case(symptoms=())
    due = [c for c in facts.protocol.symptom_checks if not c.only_if or facts.flags.intersection(c.only_if)]
    assert kinds(facts) == [Kind.SYMPTOM_CHECK] * len(due)
    silent = tuple(f.SymptomFact(check_code=c.code, outcome="not_reached", worst_tier="", at=NOON) for c in due)
    assert plan(replace(facts, symptoms=silent)) == plan(facts)
