"""Stored promises equal the plan, whatever happens to the plan."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from clinic import clock
from followups import receivers, reconcile
from followups.domain import planner
from followups.domain.kinds import Closed, Kind
from followups.models import FollowUp, Review
from followups.selectors import facts
from followups.services import outreach
from procedures import events
from procedures.models import Checklist, LabTest, Procedure
from procedures.services import checklists
from tests import make

pytestmark = pytest.mark.django_db


def rows(procedure: Procedure) -> list[tuple]:
    fields = [f.name for f in FollowUp._meta.fields if f.name != "about"]
    return list(FollowUp.objects.filter(procedure=procedure).order_by("key").values_list(*fields))


def break_planner(monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(facts: object) -> tuple:
        raise RuntimeError("no plan today")

    monkeypatch.setattr(planner, "plan", explode)


def test_a_changed_fact_is_planned_in_the_same_transaction() -> None:
    procedure = make.procedure()
    events.changed(procedure)
    promise = FollowUp.objects.get(procedure=procedure)
    assert promise.kind == Kind.BOOK_REQUEST
    assert promise.next_action_at is not None
    procedure.refresh_from_db()
    assert procedure.planned_version == procedure.facts_version
    assert procedure.closed_at is None


def test_reconciling_twice_equals_once() -> None:
    procedure = make.procedure(status="completed")
    reconcile.procedure(procedure.pk)
    first = rows(procedure)
    assert first
    reconcile.procedure(procedure.pk)
    assert rows(procedure) == first


def test_a_promise_that_is_kept_closes_and_says_so() -> None:
    procedure = make.procedure()
    reconcile.procedure(procedure.pk)
    slot = make.procedure(status="scheduled")
    Procedure.objects.filter(pk=procedure.pk).update(
        status="scheduled", stay=slot.stay, room_time=slot.room_time, scheduled_at=clock.now()
    )
    reconcile.procedure(procedure.pk)
    booked = FollowUp.objects.get(procedure=procedure, key="book")
    assert (booked.is_open, booked.closed_because) == (False, Closed.KEPT)
    assert FollowUp.objects.get(procedure=procedure, key="carry_out").is_open


def test_a_cancelled_case_keeps_no_booking_promise_but_the_patient_must_hear_of_it() -> None:
    procedure = make.procedure()
    reconcile.procedure(procedure.pk)
    Procedure.objects.filter(pk=procedure.pk).update(status="cancelled", ended_at=clock.now(), end_reason="moved away")
    reconcile.procedure(procedure.pk)
    assert FollowUp.objects.get(procedure=procedure, key="book").closed_because == Closed.NO_LONGER_NEEDED
    assert FollowUp.objects.get(procedure=procedure, closed_at__isnull=True).kind == Kind.TELL_PATIENT


def test_a_case_entered_in_error_owes_nothing_and_is_closed() -> None:
    procedure = make.procedure()
    reconcile.procedure(procedure.pk)
    Procedure.objects.filter(pk=procedure.pk).update(status="entered_in_error", ended_at=clock.now())
    reconcile.procedure(procedure.pk)
    procedure.refresh_from_db()
    assert procedure.closed_at is not None
    assert not FollowUp.objects.filter(procedure=procedure, closed_at__isnull=True).exists()


def test_reopening_begins_the_ladder_anew_and_forgets_who_had_taken_it() -> None:
    procedure = make.procedure()
    reconcile.procedure(procedure.pk)
    nurse = make.user("nurse")
    FollowUp.objects.filter(procedure=procedure).update(rung=2, taken_by=nurse, taken_at=clock.now())
    Procedure.objects.filter(pk=procedure.pk).update(status="cancelled", ended_at=clock.now())
    reconcile.procedure(procedure.pk)
    Procedure.objects.filter(pk=procedure.pk).update(status="requested")
    reconcile.procedure(procedure.pk)
    promise = FollowUp.objects.get(procedure=procedure, key="book")
    assert (promise.is_open, promise.generation, promise.rung, promise.taken_by) == (True, 2, 0, None)


def test_a_moved_due_time_raises_the_generation_and_keeps_the_taker() -> None:
    procedure = make.procedure(status="scheduled")
    reconcile.procedure(procedure.pk)
    nurse = make.user("nurse")
    FollowUp.objects.filter(procedure=procedure).update(rung=1, taken_by=nurse, taken_at=clock.now())
    other = make.procedure(status="scheduled", starts=clock.now() + timedelta(days=5))
    Procedure.objects.filter(pk=procedure.pk).update(stay=other.stay)
    reconcile.procedure(procedure.pk)
    promise = FollowUp.objects.get(procedure=procedure, key="carry_out")
    assert (promise.generation, promise.rung, promise.taken_by) == (2, 0, nurse)
    assert promise.due_at == other.stay.upper


def test_a_planner_that_raises_loses_no_fact_and_somebody_hears_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    procedure = make.procedure()
    break_planner(monkeypatch)
    with transaction.atomic():
        Procedure.objects.filter(pk=procedure.pk).update(note="a fact")
        events.changed(procedure)
    procedure.refresh_from_db()
    assert procedure.note == "a fact"
    assert procedure.planned_version < procedure.facts_version
    promise = FollowUp.objects.get(procedure=procedure)
    assert (promise.kind, promise.responsible_id) == (Kind.PLAN_FAILED, procedure.responsible_id)


@pytest.mark.parametrize("broken", ["heed", "_offered"])
def test_what_fails_beside_the_plan_loses_no_fact_and_no_plan(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database itself refuses something: without a savepoint of its own the whole transaction would be lost."""

    def explode(_: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    monkeypatch.setattr(*((outreach, "heed") if broken == "heed" else (receivers, "_offered")), explode)
    procedure = make.procedure()
    with transaction.atomic():
        Procedure.objects.filter(pk=procedure.pk).update(note="a fact")
        events.changed(procedure)
    procedure.refresh_from_db()
    assert procedure.note == "a fact"
    assert procedure.planned_version == procedure.facts_version
    assert FollowUp.objects.filter(procedure=procedure, kind=Kind.BOOK_REQUEST).exists()


def test_a_failed_plan_reopens_a_closed_case_and_the_next_plan_ends_the_promise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    procedure = make.procedure(status="entered_in_error", ended_at=clock.now())
    reconcile.procedure(procedure.pk)
    procedure.refresh_from_db()
    assert procedure.closed_at is not None
    with monkeypatch.context() as broken:
        break_planner(broken)
        events.changed(procedure)
    procedure.refresh_from_db()
    assert procedure.closed_at is None
    reconcile.procedure(procedure.pk)
    assert FollowUp.objects.get(procedure=procedure, key="plan_failed").closed_because == Closed.KEPT


def test_signing_and_starting_roll_back_when_no_plan_can_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    procedure = make.procedure()
    break_planner(monkeypatch)
    with pytest.raises(RuntimeError), transaction.atomic():
        Procedure.objects.filter(pk=procedure.pk).update(note="must not stand")
        events.changed(procedure, strict=True)
    procedure.refresh_from_db()
    assert procedure.note == ""


def test_planning_costs_the_same_number_of_queries_however_many_tests_a_case_has() -> None:
    procedure = make.procedure(status="completed")

    def order(n: int) -> None:
        LabTest.objects.create(
            procedure=procedure,
            code=f"t{n}",
            label="T",
            container="c",
            usual_hours=1,
            outer_hours=24,
            ordered_at=clock.now(),
        )

    order(0)
    reconcile.procedure(procedure.pk)
    with CaptureQueriesContext(connection) as few:
        reconcile.procedure(procedure.pk)
    for n in range(1, 12):
        order(n)
    reconcile.procedure(procedure.pk)
    with CaptureQueriesContext(connection) as many:
        reconcile.procedure(procedure.pk)
    assert len(many) == len(few)


def test_what_a_case_has_none_of_is_not_read() -> None:
    """One look at which parts there are, instead of a query for each of them."""
    procedure = make.procedure()
    reconcile.procedure(procedure.pk)
    with CaptureQueriesContext(connection) as found:
        reconcile.procedure(procedure.pk)
    assert len(found) <= 6, "\n".join(query["sql"][:120] for query in found)


def test_every_part_of_a_case_is_looked_for() -> None:
    """A part that is there is found; the query says so of each by itself."""
    case, other = make.procedure(status="completed"), make.procedure(status="completed")
    assert facts.parts_of(case) == frozenset()
    test = make.lab_test(case)
    assert facts.parts_of(case) == {LabTest}
    Review.objects.create(
        procedure=case,
        version=make.result(test),
        reviewer=case.responsible,
        at=clock.now(),
        interpretation="normal",
        plan="none",
        tell="with_all",
    )
    checklists.open_round(actor=make.actor(), procedure=case)
    assert facts.parts_of(case) == {LabTest, Review, Checklist}
    assert facts.parts_of(other) == frozenset()
