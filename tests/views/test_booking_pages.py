"""The pages that request a procedure and choose its slot, and who may open which booking page."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinic import clock
from clinic.models import AuditEntry, Room, User
from clinic.roles import Role
from procedures.models import Procedure
from tests import make
from tests.pages import as_role, fresh, url

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo(settings.CLINIC_ZONE)
CODE = re.compile(r'name="code" value="(\w{7})"')


@pytest.fixture
def scheduler() -> Client:
    return as_role(Role.SCHEDULER)


@pytest.fixture
def physician() -> Client:
    return as_role(Role.PHYSICIAN)


@pytest.fixture
def room() -> Room:
    make.opening_hours()
    return make.room("Room 1")


@pytest.fixture
def lee() -> User:
    return make.user(Role.PHYSICIAN, full_name="Lee")


def monday() -> date:
    today = clock.now().astimezone(ZONE).date()
    return today + timedelta(days=7 - today.weekday())


def at(hour: int, minute: int = 0) -> datetime:
    return datetime.combine(monday(), time(hour, minute), tzinfo=ZONE)


def by_hand(room: Room | None, clock_time: str = "09:00", **more: Any) -> dict[str, Any]:
    return {"day": monday().isoformat(), "at": clock_time, "room": room.pk if room else "", **more}


def asked(lee: User, code: str, **changes: Any) -> dict[str, Any]:
    values = {
        "protocol": "paracentesis",
        "code": code,
        "shown_for": "relief",
        "indication": "relief",
        "variant": "large_volume",
        "urgency": "urgent",
        "responsible": lee.pk,
        "location": "clinic",
        "note": "Prefers mornings",
    }
    return {**values, **changes}


# --- request -------------------------------------------------------------------------------


@pytest.fixture
def new_case(scheduler: Client) -> tuple[str, str]:
    """The address of a request for a patient, and the code its page has shown."""
    make.protocol_version("paracentesis")
    make.protocol_version("lumbar_puncture")
    where = reverse("procedures:request", args=[make.patient().pk])
    found = CODE.search(scheduler.get(f"{where}?protocol=paracentesis").content.decode())
    assert found is not None
    return where, found[1]


def test_a_request_leads_to_the_slots(scheduler: Client, new_case: tuple[str, str], lee: User) -> None:
    where, code = new_case
    answer = scheduler.post(where, asked(lee, code))
    case = Procedure.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, url("schedule", case))
    assert (case.code, case.variant, case.urgency, case.responsible) == (code, "large_volume", "urgent", lee)
    assert case.tests.exists()


def test_a_double_click_on_request_is_one_case(scheduler: Client, new_case: tuple[str, str], lee: User) -> None:
    where, code = new_case
    for _ in range(2):
        assert scheduler.post(where, asked(lee, code)).status_code == 303
    assert Procedure.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "wrong"), [("responsible", ""), ("indication", "boredom"), ("urgency", ""), ("location", "kitchen")]
)
def test_a_wrong_request_keeps_what_was_typed(
    scheduler: Client, new_case: tuple[str, str], lee: User, field: str, wrong: str
) -> None:
    where, code = new_case
    page = scheduler.post(where, asked(lee, code, **{field: wrong}))
    text = page.content.decode()
    assert page.status_code == 422
    assert "Prefers mornings" in text
    assert f"#id_{field}" in text
    assert not Procedure.objects.exists()


def test_another_indication_sets_form_and_panel_anew_with_and_without_a_script(
    scheduler: Client, new_case: tuple[str, str], lee: User
) -> None:
    where, code = new_case
    data = asked(lee, code, indication="suspected_infection", refresh="1")
    protocol = make.protocol_version("paracentesis").parsed
    first_test = protocol.test(protocol.panel(protocol.indication("suspected_infection").panel).tests[0]).label
    whole = scheduler.post(where, data).content.decode()
    part = scheduler.post(where, data, HTTP_HX_REQUEST="true").content.decode()
    assert "<h1>" in whole
    assert "<h1>" not in part
    for text in (whole, part):
        assert '<option value="diagnostic" selected>' in text
        assert 'name="shown_for" value="suspected_infection"' in text
        assert "Prefers mornings" in text
        assert first_test in text
    assert not Procedure.objects.exists()


def test_a_form_that_was_chosen_on_purpose_survives_a_refresh(
    scheduler: Client, new_case: tuple[str, str], lee: User
) -> None:
    where, code = new_case
    text = scheduler.post(where, asked(lee, code, variant="therapeutic", refresh="1")).content.decode()
    assert '<option value="therapeutic" selected>' in text


def test_an_indication_changed_without_a_script_is_checked_before_it_is_sent(
    scheduler: Client, new_case: tuple[str, str], lee: User
) -> None:
    where, code = new_case
    page = scheduler.post(where, asked(lee, code, indication="suspected_infection"))
    assert page.status_code == 422
    assert '<option value="diagnostic" selected' in page.content.decode()
    assert not Procedure.objects.exists()
    again = asked(lee, code, indication="suspected_infection", shown_for="suspected_infection", variant="diagnostic")
    assert scheduler.post(where, again).status_code == 303


def test_the_other_protocol_has_its_own_indications(scheduler: Client, new_case: tuple[str, str]) -> None:
    text = scheduler.get(f"{new_case[0]}?protocol=lumbar_puncture").content.decode()
    assert '<option value="multiple_sclerosis"' in text
    assert '<option value="relief"' not in text


def test_below_the_minimum_age_the_page_says_outside_protocol(scheduler: Client, lee: User) -> None:
    make.protocol_version("paracentesis")
    child = make.patient(born=clock.now().date() - timedelta(days=365 * 10))
    page = scheduler.post(reverse("procedures:request", args=[child.pk]), asked(lee, ""))
    assert page.status_code == 422
    assert "Outside protocol" in page.content.decode()


def test_a_physician_is_responsible_unless_said_otherwise(lee: User) -> None:
    make.protocol_version("paracentesis")
    client = Client()
    client.force_login(lee)
    text = client.get(reverse("procedures:request", args=[make.patient().pk])).content.decode()
    assert f'<option value="{lee.pk}" selected>' in text


def test_without_a_published_protocol_the_page_says_so(scheduler: Client) -> None:
    page = scheduler.get(reverse("procedures:request", args=[make.patient().pk]))
    assert page.status_code == 200
    assert "load_protocols" in page.content.decode()


def test_a_missing_phone_warns_and_does_not_block(scheduler: Client, lee: User) -> None:
    make.protocol_version("paracentesis")
    where = reverse("procedures:request", args=[make.patient(phone="").pk])
    assert "make a follow-up plan before the needle" in scheduler.get(where).content.decode()
    assert scheduler.post(where, asked(lee, "")).status_code == 303


# --- schedule ------------------------------------------------------------------------------


def test_an_offered_slot_books_with_one_click(scheduler: Client, room: Room) -> None:
    case = make.procedure()
    page = scheduler.get(url("schedule", case), {"first": monday().isoformat(), "days": "7"}).content.decode()
    offered = re.findall(r'name="slot" value="([^"]+)"', page)
    assert offered[0] == f"{at(8).astimezone(ZoneInfo('UTC')).isoformat()}|{room.pk}"
    seen = re.search(r'name="seen" value="([^"]+)"', page)
    assert seen is not None
    answer = scheduler.post(url("schedule", case), {"slot": offered[0], "seen": seen[1]})
    assert answer.status_code == 303
    assert (fresh(case).status, fresh(case).room, fresh(case).stay.lower) == ("scheduled", room, at(8))


def test_any_time_may_be_typed_and_the_operator_named(scheduler: Client, room: Room, lee: User) -> None:
    case = make.procedure()
    assert scheduler.post(url("schedule", case), by_hand(room, "09:20", operator=lee.pk)).status_code == 303
    assert (fresh(case).stay.lower, fresh(case).operator) == (at(9, 20), lee)


@pytest.mark.parametrize("missing", ["day", "at", "room"])
def test_a_typed_slot_that_lacks_something_keeps_the_rest(scheduler: Client, room: Room, missing: str) -> None:
    page = scheduler.post(url("schedule", make.procedure()), {**by_hand(room), missing: "", "reason": "Kept words"})
    text = page.content.decode()
    assert page.status_code == 422
    assert f"#id_{missing}" in text
    assert "Kept words" in text


@pytest.mark.parametrize("forged", ["x|1", "2026-11-23T09:00|1", "2026-11-23T09:00:00+00:00|999999", "|"])
def test_a_slot_that_was_not_offered_is_refused(scheduler: Client, room: Room, forged: str) -> None:
    assert scheduler.post(url("schedule", make.procedure()), {"slot": forged}).status_code == 422


def test_a_taken_slot_is_explained_with_the_next_free_ones_and_no_name(scheduler: Client, room: Room) -> None:
    other = make.patient(family="Secretname")
    make.procedure(status="scheduled", starts=at(9), room=room, patient=other, variant="diagnostic")
    case = make.procedure(variant="diagnostic")
    page = scheduler.post(url("schedule", case), by_hand(room, "09:30"))
    text = page.content.decode()
    assert page.status_code == 409
    assert "Room 1 is taken 09:00–10:00 by another procedure." in text
    assert "Secretname" not in text
    assert f'value="{at(10).astimezone(ZoneInfo("UTC")).isoformat()}|{room.pk}"' in text
    assert 'value="09:30"' in text
    assert fresh(case).status == "requested"


def test_an_offered_slot_that_went_meanwhile_fills_the_fields_for_another_thought(
    scheduler: Client, room: Room
) -> None:
    make.procedure(status="scheduled", starts=at(9), room=room)
    page = scheduler.post(url("schedule", make.procedure()), {"slot": f"{at(9).isoformat()}|{room.pk}"})
    text = page.content.decode()
    assert page.status_code == 409
    assert f'value="{monday().isoformat()}"' in text
    assert 'value="09:00"' in text


def test_a_knowing_overbook_needs_tick_and_reason(scheduler: Client, room: Room) -> None:
    make.procedure(status="scheduled", starts=at(9), room=room)
    case = make.procedure()
    ticked = by_hand(room, overbook_room="on")
    assert scheduler.post(url("schedule", case), ticked).status_code == 422
    assert scheduler.post(url("schedule", case), {**ticked, "reason": "Five minutes"}).status_code == 303
    assert fresh(case).room_overbooked
    assert AuditEntry.objects.get(action="procedure.overbooked").reason == "Five minutes"


def test_outside_the_hours_is_explained_and_possible_with_a_reason(scheduler: Client, room: Room) -> None:
    case = make.procedure()
    page = scheduler.post(url("schedule", case), by_hand(room, "06:00"))
    assert page.status_code == 422
    assert "outside the opening hours (08:00–18:00)" in page.content.decode()
    knowing = by_hand(room, "06:00", outside_hours="on", reason="Urgent")
    assert scheduler.post(url("schedule", case), knowing).status_code == 303


def test_a_booking_that_changed_since_it_was_shown_is_not_overwritten(scheduler: Client, room: Room) -> None:
    case = make.procedure(status="scheduled", starts=at(9), room=room)
    page = scheduler.get(url("schedule", case)).content.decode()
    seen = re.search(r'name="seen" value="([^"]+)"', page)
    assert seen is not None
    assert scheduler.post(url("schedule", case), by_hand(room, "13:00", seen=seen[1])).status_code == 303
    late = scheduler.post(url("schedule", case), by_hand(room, "15:00", seen=seen[1]))
    assert late.status_code == 409
    assert "changed in the meantime" in late.content.decode()
    assert fresh(case).stay.lower == at(13)


def test_a_move_says_what_it_is(scheduler: Client, room: Room) -> None:
    case = make.procedure(status="scheduled", starts=at(9), room=room)
    assert "Move to another slot" in scheduler.get(url("schedule", case)).content.decode()
    assert scheduler.post(url("schedule", case), by_hand(room, "11:00")).status_code == 303
    assert AuditEntry.objects.filter(action="procedure.moved").exists()


def test_at_the_bedside_no_room_is_asked_for(scheduler: Client, room: Room) -> None:
    case = make.procedure(location="bedside")
    assert scheduler.post(url("schedule", case), by_hand(None, "22:00")).status_code == 303
    assert fresh(case).room is None


def test_the_schedule_page_costs_at_most_twenty_two_queries_whatever_is_booked(scheduler: Client, room: Room) -> None:
    case, counts = make.procedure(), []
    for hours in (range(8, 9), range(10, 16, 2)):
        for hour in hours:
            make.procedure(status="scheduled", starts=at(hour), room=room, variant="diagnostic")
        with CaptureQueriesContext(connection) as queries:
            scheduler.get(url("schedule", case), {"first": monday().isoformat(), "days": "28"})
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 22


# --- who may -------------------------------------------------------------------------------

BOOKING = ("schedule", "unschedule", "cancel", "no_show", "reopen", "arrive", "undo_arrival", "entered_in_error")
CHECKING = ("start", "complete", "abandon_start", "continue")


@pytest.mark.parametrize(
    ("role", "booking", "checking", "operating"),
    [
        (Role.SCHEDULER, 200, 403, 403),
        (Role.NURSE, 200, 200, 403),
        (Role.PHYSICIAN, 200, 200, 200),
        (Role.DIRECTOR, 403, 403, 403),
        (Role.ADMINISTRATOR, 403, 403, 403),
    ],
)
def test_each_role_gets_what_it_may(role: Role, booking: int, checking: int, operating: int) -> None:
    client, case = as_role(role), make.procedure()
    Procedure.objects.filter(pk=case.pk).update(status="cancelled")  # a state that none of the steps leads to twice
    expected = {
        **dict.fromkeys(BOOKING, booking),
        **dict.fromkeys(CHECKING, checking),
        "emergency": operating,
    }
    found = {name: client.get(url(name, case)).status_code for name in expected}
    if booking == 200:
        assert found["cancel"] == 303  # it is cancelled already
        found["cancel"] = 200
    assert found == expected


@pytest.mark.parametrize("name", [*BOOKING, *CHECKING, "emergency"])
def test_a_case_that_does_not_exist_is_not_found(physician: Client, name: str) -> None:
    assert physician.get(reverse(f"procedures:{name}", args=["2222222"])).status_code == 404
