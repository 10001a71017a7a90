"""Rooms, hours, closures, sessions, duty and absences."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic import clock, places
from clinic.actor import Actor
from clinic.errors import Invalid, NotPermitted
from clinic.models import AuditEntry, ClinicHours, Closure, OnCall, OperatorSession, Room
from tests.factories.people import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def dora(client: Client, cast: Cast) -> Client:
    client.force_login(cast.dora)
    return client


def last_action() -> str:
    entry = AuditEntry.objects.order_by("id").last()
    assert entry is not None
    return entry.action


def add(client: Client, kind: str, **data: Any) -> Any:
    return client.post(reverse("place_add", args=[kind]), data)


def typed(days: int = 1, hour: int = 8) -> str:
    """A moment some days from now, as the browser sends it."""
    day = timezone.localdate(clock.now()) + timedelta(days=days)
    return f"{day.isoformat()}T{hour:02d}:00"


def test_every_list_can_be_filled_and_shows_what_was_entered(dora: Client, cast: Cast) -> None:
    span = {"starts_at": typed(1), "ends_at": typed(2)}
    soon = timezone.localdate(clock.now()) + timedelta(days=3)
    for kind, data in {
        "rooms": {"name": "Room 7", "location": "radiology", "has_fluoroscopy": "on", "is_active": "on"},
        "hours": {"weekday": 0, "opens": "08:00", "closes": "12:30"},
        "closures": {"first_day": soon.isoformat(), "last_day": soon.isoformat(), "reason": "Thanksgiving"},
        "sessions": {"operator": cast.pia.pk, "weekday": 1, "starts": "09:00", "ends": "13:00"},
        "on-call": {"user": cast.carl.pk, "role": "physician", **span},
    }.items():
        response = add(dora, kind, **data)
        assert response.status_code == 303, (kind, response.content.decode())
        assert last_action().endswith(".added")

    page = dora.get(reverse("places")).content.decode()
    for words in ("Room 7", "Monday 08:00–12:30", "Thanksgiving", "09:00–13:00", "Carl Cover, MD"):
        assert words in page


def test_a_row_can_be_changed_and_the_entry_names_the_columns(dora: Client) -> None:
    room = Room.objects.create(name="Room 1")

    response = dora.post(reverse("place_edit", args=["rooms", room.pk]), {"name": "Room 2", "location": "clinic"})

    assert response.status_code == 303
    room.refresh_from_db()
    assert (room.name, room.is_active) == ("Room 2", False)
    entry = AuditEntry.objects.get(action="room.changed")
    assert entry.data == {"fields": ["name", "is_active"]}


def test_a_row_is_removed_only_after_saying_what_follows(dora: Client) -> None:
    hours = ClinicHours.objects.create(weekday=0, opens=time(8), closes=time(12))
    url = reverse("place_remove", args=["hours", hours.pk])

    assert "What will follow" in dora.get(url).content.decode()
    assert ClinicHours.objects.exists()
    assert dora.post(url).status_code == 303

    assert not ClinicHours.objects.exists()
    entry = AuditEntry.objects.get(action="clinichours.removed")
    assert entry.subject_id == hours.pk


def test_a_room_is_taken_out_of_use_never_removed(dora: Client, cast: Cast) -> None:
    room = Room.objects.create(name="Room 1")

    assert dora.post(reverse("place_remove", args=["rooms", room.pk])).status_code == 404
    with pytest.raises(Invalid):
        places.remove(actor=Actor.person(cast.dora), row=room)


@pytest.mark.parametrize(
    ("kind", "data", "words"),
    [
        ("rooms", {"name": "", "location": "clinic"}, "This field is required."),
        ("rooms", {"name": "X", "location": "moon"}, "Select a valid choice"),
        ("rooms", {"name": "Old room", "location": "clinic"}, "already exists"),
        ("hours", {"weekday": 0, "opens": "12:00", "closes": "08:00"}, "Must be later than the opening time."),
        ("hours", {"weekday": 0, "opens": "10:00", "closes": "14:00"}, "overlaps with Monday 08:00–12:00"),
        ("closures", {"first_day": "2026-12-02", "last_day": "2026-12-01", "reason": "x"}, "before the first day"),
        ("closures", {"first_day": "soon", "last_day": "2026-12-01", "reason": "x"}, "Enter a valid date."),
        ("sessions", {"operator": "nora", "weekday": 0, "starts": "09:00", "ends": "10:00"}, "Select a valid choice"),
        ("on-call", {"user": "nora", "role": "physician"}, "does not hold this role"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(
    dora: Client, cast: Cast, kind: str, data: dict[str, Any], words: str
) -> None:
    Room.objects.create(name="Old room")
    ClinicHours.objects.create(weekday=0, opens=time(8), closes=time(12))
    people = {user.username: user.pk for user in (cast.sam, cast.nora, cast.pia, cast.carl)}
    data = {name: people.get(value, value) for name, value in data.items()}
    if kind == "on-call":
        data = {"starts_at": typed(1), "ends_at": typed(2)} | data
    before = AuditEntry.objects.count()

    response = add(dora, kind, **data)

    assert response.status_code == 422
    assert words in response.content.decode()
    assert AuditEntry.objects.count() == before


def test_back_to_back_hours_make_a_lunch_break(dora: Client) -> None:
    ClinicHours.objects.create(weekday=0, opens=time(8), closes=time(12))

    assert add(dora, "hours", weekday=0, opens="12:00", closes="16:00").status_code == 303


def test_a_row_does_not_overlap_with_itself(dora: Client) -> None:
    hours = ClinicHours.objects.create(weekday=0, opens=time(8), closes=time(12))
    url = reverse("place_edit", args=["hours", hours.pk])

    assert dora.post(url, {"weekday": 0, "opens": "08:00", "closes": "13:00"}).status_code == 303


def test_a_time_the_clock_change_skips_is_refused_in_words(dora: Client, cast: Cast) -> None:
    response = add(
        dora, "on-call", user=cast.carl.pk, role="physician", starts_at="2027-03-14T02:30", ends_at="2027-03-14T08:00"
    )

    assert response.status_code == 422
    assert "interpreted in time zone" in response.content.decode()


def test_the_scheduler_reads_and_is_offered_no_change(client: Client, cast: Cast) -> None:
    room = Room.objects.create(name="Room 1")
    client.force_login(cast.sam)

    page = client.get(reverse("places")).content.decode()

    assert "Room 1" in page
    assert reverse("place_edit", args=["rooms", room.pk]) not in page
    assert client.get(reverse("place_add", args=["rooms"])).status_code == 403


def test_the_services_themselves_refuse_everybody_but_the_director(cast: Cast) -> None:
    room = Room.objects.create(name="Room 1")
    for user in (cast.sam, cast.nora, cast.pia, cast.ada):
        actor = Actor.person(user)
        for attempt in (
            lambda actor=actor: places.add(actor=actor, row=Room(name="Room 2")),
            lambda actor=actor: places.change(actor=actor, row=room, fields=["name"]),
            lambda actor=actor: places.remove(actor=actor, row=room),
        ):
            with pytest.raises(NotPermitted):
                attempt()


def test_what_is_over_is_left_out(dora: Client, cast: Cast) -> None:
    long_ago = clock.now() - timedelta(days=400)
    Closure.objects.create(first_day=date(2020, 1, 1), last_day=date(2020, 1, 2), reason="Old holiday")
    OnCall.objects.create(user=cast.carl, role="physician", starts_at=long_ago, ends_at=long_ago + timedelta(days=1))
    OperatorSession.objects.create(operator=cast.pia, weekday=0, starts=time(8), ends=time(9))

    page = dora.get(reverse("places")).content.decode()

    assert "Old holiday" not in page
    assert "Carl Cover" not in page
    assert "Pia Physician" in page
