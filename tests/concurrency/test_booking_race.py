"""Twenty people book one slot at the same moment: one gets it, nineteen are told so. And the twin without the guard."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from clinic import clock
from clinic.actor import Actor
from clinic.models import Room, User
from clinic.roles import Role
from procedures.models import Patient, Procedure
from procedures.models.procedures import ACTIVE_VALUES
from procedures.services import bookings, slots
from procedures.services.slots import SlotTaken
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 20
#: Nobody waits for ever: a run that hangs on a lock fails instead.
PATIENCE = 30


def noon(days: int = 30) -> datetime:
    return (clock.now() + timedelta(days=days)).astimezone(UTC).replace(hour=12, minute=0, second=0, microsecond=0)


def at_once(book: Callable[[Procedure], object], cases: list[Procedure]) -> Counter[str]:
    """What came of each of the cases when all were booked at the same moment, each on a connection of its own."""
    ready = threading.Barrier(len(cases), timeout=PATIENCE)

    def one(case: Procedure) -> str:
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"SET statement_timeout = '{PATIENCE}s'")
            ready.wait()
            book(case)
        except SlotTaken as refused:
            return f"taken: {refused.what}"
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        finally:
            connection.close()
        return "booked"

    with ThreadPoolExecutor(len(cases)) as pool:
        return Counter(pool.map(one, cases, timeout=2 * PATIENCE))


def cases(count: int = MANY, patient: Patient | None = None) -> list[Procedure]:
    responsible = make.user(Role.PHYSICIAN)
    version = make.protocol_version("paracentesis")
    return [
        make.procedure(
            patient=patient or make.patient(), responsible=responsible, protocol_version=version, variant="diagnostic"
        )
        for _ in range(count)
    ]


def service(room: Room, operator: User | None = None) -> Callable[[Procedure], object]:
    actor = make.actor(Role.SCHEDULER)
    start = noon()

    def book(case: Procedure) -> object:
        return bookings.schedule(
            actor=actor, procedure=case, start=start, room=room, operator=operator, outside_hours=True, reason="race"
        )

    return book


def test_twenty_bookings_of_one_room_give_one_success_and_nineteen_clear_refusals() -> None:
    room = make.room()
    assert at_once(service(room), cases()) == {"booked": 1, "taken: room": MANY - 1}
    assert Procedure.objects.filter(room=room, status="scheduled").count() == 1


def test_twenty_bookings_of_one_operator_in_twenty_rooms_give_one_success() -> None:
    lee = make.user(Role.PHYSICIAN)
    waiting = cases()
    each = {case.pk: service(make.room(), lee) for case in waiting}
    assert at_once(lambda case: each[case.pk](case), waiting) == {"booked": 1, "taken: operator": MANY - 1}


def test_twenty_bookings_of_one_patient_give_one_success() -> None:
    waiting = cases(patient=make.patient())
    each = {case.pk: service(make.room()) for case in waiting}
    assert at_once(lambda case: each[case.pk](case), waiting) == {"booked": 1, "taken: patient": MANY - 1}


def test_crossing_bookings_of_room_operator_and_patient_all_end() -> None:
    """Two rooms, two operators and two patients in every mixture: no deadlock, and one case each way at most."""
    rooms = [make.room(), make.room()]
    people = [make.user(Role.PHYSICIAN), make.user(Role.PHYSICIAN)]
    patients = [make.patient(), make.patient()]
    waiting = [case for patient in patients for case in cases(8, patient)]
    each = {case.pk: service(rooms[number % 2], people[(number // 2) % 2]) for number, case in enumerate(waiting)}
    outcome = at_once(lambda case: each[case.pk](case), waiting)
    assert set(outcome) <= {"booked", "taken: room", "taken: operator", "taken: patient"}
    assert 1 <= outcome["booked"] <= 2


@pytest.fixture
def no_room_constraint() -> Iterator[None]:
    """The room's exclusion constraint is gone; afterwards it is there again."""
    (constraint,) = [c for c in Procedure._meta.constraints if c.name == "procedure_room_once"]
    with connection.schema_editor() as editor:
        editor.remove_constraint(Procedure, constraint)
    yield
    Procedure.objects.filter(status__in=ACTIVE_VALUES).update(room=None)
    with connection.schema_editor() as editor:
        editor.add_constraint(Procedure, constraint)


def test_the_twin_that_looks_and_then_writes_books_the_room_twice(no_room_constraint: None) -> None:
    room, start, actor = make.room(), noon(), Actor.system("twin")
    looked = threading.Barrier(MANY, timeout=PATIENCE)

    def naive(case: Procedure) -> None:
        wanted = slots.intervals(slots.lengths_of(case), start)
        with transaction.atomic():
            taken = Procedure.objects.filter(
                room=room, room_time__overlap=wanted["room_time"], status__in=ACTIVE_VALUES
            ).exists()
            looked.wait()
            if taken:
                raise SlotTaken(slots.Resource.ROOM)
            Procedure.objects.filter(pk=case.pk).update(
                status="scheduled", room=room, requested_by_id=actor.user_id, **wanted
            )

    assert at_once(naive, cases())["booked"] > 1


def test_the_constraint_is_back_after_the_twin() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_constraint WHERE conname = 'procedure_room_once' AND contype = 'x'")
        assert cursor.fetchone() == (1,)
