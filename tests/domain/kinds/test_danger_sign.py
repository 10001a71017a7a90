"""A patient reported a sign: somebody speaks with them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clinic.roles import Role
from followups.domain import facts as f
from followups.domain.kinds import Kind
from followups.domain.planner import is_closed, plan
from followups.services import ladders
from procedures.domain.patient_content import SIGN_MINUTES
from procedures.domain.states import ProcedureStatus
from tests.domain.cases import NOON, case, hours, kinds


def report(tier: str, **extra: object) -> f.SymptomFact:
    fields = {"check_code": "day_2", "outcome": "begun", "worst_tier": tier, "at": NOON + hours(50), "id": 5}
    return f.SymptomFact(**{**fields, "sign": tier, "sign_at": NOON + hours(50), **extra})


def with_report(*reports: f.SymptomFact, **extra: object) -> f.ProcedureFacts:
    facts = case(**extra)
    return replace(facts, symptoms=(*facts.symptoms, *reports))


@pytest.mark.parametrize(
    ("tier", "level", "within"), [("A", "critical", 0.25), ("B", "abnormal", 1), ("C", "normal", 24)]
)
def test_each_tier_has_its_hours_and_its_ladder(tier: str, level: str, within: float) -> None:
    (promise,) = plan(with_report(report(tier)))
    assert (promise.kind, promise.level, promise.role) == (Kind.DANGER_SIGN, level, Role.NURSE)
    assert promise.start_at == NOON + hours(50)
    assert promise.due_at == promise.start_at + hours(within)
    assert promise.about == {"report": 5, "tier": tier}


def test_what_is_expected_and_what_was_answered_are_owed_nothing() -> None:
    assert plan(with_report(report("D", sign="", sign_at=None))) == ()
    assert plan(with_report(report("A", sign="", sign_at=None))) == ()


def test_a_sign_is_answered_whatever_has_become_of_the_case() -> None:
    for status in (ProcedureStatus.COMPLETED, ProcedureStatus.CANCELLED, ProcedureStatus.NO_SHOW):
        facts = with_report(report("A"), status=status)
        assert Kind.DANGER_SIGN in kinds(facts)
        assert not is_closed(facts, plan(facts))
    assert Kind.DANGER_SIGN not in kinds(with_report(report("A"), deceased=True))


def test_danger_to_life_is_asked_about_at_once_after_15_minutes_and_after_30() -> None:
    steps = [rung.after.total_seconds() / 60 for rung in ladders.ladder(Kind.DANGER_SIGN, "critical").rungs]
    assert sorted(set(steps)) == [0, 15, 30]


def test_a_case_from_before_there_were_such_numbers_has_them_too() -> None:
    old = replace(case().protocol, sign_minutes=dict(SIGN_MINUTES))
    assert plan(with_report(report("B"), protocol=old))[0].due_at == NOON + hours(51)
