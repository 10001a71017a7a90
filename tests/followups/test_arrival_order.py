"""Whatever order facts arrive in, the plan is the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import permutations

import pytest

from clinic import clock
from clinic.actor import Actor
from clinic.roles import Role
from followups.models import FollowUp
from procedures.models import LabTest, Procedure, Specimen
from procedures.services import labs, results
from tests import make

pytestmark = pytest.mark.django_db

COUNT = "ascites_cell_count"


def collected() -> tuple[Procedure, LabTest, Specimen]:
    procedure = make.procedure("paracentesis", status="completed", starts=clock.now() - timedelta(hours=6))
    test = make.lab_test(procedure, COUNT)
    specimen = Specimen.objects.create(
        procedure=procedure,
        container=test.container,
        collected_at=procedure.started_at,
        receipt_due_at=procedure.started_at + timedelta(hours=2),
    )
    LabTest.objects.filter(pk=test.pk).update(specimen=specimen)
    return procedure, LabTest.objects.get(pk=test.pk), specimen


def facts(test: LabTest, specimen: Specimen, actor: Actor) -> dict[str, Callable[[], object]]:
    """The same four facts for every order: each carries its own time."""
    assert test.collected_at is not None
    start = test.collected_at

    def enter(status: str, minutes: int, **extra: str) -> Callable[[], object]:
        return lambda: results.enter(
            test=test,
            status=status,
            actor=actor,
            text=f"{status} report",
            reported_at=start + timedelta(minutes=minutes),
            confirmed=[results.SECOND_FINAL, results.BEFORE_COLLECTION],
            **extra,
        )

    return {
        "received": lambda: labs.receive(
            procedure=test.procedure,
            specimens=[specimen.pk],
            confirmed_by="laboratory desk",
            at=start + timedelta(minutes=30),
            actor=actor,
        ),
        "preliminary": enter("preliminary", 60),
        "final": enter("final", 120),
        "corrected": enter("corrected", 180, change_reason="recounted"),
    }


def plan_of(procedure: Procedure) -> set[tuple[str, str, str]]:
    rows = FollowUp.objects.filter(procedure=procedure, closed_at__isnull=True)
    return {(r.kind, r.level, str(r.about.get("status", ""))) for r in rows}


def test_results_and_receipt_in_any_order_end_in_the_same_plan() -> None:
    actor = make.actor(Role.NURSE)
    names = ("received", "preliminary", "final", "corrected")
    plans = set()
    for order in permutations(names):
        procedure, test, specimen = collected()
        todo = facts(test, specimen, actor)
        for name in order:
            todo[name]()
        procedure.refresh_from_db()
        assert procedure.planned_version == procedure.facts_version
        test.refresh_from_db()
        assert test.status == "corrected", order
        plans.add(frozenset(plan_of(procedure)))
    assert len(plans) == 1, plans
    (only,) = plans
    assert any(kind == "review_result" and status == "corrected" for kind, _, status in only)
