"""Asking for a procedure, and giving it a slot."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.conf import settings

from clinic import clock
from clinic.actor import Actor
from clinic.errors import Conflict, IllegalMove, Invalid
from clinic.models import AuditEntry, Closure, OperatorSession, Room, User
from clinic.roles import Role
from procedures.domain import slots as rules
from procedures.domain.slots import Resource
from procedures.models import Patient, Procedure
from procedures.models.procedures import new_code
from procedures.services import bookings, moves, slots
from procedures.services.slots import OutsideHours, SlotTaken
from tests import make

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo(settings.CLINIC_ZONE)


def monday(hour: int, minute: int = 0) -> datetime:
    """Next week's Monday, clinic's time."""
    today = clock.now().astimezone(ZONE).date()
    day = today + timedelta(days=7 - today.weekday())
    return datetime.combine(day, time(hour, minute), tzinfo=ZONE).astimezone(UTC)


@pytest.fixture
def actor() -> Actor:
    return make.actor(Role.SCHEDULER)


@pytest.fixture
def room() -> Room:
    make.opening_hours()
    return make.room("Room 1")


@pytest.fixture
def lee() -> User:
    return make.user(Role.PHYSICIAN, full_name="Lee")


def ask(actor: Actor, **changes: Any) -> Procedure:
    make.protocol_version("paracentesis")
    values: dict[str, Any] = {
        "patient": changes.pop("patient", None) or make.patient(),
        "protocol": "paracentesis",
        "indication": "relief",
        "responsible": changes.pop("responsible", None) or make.user(Role.PHYSICIAN),
    }
    return bookings.request(actor=actor, **{**values, **changes})


def book(actor: Actor, room: Room | None, start: datetime, case: Procedure | None = None, **more: Any) -> Procedure:
    case = case or make.procedure(variant="diagnostic")
    return bookings.schedule(actor=actor, procedure=case, start=start, room=room, **more)


def test_a_request_pins_the_protocol_takes_the_indications_form_and_orders_its_panel(actor: Actor) -> None:
    case = ask(actor)
    version = make.protocol_version("paracentesis")
    assert case.status == "requested"
    assert case.protocol_version == version
    assert case.variant == "large_volume"
    assert case.requested_by_id == actor.user_id
    ordered = set(case.tests.values_list("code", flat=True))
    assert ordered >= set(version.parsed.panel(version.parsed.indication("relief").panel).tests)
    assert AuditEntry.objects.filter(action="procedure.requested", patient_id=case.patient_id).exists()


def test_another_form_may_be_chosen(actor: Actor) -> None:
    assert ask(actor, variant="diagnostic").variant == "diagnostic"


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("protocol", "appendectomy"),
        ("indication", "boredom"),
        ("variant", "express"),
        ("location", "kitchen"),
        ("urgency", "yesterday"),
    ],
)
def test_what_the_protocol_does_not_know_is_refused_beside_its_field(actor: Actor, field: str, wrong: str) -> None:
    with pytest.raises(Invalid) as refused:
        ask(actor, **{field: wrong})
    assert refused.value.field == field
    assert not Procedure.objects.exists()


@pytest.mark.parametrize("extra", [{"role": Role.NURSE}, {"role": Role.PHYSICIAN, "is_active": False}])
def test_only_a_physician_who_works_here_is_responsible(actor: Actor, extra: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        ask(actor, responsible=make.user(**extra))
    assert refused.value.field == "responsible"


def test_below_the_minimum_age_it_is_outside_the_protocol_until_the_birthday(actor: Actor) -> None:
    with time_machine.travel(datetime(2026, 11, 20, 23, 0, tzinfo=ZONE)):  # already the 21st in Greenwich
        with pytest.raises(Invalid, match=r"Outside protocol: .* 18 years"):
            ask(actor, patient=make.patient(born=date(2008, 11, 21)))
        assert ask(actor, patient=make.patient(born=date(2008, 11, 20))).status == "requested"


def test_nothing_is_requested_for_somebody_who_has_died(actor: Actor) -> None:
    with pytest.raises(Invalid, match="deceased"):
        ask(actor, patient=make.patient(deceased_at=clock.now()))


def test_the_same_page_sent_twice_is_one_case(actor: Actor) -> None:
    patient, responsible, code = make.patient(), make.user(Role.PHYSICIAN), new_code()
    first = ask(actor, patient=patient, responsible=responsible, code=code)
    again = ask(actor, patient=patient, responsible=responsible, code=code)
    assert again.pk == first.pk
    assert Procedure.objects.count() == 1
    with pytest.raises(Conflict):
        ask(actor, patient=make.patient(), responsible=responsible, code=code)


def test_a_booking_is_three_intervals_from_the_protocol(actor: Actor, room: Room, lee: User) -> None:
    case = book(actor, room, monday(9), make.procedure("lumbar_puncture"), operator=lee)
    form = case.protocol_version.parsed.variant(case.variant)
    case.refresh_from_db()
    assert case.status == "scheduled"
    for interval, minutes in (
        (case.operator_time, form.operator_minutes),
        (case.room_time, form.room_minutes),
        (case.stay, form.stay_minutes),
    ):
        assert interval.lower == monday(9)
        assert interval.upper - interval.lower == timedelta(minutes=minutes)
    assert len({form.operator_minutes, form.room_minutes, form.stay_minutes}) == 3
    assert (case.room, case.operator) == (room, lee)


def test_the_room_of_another_case_is_refused_with_the_next_free_slots(actor: Actor, room: Room) -> None:
    book(actor, room, monday(9))
    with pytest.raises(SlotTaken) as refused:
        book(actor, room, monday(9, 30))
    assert refused.value.what == Resource.ROOM
    assert [slot.start for slot in refused.value.free] == [monday(10), monday(10, 15), monday(10, 30)]


def test_back_to_back_is_allowed(actor: Actor, room: Room, lee: User) -> None:
    book(actor, room, monday(9), operator=lee)
    assert book(actor, room, monday(10), operator=lee).status == "scheduled"


def test_a_busy_operator_and_a_busy_patient_are_refused(actor: Actor, room: Room, lee: User) -> None:
    patient = make.patient()
    book(actor, room, monday(9), make.procedure(variant="diagnostic", patient=patient), operator=lee)
    elsewhere = make.room("Room 2")
    with pytest.raises(SlotTaken) as refused:
        book(actor, elsewhere, monday(9), operator=lee)
    assert refused.value.what == Resource.OPERATOR
    with pytest.raises(SlotTaken) as refused:
        book(actor, elsewhere, monday(9, 30), make.procedure(variant="diagnostic", patient=patient))
    assert refused.value.what == Resource.PATIENT


@pytest.mark.parametrize("status", ["cancelled", "no_show", "entered_in_error"])
def test_a_case_that_will_not_be_done_frees_its_slot(actor: Actor, room: Room, status: str) -> None:
    case = book(actor, room, monday(9))
    ends = {"cancelled": moves.cancel, "no_show": moves.no_show, "entered_in_error": moves.entered_in_error}
    ends[status](actor=actor, procedure=case, reason="Test")
    assert book(actor, room, monday(9)).status == "scheduled"


def test_a_knowing_overbook_of_the_room_needs_a_reason_and_is_audited(actor: Actor, room: Room) -> None:
    book(actor, room, monday(9))
    with pytest.raises(Invalid):
        book(actor, room, monday(9), overbook=["room"])
    case = book(actor, room, monday(9), overbook=["room"], reason="Ward round, 5 minutes")
    assert case.room_overbooked
    assert case.overbook_reason == "Ward round, 5 minutes"
    entry = AuditEntry.objects.get(action="procedure.overbooked")
    assert entry.reason == "Ward round, 5 minutes"
    assert entry.subject_id == case.pk


def test_the_patient_is_never_overbooked(actor: Actor, room: Room) -> None:
    patient = make.patient()
    book(actor, room, monday(9), make.procedure(patient=patient))
    with pytest.raises(Invalid):
        book(actor, room, monday(9), overbook=["patient"], reason="Twins")
    with pytest.raises(SlotTaken) as refused:
        book(
            actor,
            make.room("Room 2"),
            monday(9),
            make.procedure(patient=patient),
            overbook=["room", "operator"],
            reason="Try",
        )
    assert refused.value.what == Resource.PATIENT


def test_an_overbook_that_meets_nobody_is_an_ordinary_booking(actor: Actor, room: Room) -> None:
    case = book(actor, room, monday(9), overbook=["room"], reason="In case")
    assert not case.room_overbooked
    assert case.overbook_reason == ""
    with pytest.raises(SlotTaken):
        book(actor, room, monday(9))


def test_an_overbooked_case_still_occupies_its_room_when_the_first_one_goes(actor: Actor, room: Room) -> None:
    first = book(actor, room, monday(9))
    book(actor, room, monday(9), overbook=["room"], reason="Short one")
    moves.cancel(actor=actor, procedure=first, reason="Patient called")
    with pytest.raises(SlotTaken) as refused:
        book(actor, room, monday(9))
    assert refused.value.what == Resource.ROOM
    assert refused.value.free[0].start == monday(10)


def test_moving_to_a_free_place_ends_the_overbook(actor: Actor, room: Room) -> None:
    book(actor, room, monday(9))
    case = book(actor, room, monday(9), overbook=["room"], reason="Short one")
    book(actor, room, monday(11), case)
    case.refresh_from_db()
    assert not case.room_overbooked
    assert case.overbook_reason == ""
    assert case.stay.lower == monday(11)


def test_a_case_may_be_moved_within_its_own_time(actor: Actor, room: Room) -> None:
    case = book(actor, room, monday(9))
    book(actor, room, monday(9, 15), case)
    entry = AuditEntry.objects.get(action="procedure.moved")
    assert entry.data["before"]["start"] == monday(9).isoformat()
    assert entry.data["start"] == monday(9, 15).isoformat()


def test_of_two_people_who_move_one_case_the_second_is_told(actor: Actor, room: Room) -> None:
    case = book(actor, room, monday(9))
    seen = slots.token(case)
    book(actor, room, monday(10), case, seen=seen)
    with pytest.raises(Conflict, match="changed in the meantime"):
        book(actor, room, monday(11), case, seen=seen)
    case.refresh_from_db()
    assert case.stay.lower == monday(10)


@pytest.mark.parametrize("hour", [7, 17, 23])
def test_outside_opening_hours_needs_a_reason(actor: Actor, room: Room, hour: int) -> None:
    with pytest.raises(OutsideHours) as refused:
        book(actor, room, monday(hour, 30))
    assert refused.value.reasons
    case = book(actor, room, monday(hour, 30), outside_hours=True, reason="Urgent")
    assert case.status == "scheduled"
    assert AuditEntry.objects.get(action="procedure.outside_hours").reason == "Urgent"


def test_a_closure_and_a_missing_session_need_a_reason_too(actor: Actor, room: Room, lee: User) -> None:
    day = monday(9).astimezone(ZONE).date()
    OperatorSession.objects.create(operator=lee, weekday=1, starts="08:00", ends="12:00")
    with pytest.raises(OutsideHours) as refused:
        book(actor, room, monday(9), operator=lee)
    assert [reason.kind for reason in refused.value.reasons] == ["session"]
    Closure.objects.create(first_day=day, last_day=day, reason="Holiday")
    with pytest.raises(OutsideHours) as refused:
        book(actor, room, monday(9))
    assert [reason.kind for reason in refused.value.reasons] == ["closed"]


def test_at_the_bedside_no_room_and_no_opening_hours_bind(actor: Actor, room: Room) -> None:
    assert book(actor, None, monday(22), make.procedure(location="bedside")).room is None


def test_yesterday_cannot_be_booked(actor: Actor, room: Room) -> None:
    with pytest.raises(Invalid, match="past"):
        book(actor, room, clock.now() - rules.EARLIEST_PAST - timedelta(minutes=1), outside_hours=True, reason="x")


def test_nobody_is_booked_after_death_or_below_the_minimum_age(actor: Actor, room: Room) -> None:
    case = make.procedure()
    Patient.objects.filter(pk=case.patient_id).update(deceased_at=clock.now())
    with pytest.raises(Invalid, match="deceased"):
        book(actor, room, monday(9), case)
    Patient.objects.filter(pk=case.patient_id).update(deceased_at=None, birth_date=clock.now().date())
    with pytest.raises(Invalid, match="Outside protocol"):
        book(actor, room, monday(9), case)


def test_a_slot_can_be_given_back(actor: Actor, room: Room, lee: User) -> None:
    case = book(actor, room, monday(9), operator=lee)
    bookings.unschedule(actor=actor, procedure=case, reason="Waiting for the INR")
    case.refresh_from_db()
    assert case.status == "requested"
    assert (case.stay, case.room_time, case.operator_time, case.room, case.operator) == (None,) * 5
    with pytest.raises(IllegalMove):
        bookings.unschedule(actor=actor, procedure=case)


@pytest.mark.parametrize("status", ["cancelled", "no_show"])
def test_a_case_that_ended_can_be_booked_again_at_once(actor: Actor, room: Room, status: str) -> None:
    case = book(actor, room, monday(9))
    (moves.cancel if status == "cancelled" else moves.no_show)(actor=actor, procedure=case, reason="Snow")
    book(actor, room, monday(10), case)
    case.refresh_from_db()
    assert (case.status, case.ended_at, case.end_reason) == ("scheduled", None, "")


@pytest.mark.parametrize("status", ["in_progress", "completed", "entered_in_error"])
def test_what_is_under_way_or_over_is_not_booked(actor: Actor, room: Room, status: str) -> None:
    with pytest.raises(IllegalMove):
        book(actor, room, monday(9), make.procedure(status=status))


def test_somebody_who_waits_may_be_given_another_time(actor: Actor, room: Room) -> None:
    case = book(actor, room, monday(9))
    moves.arrive(actor=actor, procedure=case)
    book(actor, room, monday(14), case)
    case.refresh_from_db()
    assert (case.status, case.arrived_at) == ("scheduled", None)
