"""The pages about patients."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinic.models import AuditEntry
from clinic.roles import Role
from procedures.models import Patient
from tests import make

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}
FORM = {
    "family_name": "García",
    "given_name": "Ana",
    "birth_date": "1984-05-17",
    "sex": "female",
    "encounter_class": "outpatient",
    "phone": "(202) 555-0123",
    "reach_by": "phone",
    "language": "English",
}


def as_role(role: Role) -> Client:
    client = Client()
    client.force_login(make.user(role))
    return client


@pytest.fixture
def scheduler() -> Client:
    return as_role(Role.SCHEDULER)


def test_nobody_is_listed_before_somebody_is_looked_for(scheduler: Client) -> None:
    make.patient(family="Zimmermann")
    page = scheduler.get(reverse("procedures:patients"))
    assert page.status_code == 200
    assert "Zimmermann" not in page.content.decode()


def test_a_search_works_without_a_script_and_puts_no_name_in_an_address(scheduler: Client) -> None:
    patient = make.patient(family="Zimmermann")
    page = scheduler.post(reverse("procedures:patients"), {"q": "zimm"})
    text = page.content.decode()
    assert page.status_code == 200
    assert "<h1>" in text
    assert reverse("procedures:patient", args=[patient.pk]) in text
    assert 'value="zimm"' in text
    assert "zimm" not in "".join(part for part in text.lower().split('"') if part.startswith(("/", "?")))


def test_as_somebody_types_only_the_results_come_back(scheduler: Client) -> None:
    make.patient(family="Zimmermann")
    text = scheduler.post(reverse("procedures:patients"), {"q": "zimm"}, **HTMX).content.decode()
    assert "Zimmermann" in text
    assert "<h1>" not in text
    field = scheduler.get(reverse("procedures:patients")).content.decode()
    assert 'hx-post="/patients/"' in field
    assert "delay:250ms" in field


def test_a_search_in_the_address_finds_nothing(scheduler: Client) -> None:
    make.patient(family="Zimmermann")
    assert "Zimmermann, " not in scheduler.get(reverse("procedures:patients"), {"q": "zimm"}).content.decode()


def test_a_search_says_whom_it_has_shown(scheduler: Client) -> None:
    found = [make.patient(family="Zimmermann") for _ in range(2)]
    scheduler.post(reverse("procedures:patients"), {"q": "zimm"})
    entry = AuditEntry.objects.get(action="list.read")
    assert entry.data == {"page": "patients", "patients": sorted(p.pk for p in found)}


@pytest.mark.parametrize(("typed", "words"), [("z", "at least two"), ("nobody", "Nobody matches")])
def test_an_empty_result_says_what_to_do(scheduler: Client, typed: str, words: str) -> None:
    assert words in scheduler.post(reverse("procedures:patients"), {"q": typed}).content.decode()


def test_a_search_costs_the_same_for_two_patients_and_for_forty(scheduler: Client) -> None:
    counts = []
    for number in (2, 38):
        for _ in range(number):
            make.patient(family="Zimmermann")
        with CaptureQueriesContext(connection) as queries:
            scheduler.post(reverse("procedures:patients"), {"q": "zimm"}, **HTMX)
        counts.append(sum("procedures_" in q["sql"] for q in queries))
    assert counts == [4, 4]


def test_the_new_procedure_page_leads_to_the_request(scheduler: Client) -> None:
    patient = make.patient(family="Zimmermann")
    text = scheduler.post(reverse("procedures:new"), {"q": "zimm"}).content.decode()
    assert reverse("procedures:request", args=[patient.pk]) in text


def test_a_patient_is_registered_with_a_phone_number_as_people_write_it(scheduler: Client) -> None:
    answer = scheduler.post(reverse("procedures:patient_new"), FORM)
    patient = Patient.objects.get()
    assert answer.status_code == 303
    assert answer["Location"] == reverse("procedures:patient", args=[patient.pk])
    assert str(patient.phone) == "+12025550123"
    assert patient.search_text.startswith("GARCIA ANA")


def test_wrong_input_keeps_what_was_typed(scheduler: Client) -> None:
    page = scheduler.post(reverse("procedures:patient_new"), {**FORM, "birth_date": "", "phone": "12"})
    text = page.content.decode()
    assert page.status_code == 422
    assert 'value="García"' in text
    assert 'value="12"' in text
    assert "#id_birth_date" in text
    assert not Patient.objects.exists()


def test_a_number_that_is_taken_is_said_beside_its_field(scheduler: Client) -> None:
    make.patient(mrn="77-12")
    page = scheduler.post(reverse("procedures:patient_new"), {**FORM, "mrn": "77-12"})
    assert page.status_code == 422
    assert "belongs to another patient" in page.content.decode()


def test_a_similar_patient_is_shown_and_create_anyway_creates(scheduler: Client) -> None:
    known = make.patient("Anna", "Garcia", date(1984, 5, 17))
    page = scheduler.post(reverse("procedures:patient_new"), FORM)
    text = page.content.decode()
    assert page.status_code == 409
    assert reverse("procedures:patient", args=[known.pk]) in text
    assert "create anyway" in text
    assert 'value="García"' in text
    assert Patient.objects.count() == 1
    again = {**FORM, "despite": str(known.pk)}
    assert f'name="despite" value="{known.pk}"' in text
    assert scheduler.post(reverse("procedures:patient_new"), again).status_code == 303
    assert scheduler.post(reverse("procedures:patient_new"), again).status_code == 409  # the second click
    assert Patient.objects.count() == 2


def test_the_patients_page_shows_identity_contact_and_cases_and_is_audited(scheduler: Client) -> None:
    patient = make.patient(family="Zimmermann", phone="")
    case = make.procedure(patient=patient)
    text = scheduler.get(reverse("procedures:patient", args=[patient.pk])).content.decode()
    assert patient.mrn in text
    assert reverse("followups:case", args=[case.code]) in text
    assert reverse("procedures:request", args=[patient.pk]) in text
    assert "make a follow-up plan before the needle" in text
    entry = AuditEntry.objects.get(action="chart.read")
    assert entry.patient_id == patient.pk


def test_the_patients_page_costs_the_same_for_one_case_and_for_nine(scheduler: Client) -> None:
    patient, counts = make.patient(), []
    for number in (1, 8):
        for _ in range(number):
            make.procedure(patient=patient)
        with CaptureQueriesContext(connection) as queries:
            scheduler.get(reverse("procedures:patient", args=[patient.pk]))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_changes_are_saved_and_bad_ones_are_not(scheduler: Client) -> None:
    patient = make.patient()
    url = reverse("procedures:patient_edit", args=[patient.pk])
    assert f'value="{patient.mrn}"' in scheduler.get(url).content.decode()
    bad = scheduler.post(url, {**FORM, "family_name": "", "mrn": patient.mrn})
    assert bad.status_code == 422
    assert 'value="Ana"' in bad.content.decode()
    assert scheduler.post(url, {**FORM, "mrn": "X9"}).status_code == 303
    patient = Patient.objects.get(pk=patient.pk)
    assert (patient.family_name, patient.mrn, patient.search_text) == ("García", "X9", "GARCIA ANA X9")


def test_a_death_is_recorded_and_taken_back_with_a_reason(scheduler: Client) -> None:
    patient = make.patient()
    url = reverse("procedures:patient_deceased", args=[patient.pk])
    assert scheduler.get(url).status_code == 200
    assert scheduler.post(url, {"at": "2999-01-01T10:00"}).status_code == 422
    assert scheduler.post(url, {"at": "2026-01-01T10:00"}).status_code == 303
    assert Patient.objects.get(pk=patient.pk).deceased_at is not None
    assert "Request a procedure" not in scheduler.get(reverse("procedures:patient", args=[patient.pk])).content.decode()
    assert scheduler.post(url, {"reason": ""}).status_code == 422
    assert scheduler.post(url, {"reason": "Another person"}).status_code == 303
    assert Patient.objects.get(pk=patient.pk).deceased_at is None


def test_admission_is_one_click(scheduler: Client) -> None:
    patient = make.patient()
    url = reverse("procedures:patient_encounter", args=[patient.pk])
    assert scheduler.get(url).status_code == 405
    assert scheduler.post(url, {"encounter_class": "elsewhere"}).status_code == 422
    assert scheduler.post(url, {"encounter_class": "inpatient"}).status_code == 303
    assert Patient.objects.get(pk=patient.pk).is_inpatient


READS = ("patients", "patient")
WRITES = ("new", "patient_new", "patient_edit", "patient_deceased", "request")


@pytest.mark.parametrize(
    ("role", "reads", "writes"),
    [
        (Role.SCHEDULER, 200, 200),
        (Role.NURSE, 200, 200),
        (Role.PHYSICIAN, 200, 200),
        (Role.DIRECTOR, 200, 403),
        (Role.ADMINISTRATOR, 403, 403),
    ],
)
def test_each_role_gets_what_it_may(role: Role, reads: int, writes: int) -> None:
    client, patient = as_role(role), make.patient()
    make.protocol_version()

    def status(name: str) -> int:
        args: list[Any] = [] if name in {"patients", "new", "patient_new"} else [patient.pk]
        return client.get(reverse(f"procedures:{name}", args=args)).status_code

    assert {name: status(name) for name in (*READS, *WRITES)} == {
        **dict.fromkeys(READS, reads),
        **dict.fromkeys(WRITES, writes),
    }


@pytest.mark.parametrize("name", ["patient", "patient_edit", "patient_deceased", "request"])
def test_a_patient_who_does_not_exist_is_not_found(scheduler: Client, name: str) -> None:
    assert scheduler.get(reverse(f"procedures:{name}", args=[999999])).status_code == 404
