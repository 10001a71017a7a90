"""Held medicines: planned before the needle, decided on after it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from clinic import clock
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid, NotPermitted
from clinic.models import AuditEntry
from clinic.roles import Role
from procedures.models import Hold, Procedure
from procedures.services import holds
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def nurse() -> Actor:
    return make.actor(Role.NURSE)


def held(case: Procedure, actor: Actor, ingredient: str = "apixaban") -> Hold:
    return holds.hold(actor=actor, procedure=case, ingredient=ingredient, decided_by=case.responsible)


def test_a_held_medicine_names_the_physician_who_decided(nurse: Actor) -> None:
    case = make.procedure(status="scheduled")
    row = held(case, nurse)
    assert (row.decided_by_id, row.restart) == (case.responsible_id, "")
    with pytest.raises(Invalid):
        holds.hold(actor=nurse, procedure=case, ingredient="warfarin", decided_by=make.user(Role.NURSE))


def test_the_same_medicine_is_held_once(nurse: Actor) -> None:
    case = make.procedure(status="scheduled")
    assert held(case, nurse) == held(case, nurse, "Apixaban")
    assert Hold.objects.count() == 1


@pytest.mark.parametrize("status", ["requested", "scheduled", "arrived"])
def test_before_the_needle_a_hold_is_a_plan_and_may_only_be_withdrawn(nurse: Actor, status: str) -> None:
    row = held(make.procedure(status=status), nurse)
    with pytest.raises(Invalid):
        holds.restart(actor=nurse, hold=row, at=clock.now())
    with pytest.raises(Invalid):
        holds.not_restart(actor=nurse, hold=row, reason="stopped for good")
    assert holds.withdraw(actor=nurse, hold=row, reason="not needed for this procedure").withdrawn_at


@pytest.mark.parametrize("status", ["in_progress", "completed"])
def test_after_the_needle_what_became_of_it_must_be_said(nurse: Actor, status: str) -> None:
    row = held(make.procedure(status=status), nurse)
    with pytest.raises(Invalid):
        holds.withdraw(actor=nurse, hold=row, reason="never mind")
    done = holds.restart(actor=nurse, hold=row, at=clock.now())
    assert (done.restart, done.restart_by_id) == ("restarted", nurse.user_id)


@pytest.mark.parametrize("status", ["cancelled", "no_show"])
def test_a_hold_survives_a_cancelled_case_and_is_decided_there(nurse: Actor, status: str) -> None:
    row = held(make.procedure(status=status), nurse)
    assert holds.restart(actor=nurse, hold=row, at=clock.now()).restart == "restarted"


def test_not_restarted_needs_its_reason_in_the_service_and_in_the_database(nurse: Actor) -> None:
    row = held(make.procedure(status="completed"), nurse)
    with pytest.raises(Invalid):
        holds.not_restart(actor=nurse, hold=row, reason=" ")
    with pytest.raises(IntegrityError), transaction.atomic():
        Hold.objects.filter(pk=row.pk).update(
            restart="not_restarted", restart_by=nurse.user_id, restart_recorded_at=clock.now()
        )
    holds.not_restart(actor=nurse, hold=row, reason="the cardiologist stopped it for good")
    entry = AuditEntry.objects.get(action="hold.not_restarted")
    assert entry.reason == "the cardiologist stopped it for good"


def test_a_second_decision_is_refused_and_a_double_click_is_not(nurse: Actor) -> None:
    row = held(make.procedure(status="completed"), nurse)
    at = clock.now() - timedelta(minutes=5)
    for _click in range(2):
        holds.restart(actor=nurse, hold=row, at=at)
    with pytest.raises(Conflict):
        holds.not_restart(actor=make.actor(Role.NURSE), hold=row, reason="bleeding")
    assert AuditEntry.objects.filter(action="hold.restarted").count() == 1


def test_nothing_has_happened_in_the_future(nurse: Actor) -> None:
    row = held(make.procedure(status="completed"), nurse)
    later = clock.now() + timedelta(hours=1)
    with pytest.raises(Invalid):
        holds.restart(actor=nurse, hold=row, at=later)
    with pytest.raises(Invalid):
        holds.told_patient(actor=nurse, hold=row, at=later)


def test_a_physician_sets_when_it_is_restarted(nurse: Actor) -> None:
    row = held(make.procedure(status="completed"), nurse)
    due = clock.now() + timedelta(hours=24)
    with pytest.raises(NotPermitted):
        holds.set_restart_due(actor=nurse, hold=row, due_at=due)
    assert holds.set_restart_due(actor=make.actor(Role.PHYSICIAN), hold=row, due_at=due).restart_due_at == due


def test_every_change_of_a_hold_is_a_changed_fact(nurse: Actor) -> None:
    case = make.procedure(status="completed")
    version = case.facts_version
    holds.told_patient(actor=nurse, hold=held(case, nurse))
    case.refresh_from_db()
    assert case.facts_version == version + 2


@pytest.mark.parametrize("role", [Role.SCHEDULER, Role.DIRECTOR, Role.ADMINISTRATOR])
def test_only_nurses_and_physicians_record_holds(role: Role) -> None:
    case = make.procedure(status="scheduled")
    with pytest.raises(NotPermitted):
        held(case, make.actor(role))
