"""The pages on which a booking goes its way, and those at the needle."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from clinic import clock
from clinic.models import AuditEntry, User
from clinic.roles import Role
from procedures.models import Procedure
from tests import checked, make
from tests.pages import as_role, fresh, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def scheduler() -> Client:
    return as_role(Role.SCHEDULER)


@pytest.fixture
def physician() -> Client:
    return as_role(Role.PHYSICIAN)


@pytest.fixture
def lee() -> User:
    return make.user(Role.PHYSICIAN, full_name="Lee")


# --- steps ---------------------------------------------------------------------------------

STEPS = [
    ("unschedule", "scheduled", {}, "requested"),
    ("cancel", "scheduled", {"reason": "Fever"}, "cancelled"),
    ("cancel", "requested", {"reason": "Fever"}, "cancelled"),
    ("no_show", "scheduled", {}, "no_show"),
    ("arrive", "scheduled", {}, "arrived"),
    ("undo_arrival", "arrived", {}, "scheduled"),
    ("reopen", "cancelled", {"reason": "Wanted again"}, "requested"),
    ("entered_in_error", "scheduled", {"reason": "Wrong chart"}, "entered_in_error"),
    ("abandon_start", "in_progress", {"reason": "Restless"}, "arrived"),
    ("complete", "in_progress", {"outcome": "done", "disposition": "home"}, "completed"),
]


@pytest.mark.parametrize(("name", "old", "data", "new"), STEPS)
def test_a_step_is_shown_taken_and_a_second_click_does_no_harm(
    physician: Client, name: str, old: str, data: dict[str, str], new: str
) -> None:
    case = make.procedure(status=old)
    assert physician.get(url(name, case)).status_code == 200
    assert fresh(case).status == old
    for _ in range(2):
        answer = physician.post(url(name, case), data)
        assert (answer.status_code, answer["Location"]) == (303, reverse("followups:case", args=[case.code]))
    assert fresh(case).status == new
    assert AuditEntry.objects.filter(subject_type="procedures.procedure", subject_id=case.pk, data__to=new).count() == 1


@pytest.mark.parametrize(
    ("name", "old", "data"),
    [
        ("cancel", "scheduled", {"reason": ""}),
        ("entered_in_error", "scheduled", {"reason": ""}),
        ("abandon_start", "in_progress", {"reason": ""}),
        ("complete", "in_progress", {"outcome": "done"}),
        ("complete", "in_progress", {"outcome": "no_fluid", "disposition": "home"}),
        ("complete", "in_progress", {"outcome": "excellent", "disposition": "home"}),
    ],
)
def test_a_step_that_lacks_something_changes_nothing(
    physician: Client, name: str, old: str, data: dict[str, str]
) -> None:
    case = make.procedure(status=old)
    page = physician.post(url(name, case), data)
    assert page.status_code == 422
    assert "error-summary" in page.content.decode()
    assert fresh(case).status == old


def test_what_was_typed_about_the_outcome_stays(physician: Client) -> None:
    case = make.procedure(status="in_progress")
    text = physician.post(url("complete", case), {"outcome_reason": "Only 20 mL came"}).content.decode()
    assert "Only 20 mL came" in text


@pytest.mark.parametrize(
    ("name", "old", "data"), [("cancel", "completed", {"reason": "x"}), ("arrive", "requested", {})]
)
def test_an_impossible_step_is_a_conflict_in_words(
    physician: Client, name: str, old: str, data: dict[str, str]
) -> None:
    case = make.procedure(status=old)
    page = physician.post(url(name, case), data)
    assert page.status_code == 409
    assert "Nothing was changed" in page.content.decode()
    assert fresh(case).status == old


def test_late_after_the_slot_was_given_away_shows_the_next_ones(scheduler: Client) -> None:
    make.opening_hours()
    taken = make.procedure(status="scheduled")
    case = make.procedure(status="no_show", room=taken.room)
    Procedure.objects.filter(pk=case.pk).update(
        stay=taken.stay, room_time=taken.room_time, operator_time=taken.operator_time
    )
    page = scheduler.post(url("arrive", case))
    assert page.status_code == 409
    assert "The room is taken" in page.content.decode()
    assert url("schedule", case) in page.content.decode()


# --- the needle ----------------------------------------------------------------------------


def test_the_start_page_lists_what_is_missing_and_has_no_button(physician: Client) -> None:
    case = make.procedure(status="arrived", starts=clock.now())
    text = physician.get(url("start", case)).content.decode()
    assert "The checklist is not signed" in text
    assert "Start now" not in text
    assert url("checklist", case) in text
    page = physician.post(url("start", case))
    assert page.status_code == 409
    assert "The checklist is not signed" in page.content.decode()
    assert fresh(case).status == "arrived"


def test_a_signed_checklist_opens_the_gate(physician: Client, lee: User) -> None:
    case = make.procedure(status="arrived", starts=clock.now())
    checked.sign(case)
    assert "Start now" in physician.get(url("start", case)).content.decode()
    assert physician.post(url("start", case), {"operator": lee.pk}).status_code == 303
    assert (fresh(case).status, fresh(case).operator) == ("in_progress", lee)
    assert physician.post(url("start", case), {"operator": lee.pk}).status_code == 303  # the second click


def test_an_emergency_waits_for_the_minimum_and_keeps_the_reason(physician: Client) -> None:
    case = make.procedure()
    page = physician.post(url("emergency", case), {"reason": "Septic shock"})
    text = page.content.decode()
    assert page.status_code == 409
    assert text.count("Not answered:") == 6
    assert "Septic shock" in text
    assert fresh(case).status == "requested"


def test_an_emergency_starts_without_a_slot(physician: Client) -> None:
    case = make.procedure()
    checked.answer(case, minimum=True)
    assert physician.post(url("emergency", case), {"reason": ""}).status_code == 422
    assert physician.post(url("emergency", case), {"reason": "Septic shock"}).status_code == 303
    assert (fresh(case).status, fresh(case).emergency_start) == ("in_progress", True)


def test_an_emergency_in_a_taken_room_says_that_it_was_not_reserved(physician: Client) -> None:
    room = make.room()
    make.procedure(status="in_progress", starts=clock.now(), room=room)
    case = make.procedure()
    checked.answer(case, minimum=True)
    answer = physician.post(url("emergency", case), {"reason": "Septic shock", "room": room.pk})
    assert answer.status_code == 303
    said = [str(message) for message in answer.wsgi_request._messages]
    assert any("not reserved" in message for message in said)


def test_no_fluid_goes_on_at_another_place_with_one_click(physician: Client) -> None:
    case = make.procedure(status="completed", outcome="no_fluid", outcome_reason="Dry", location="clinic")
    assert physician.get(url("continue", case)).status_code == 200
    answer = physician.post(url("continue", case), {"location": "radiology", "variant": case.variant})
    linked = Procedure.objects.get(continues=case)
    assert (answer.status_code, answer["Location"]) == (303, url("schedule", linked))
    assert physician.post(url("continue", case), {"location": "radiology", "variant": case.variant}).status_code == 409


@pytest.mark.parametrize(
    ("name", "status"),
    [("start", "arrived"), ("emergency", "arrived"), ("complete", "in_progress"), ("abandon_start", "in_progress")],
)
def test_clinical_pages_carry_the_banner_and_are_audited_once(physician: Client, name: str, status: str) -> None:
    case = make.procedure(status=status)
    page = physician.get(url(name, case))
    assert page.status_code == 200
    assert 'class="patient"' in page.content.decode()
    assert AuditEntry.objects.filter(action="chart.read", patient_id=case.patient_id).count() == 1
