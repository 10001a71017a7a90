"""How tubes get to a laboratory: what the director keeps, and what it says to whoever books."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.urls import reverse

from clinic import clock
from clinic.models import AuditEntry, Room
from clinic.roles import Role
from procedures.models import Laboratory
from tests import make
from tests.pages import as_role, url

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo(settings.CLINIC_ZONE)


@pytest.fixture
def room() -> Room:
    make.opening_hours()
    return make.room("Room 1")


@pytest.fixture
def laboratory(room: Room) -> Laboratory:
    row = Laboratory.objects.create(
        name="Central",
        zone="UTC",
        running_days=[0, 1, 2, 3, 4],
        last_pickups={str(day): "16:15" for day in range(5)},
    )
    row.rooms.add(room)
    return row


def monday() -> date:
    today = clock.now().astimezone(ZONE).date()
    return today + timedelta(days=7 - today.weekday())


def slot(room: Room, clock_time: str) -> dict[str, Any]:
    return {"day": monday().isoformat(), "at": clock_time, "room": room.pk}


def typed(**changes: Any) -> dict[str, Any]:
    return {"running_days": ["0", "1"], "last_0": "16:15", "last_1": "", "receipt_minutes": "90", **changes}


def test_the_director_keeps_days_couriers_and_the_window(laboratory: Laboratory, room: Room) -> None:
    web, where = as_role(Role.DIRECTOR), reverse("procedures:laboratory_courier", args=[laboratory.pk])
    assert "16:15" in web.get(where).content.decode()
    assert web.post(where, typed(rooms=[room.pk], is_default="on")).status_code == 303
    laboratory.refresh_from_db()
    assert (laboratory.running_days, laboratory.last_pickups) == ([0, 1], {"0": "16:15"})
    assert (laboratory.receipt_minutes, laboratory.is_default, list(laboratory.rooms.all())) == (90, True, [room])
    assert AuditEntry.objects.filter(action="laboratory.courier_changed").count() == 1


@pytest.mark.parametrize("wrong", [{"running_days": []}, {"last_0": "25:00"}, {"receipt_minutes": "0"}])
def test_what_cannot_be_is_said_at_its_field_and_nothing_is_lost(laboratory: Laboratory, wrong: dict[str, Any]) -> None:
    answer = as_role(Role.DIRECTOR).post(reverse("procedures:laboratory_courier", args=[laboratory.pk]), typed(**wrong))
    assert answer.status_code == 422 and "is-invalid" in answer.content.decode()
    laboratory.refresh_from_db()
    assert laboratory.running_days == [0, 1, 2, 3, 4]


def test_a_second_default_is_a_conflict(laboratory: Laboratory) -> None:
    Laboratory.objects.create(name="Other", zone="UTC", sending_facility="B", is_default=True)
    answer = as_role(Role.DIRECTOR).post(
        reverse("procedures:laboratory_courier", args=[laboratory.pk]), typed(is_default="on")
    )
    assert answer.status_code == 409 and "default already" in answer.content.decode()


def test_slots_after_the_last_courier_are_marked_with_the_first_that_makes_it(
    laboratory: Laboratory, room: Room
) -> None:
    case = make.procedure(variant="diagnostic", location="clinic")
    page = as_role(Role.SCHEDULER).get(url("schedule", case), {"first": monday().isoformat(), "days": "1"})
    words = page.content.decode()
    assert "The first that makes it" in words and "ready 16:40, last courier 16:15" in " ".join(words.split())
    late = [s.start.astimezone(ZONE).time() for day in page.context["days"] for s in day.slots if s.start in day.late]
    assert min(late) == time(15, 45)  # 40 minutes after it the fluid is ready: 16:25


def test_a_slot_that_misses_the_courier_is_booked_with_a_warning(laboratory: Laboratory, room: Room) -> None:
    case = make.procedure(variant="diagnostic", location="clinic")
    page = as_role(Role.SCHEDULER).post(url("schedule", case), slot(room, "16:00"), follow=True).content.decode()
    case.refresh_from_db()
    assert case.status == "scheduled"
    assert "Fluid ready 16:40, last courier 16:15." in page
    morning = datetime.combine(monday(), time(8), tzinfo=ZONE)
    assert f"makes the courier: {morning:%a %-d %b %H:%M}" in page


def test_a_slot_that_makes_the_courier_says_nothing(laboratory: Laboratory, room: Room) -> None:
    case = make.procedure(variant="diagnostic", location="clinic")
    page = as_role(Role.SCHEDULER).post(url("schedule", case), slot(room, "09:00"), follow=True).content.decode()
    assert "last courier" not in page
