"""The sheets that a patient takes home: true for this case, in their language, and written down when given."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import LazySettings
from django.test import Client

from clinic import clock
from clinic.models import AuditEntry
from clinic.roles import Role
from followups.services.links import READER
from procedures.domain.reported import Given
from procedures.models import Hold, Patient, Procedure
from procedures.services import reported
from tests import make

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo("America/New_York")
SLOT = datetime(2026, 11, 26, 9, 30, tzinfo=ZONE)


@pytest.fixture
def nurse() -> Client:
    client = Client()
    client.force_login(make.user(Role.NURSE), backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def case_of(code: str = "lumbar_puncture", **patient: Any) -> Procedure:
    case = make.procedure(code, status="scheduled")
    if patient:
        Patient.objects.filter(pk=case.patient_id).update(**patient)
        case.patient.refresh_from_db()
    return case


def done(case: Procedure) -> Procedure:
    now = clock.now()
    for status, more in (
        ("arrived", {}), ("in_progress", {"started_at": now}), ("completed", {"completed_at": now, "outcome": "done"}),
    ):  # fmt: skip
        Procedure.objects.filter(pk=case.pk).update(status=status, **more)
    return case


def sheet(client: Client, case: Procedure, which: str, query: str = "") -> str:
    """The words of the sheet alone."""
    page = client.get(f"/cases/{case.code}/leaflets/{which}/{query}").content.decode()
    article = re.search(r'<article class="leaflet".*?</article>', page, re.S)
    assert article is not None
    return " ".join(re.sub(r"<[^>]+>", " ", article[0]).split())


def hold(case: Procedure, name: str, **more: Any) -> Hold:
    return Hold.objects.create(
        procedure=case, ingredient=name, decided_by=case.responsible, decided_at=clock.now(), **more
    )


def test_before_says_when_where_how_long_and_whom_to_call(nurse: Client) -> None:
    case = case_of("paracentesis")
    said = sheet(nurse, case, "before")
    assert case.stay is not None
    local = case.stay.lower.astimezone(ZONE)
    assert f"{local:%A}, {local:%B} {local.day}" in said
    assert "Clinic room" in said and "1 hour" in said
    assert "Do not stop a medicine unless we tell you." in said and "Call us, day or night: 555-0100" in said
    assert all(word in said for word in ("latex", "albumin", "vitamins", "herbal", "pregnant", "bled"))


def test_before_a_slot_is_booked_we_promise_a_call(nurse: Client) -> None:
    said = sheet(nurse, make.procedure("lumbar_puncture", status="requested"), "before")
    assert "We will call you with the day and the time." in said and "1 hour and 30 minutes" in said


def test_a_last_dose_stands_there_only_once_the_patient_was_told(nurse: Client) -> None:
    case = case_of()
    hold(case, "Apixaban", planned_last_dose_at=SLOT - timedelta(days=3), told_patient_at=clock.now())
    hold(case, "Clopidogrel", planned_last_dose_at=SLOT - timedelta(days=7))
    page = nurse.get(f"/cases/{case.code}/leaflets/before/").content.decode()
    assert "Monday, November 23, 9:30 AM" in sheet(nurse, case, "before")
    assert "Clopidogrel" not in sheet(nurse, case, "before")
    assert "Clopidogrel: the last dose is not on this sheet, because nobody has told the patient yet." in page


def test_a_ward_s_patient_calls_the_ward(nurse: Client) -> None:
    case = case_of(encounter_class="inpatient")
    assert "555-0111" in sheet(nurse, case, "before") and "555-0100" not in sheet(nurse, case, "before")


def test_without_a_number_the_staff_is_told_and_the_patient_is_sent_somewhere(
    nurse: Client, settings: LazySettings
) -> None:
    settings.CLINIC_PHONE_24H = ""
    case = case_of()
    assert "urgent care center" in sheet(nurse, case, "before")
    assert "No telephone number is set" in nurse.get(f"/cases/{case.code}/leaflets/before/").content.decode()


def test_afterwards_names_each_result_with_its_day_and_what_takes_longer(nurse: Client) -> None:
    case = done(case_of("paracentesis"))
    taken = datetime(2026, 11, 23, 10, 0, tzinfo=ZONE)
    for code in ("ascites_cell_count", "ascites_culture", "ascites_afb"):
        extended = case.protocol_version.parsed.test(code).extended
        make.lab_test(case, code, collected_at=taken, status="collected", extended=extended)
    said = sheet(nurse, case, "after")
    assert "By Tuesday, November 24: cell count of the fluid." in said
    assert "By Monday, November 30: culture of the fluid for germs." in said
    assert "By Monday, January 18: long culture of the fluid for tuberculosis (this takes longer)." in said
    assert case.responsible.display_name in said


def test_afterwards_says_when_to_call_911_before_anything_else(nurse: Client) -> None:
    said = sheet(nurse, done(case_of()), "after")
    assert said.index("Call 911 now if") < said.index("Call our 24-hour number if") < said.index("At home")


def test_after_a_paracentesis_no_ibuprofen_and_after_a_puncture_lying_flat_is_comfort(nurse: Client) -> None:
    assert "Do not take ibuprofen" in sheet(nurse, done(case_of("paracentesis")), "after")
    said = sheet(nurse, done(case_of()), "after")
    assert "it is for your comfort and does not prevent a headache" in said and "ibuprofen" not in said


def test_a_paused_medicine_is_taken_again_at_the_physician_s_time_and_at_no_other(nurse: Client) -> None:
    case = done(case_of())
    hold(case, "Apixaban", restart_due_at=SLOT)
    hold(case, "Clopidogrel", restart_rule={"hours": 12, "traumatic_hours": 24})
    said = sheet(nurse, case, "after")
    assert "Apixaban : take it again on Thursday, November 26, 9:30 AM" in said
    assert "Clopidogrel : ask us before you go when to take it again." in said
    page = nurse.get(f"/cases/{case.code}/leaflets/after/").content.decode()
    assert "Clopidogrel: no time is set to start it again." in page


def test_it_is_in_the_patient_s_language_and_the_staff_may_read_it_in_english(nurse: Client) -> None:
    case = case_of(language="Español")
    page = nurse.get(f"/cases/{case.code}/leaflets/before/").content.decode()
    assert "This sheet is in Spanish." in page and 'class="leaflet" lang="es"' in page
    assert "No deje ninguna medicina a menos que se lo digamos." in sheet(nurse, case, "before")
    assert "Do not stop a medicine unless we tell you." in sheet(nurse, case, "before", "?language=en")
    assert '<html lang="en' in page, "the staff's page around it stays English"


def test_a_language_that_we_do_not_write_asks_for_an_interpreter(nurse: Client) -> None:
    case = case_of(language="Vietnamese", interpreter_needed=True)
    page = nurse.get(f"/cases/{case.code}/leaflets/before/").content.decode()
    assert "We have no text in Vietnamese: interpreter needed." in page
    assert "This sheet is in English." in page and "You asked for an interpreter (Vietnamese)" in page


def test_a_language_that_nobody_has_is_not_shown(nurse: Client) -> None:
    case = case_of()
    assert "This sheet is in English." in nurse.get(f"/cases/{case.code}/leaflets/before/?language=xx").content.decode()


def test_that_it_was_given_is_written_down_with_its_language(nurse: Client) -> None:
    case = case_of(language="Spanish")
    path = f"/cases/{case.code}/leaflets/before/"
    assert "Not given yet." in nurse.get(path).content.decode()
    assert nurse.post(path).status_code == 303
    entry = AuditEntry.objects.get(action="leaflet.given")
    assert entry.data == {"which": "before", "language": "es"} and entry.patient_id == case.patient_id
    assert "Last given by" in nurse.get(path).content.decode()
    assert "Not given yet." in nurse.get(f"/cases/{case.code}/leaflets/after/").content.decode()


def test_the_staff_page_of_the_form_shows_the_address_and_what_came_of_it(nurse: Client) -> None:
    case = case_of(language="Spanish")
    path = f"/cases/{case.code}/leaflets/before/form/"
    assert "Make the address" in nurse.get(path).content.decode()
    assert nurse.post(path).status_code == 303
    page = nurse.get(path).content.decode()
    assert "/p/" in page and "answers in Spanish" in page and "Not opened yet." in page
    reported.arrive(
        actor=READER, procedure=case, given={"latex": Given(pick="yes")}, language="es", answered_by="", now=clock.now()
    )
    assert "The patient has sent the form:" in nurse.get(path).content.decode()
    assert "The patient has answered: 1 to confirm." in nurse.get(f"/cases/{case.code}/checklist/").content.decode()


def test_an_inpatient_is_sent_no_form(nurse: Client) -> None:
    case = case_of(encounter_class="inpatient")
    response = nurse.post(f"/cases/{case.code}/leaflets/before/form/")
    assert response.status_code == 422 and "An inpatient gets no link" in response.content.decode()
