"""The needle: the gate, the emergency, and how an attempt ends."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from clinic import clock
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid
from clinic.models import AuditEntry
from clinic.roles import Role
from procedures import events
from procedures.domain.states import Disposition, Outcome
from procedures.models import Patient, Procedure
from procedures.services import bookings, endings, moves, starts
from procedures.services.gates import StartBlocked
from procedures.services.slots import SlotTaken
from tests import checked, make
from tests.pages import fresh

pytestmark = pytest.mark.django_db


@pytest.fixture
def actor() -> Actor:
    return make.actor(Role.PHYSICIAN)


def test_an_unsigned_checklist_blocks_the_start_and_a_signed_one_does_not(actor: Actor) -> None:
    case = make.procedure(status="arrived", starts=clock.now())
    with pytest.raises(StartBlocked) as refused:
        starts.start(actor=actor, procedure=case)
    blocking = [stage.label for stage in case.protocol_version.parsed.stages if stage.blocks_start]
    assert len(refused.value.blockers) == len(blocking)
    assert all(any(label in line for line in refused.value.blockers) for label in blocking)
    checked.sign(case)
    started = starts.start(actor=actor, procedure=case)
    assert started.status == "in_progress"
    assert not started.emergency_start


def test_a_request_without_a_slot_starts_only_as_an_emergency(actor: Actor) -> None:
    case = make.procedure()
    checked.sign(case)
    with pytest.raises(StartBlocked):
        starts.start(actor=actor, procedure=case)
    assert starts.emergency_start(actor=actor, procedure=case, reason="Sepsis").status == "in_progress"


@pytest.mark.parametrize("broken", [{"deceased_at": "now"}, {"birth_date": "today"}])
def test_no_override_starts_on_the_dead_or_below_the_minimum_age(actor: Actor, broken: dict[str, str]) -> None:
    now = clock.now()
    column = next(iter(broken))
    case = make.procedure(status="arrived", patient=make.patient())
    checked.sign(case)
    value = now if column == "deceased_at" else now.date()
    Patient.objects.filter(pk=case.patient_id).update(**{column: value})
    case = fresh(case)
    with pytest.raises(StartBlocked):
        starts.start(actor=actor, procedure=case)
    with pytest.raises(StartBlocked):
        starts.emergency_start(actor=actor, procedure=case, reason="Sepsis")


def test_an_emergency_waits_for_the_six_items_and_for_nothing_else(actor: Actor) -> None:
    case = make.procedure()
    minimum = [q.text for q in case.protocol_version.parsed.questions if q.minimum]
    with pytest.raises(StartBlocked) as refused:
        starts.emergency_start(actor=actor, procedure=case, reason="Sepsis")
    assert len(refused.value.blockers) == 6
    assert all(any(text in line for text in minimum) for line in refused.value.blockers)
    checked.answer(case, minimum=True)
    started = starts.emergency_start(actor=actor, procedure=case, reason="Sepsis")
    assert (started.emergency_start, started.emergency_reason) == (True, "Sepsis")
    form = case.protocol_version.parsed.variant(case.variant)
    assert started.stay.lower == started.started_at
    assert started.stay.upper - started.stay.lower == timedelta(minutes=form.stay_minutes)
    assert AuditEntry.objects.get(action="procedure.emergency_started").reason == "Sepsis"


@pytest.fixture
def ready(actor: Actor) -> Procedure:
    """A request on which an emergency may start."""
    case = make.procedure()
    checked.answer(case, minimum=True)
    return case


def test_an_emergency_claims_the_room_and_operator_that_are_free(actor: Actor, ready: Procedure) -> None:
    room, lee = make.room(), make.user(Role.PHYSICIAN)
    started = starts.emergency_start(actor=actor, procedure=ready, reason="Sepsis", room=room, operator=lee)
    assert (started.room, started.operator) == (room, lee)
    assert started.room_time is not None
    with pytest.raises(SlotTaken):
        bookings.schedule(
            actor=actor,
            procedure=make.procedure(),
            start=started.started_at,
            room=room,
            outside_hours=True,
            reason="x",
        )


def test_an_emergency_starts_in_a_taken_room_without_claiming_it(actor: Actor, ready: Procedure) -> None:
    room, lee = make.room(), make.user(Role.PHYSICIAN)
    make.procedure(status="in_progress", starts=clock.now() - timedelta(minutes=5), room=room, operator=lee)
    started = starts.emergency_start(actor=actor, procedure=ready, reason="Sepsis", room=room, operator=lee)
    assert (started.room, started.operator) == (room, lee)
    assert (started.room_time, started.operator_time) == (None, None)
    assert started.stay is not None
    entry = AuditEntry.objects.get(action="procedure.emergency_started")
    assert entry.data["unclaimed"] == ["room", "operator"]


def test_an_emergency_starts_although_the_patient_is_booked_elsewhere(actor: Actor, ready: Procedure) -> None:
    make.procedure(status="scheduled", starts=clock.now() - timedelta(minutes=5), patient=ready.patient)
    started = starts.emergency_start(actor=actor, procedure=ready, reason="Sepsis")
    assert started.status == "in_progress"
    assert started.stay is None


def test_a_case_that_starts_on_another_day_takes_its_time_with_it(actor: Actor) -> None:
    case = make.procedure(status="scheduled", starts=clock.now() + timedelta(days=3))
    checked.sign(case)
    started = starts.start(actor=actor, procedure=case)
    assert started.stay.lower == started.started_at
    assert started.room_time.lower == started.started_at


def test_a_case_that_starts_in_its_slot_keeps_it_and_names_its_operator(actor: Actor) -> None:
    lee = make.user(Role.PHYSICIAN)
    case = make.procedure(status="arrived", starts=clock.now() - timedelta(minutes=10))
    checked.sign(case)
    started = starts.start(actor=actor, procedure=case, operator=lee)
    assert started.operator == lee
    assert started.stay.lower == case.stay.lower


def test_a_start_rolls_back_when_no_plan_can_be_made(actor: Actor) -> None:
    case = make.procedure(status="arrived", starts=clock.now())
    checked.sign(case)

    def fail(sender: Any, strict: bool, **kwargs: Any) -> None:
        if strict:
            raise RuntimeError("planner")

    events.facts_changed.connect(fail)
    try:
        with pytest.raises(RuntimeError):
            starts.start(actor=actor, procedure=case)
    finally:
        events.facts_changed.disconnect(fail)
    assert fresh(case).status == "arrived"


def test_an_abandoned_start_passes_the_gate_again(actor: Actor, ready: Procedure) -> None:
    started = starts.emergency_start(actor=actor, procedure=ready, reason="Sepsis")
    case = starts.abandon_start(actor=actor, procedure=started, reason="Patient became restless")
    assert (case.status, case.started_at, case.emergency_start) == ("arrived", None, False)
    with pytest.raises(StartBlocked):
        starts.start(actor=actor, procedure=case)


def test_arrival_without_a_slot_cannot_be_undone_into_a_booking(actor: Actor, ready: Procedure) -> None:
    make.procedure(status="scheduled", starts=clock.now() - timedelta(minutes=5), patient=ready.patient)
    started = starts.emergency_start(actor=actor, procedure=ready, reason="Sepsis")
    case = starts.abandon_start(actor=actor, procedure=started, reason="Restless")
    with pytest.raises(Invalid, match="no slot"):
        moves.undo_arrival(actor=actor, procedure=case)


def under_way(**extra: Any) -> Procedure:
    """A case in progress whose panel is ordered."""
    actor = make.actor(Role.PHYSICIAN)
    version = make.protocol_version("paracentesis")
    case = bookings.request(
        actor=actor,
        patient=make.patient(),
        protocol="paracentesis",
        indication=version.parsed.indications[0].code,
        responsible=make.user(Role.PHYSICIAN),
    )
    now = clock.now()
    Procedure.objects.filter(pk=case.pk).update(
        status="in_progress", started_at=now, stay=(now - timedelta(minutes=5), now + timedelta(hours=1)), **extra
    )
    return fresh(case)


@pytest.mark.parametrize("outcome", [Outcome.NO_FLUID, Outcome.NOT_ATTEMPTED])
def test_without_fluid_the_tests_are_cancelled_with_the_reason(actor: Actor, outcome: Outcome) -> None:
    case = under_way()
    endings.complete(
        actor=actor, procedure=case, outcome=outcome, disposition=Disposition.HOME, outcome_reason="No pocket seen"
    )
    assert set(case.tests.values_list("status", "ended_reason")) == {("cancelled", "No pocket seen")}


@pytest.mark.parametrize("outcome", [Outcome.DONE, Outcome.PARTIAL])
def test_with_fluid_the_tests_stay_ordered(actor: Actor, outcome: Outcome) -> None:
    case = under_way()
    endings.complete(
        actor=actor, procedure=case, outcome=outcome, disposition=Disposition.HOME, outcome_reason="Slow drain"
    )
    assert set(case.tests.values_list("status", flat=True)) == {"ordered"}
    done = fresh(case)
    assert (done.status, done.outcome, done.disposition) == ("completed", outcome, "home")
    assert done.completed_at is not None


def test_a_specimen_that_exists_keeps_its_tests_even_after_no_fluid(actor: Actor) -> None:
    case = under_way()
    case.specimens.create(container="edta", collected_at=clock.now(), receipt_due_at=clock.now())
    endings.complete(
        actor=actor, procedure=case, outcome=Outcome.NO_FLUID, disposition=Disposition.HOME, outcome_reason="Dry"
    )
    assert set(case.tests.values_list("status", flat=True)) == {"ordered"}


def test_a_patient_who_died_gets_no_further_message(actor: Actor) -> None:
    case = under_way()
    endings.complete(actor=actor, procedure=case, outcome=Outcome.DONE, disposition=Disposition.DIED)
    assert fresh(case).patient.deceased_at is not None


def test_one_click_goes_on_elsewhere_under_its_own_case(actor: Actor) -> None:
    case = under_way()
    with pytest.raises(Invalid):
        endings.continue_as(actor=actor, procedure=case, location="radiology")
    endings.complete(
        actor=actor, procedure=case, outcome=Outcome.NO_FLUID, disposition=Disposition.HOME, outcome_reason="Dry"
    )
    linked = endings.continue_as(actor=actor, procedure=fresh(case), location="radiology")
    assert (linked.status, linked.location, linked.continues) == ("requested", "radiology", case)
    assert (linked.patient, linked.indication, linked.responsible) == (case.patient, case.indication, case.responsible)
    assert linked.tests.filter(status="ordered").exists()
    with pytest.raises(Conflict):
        endings.continue_as(actor=actor, procedure=fresh(case), location="radiology")
    # the first stay is over, so the second one may begin now
    booked = bookings.schedule(actor=actor, procedure=linked, start=clock.now() + timedelta(minutes=1), room=None)
    assert booked.status == "scheduled"


def test_entered_in_error_cancels_what_was_never_collected(actor: Actor) -> None:
    case = under_way()
    moves.entered_in_error(actor=actor, procedure=case, reason="Wrong chart")
    assert set(case.tests.values_list("status", flat=True)) == {"cancelled"}
    assert fresh(case).end_reason == "Wrong chart"
