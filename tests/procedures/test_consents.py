"""What a patient agreed to: added, never changed; for one number or address; the newest counts."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from clinic.actor import Actor
from clinic.errors import Invalid
from clinic.models import AuditEntry
from clinic.roles import Role
from procedures.models import Consent, Patient
from procedures.selectors import consents as selector
from procedures.services import consents, patients
from tests import make
from tests.factories import outreach as factory

pytestmark = pytest.mark.django_db

ACTOR = Actor.system("tests")


def allowed(patient: Patient) -> dict[str, bool]:
    return {channel: row.allowed for channel, row in selector.standing(patient).items()}


def test_each_channel_is_given_and_withdrawn_by_itself() -> None:
    patient = factory.patient("sms", "email")
    assert allowed(patient) == {"sms": True, "email": True}
    consents.record(actor=ACTOR, patient=patient, channel="sms", given=False)
    patient.refresh_from_db()
    assert allowed(patient) == {"sms": False, "email": True}
    assert (patient.consent_sms, patient.consent_email) == (False, True)
    assert [row.given for row in Consent.objects.filter(channel="sms")] == [True, False]


@pytest.mark.parametrize(
    ("extra", "given", "field"),
    [({"email": ""}, {"warned": True}, "channel"), ({}, {"warned": False}, "warned")],
)
def test_nothing_is_agreed_without_an_address_or_without_a_warning(
    extra: dict[str, Any], given: dict[str, Any], field: str
) -> None:
    patient = factory.patient(**extra)
    with pytest.raises(Invalid) as refused:
        consents.record(actor=ACTOR, patient=patient, channel="email", given=True, **given)
    assert refused.value.field == field
    assert not Consent.objects.exists()


def test_another_number_needs_a_consent_of_its_own() -> None:
    patient = factory.patient("sms")
    patient = patients.update(actor=ACTOR, patient=patient, changes={"phone": "+12025550199"})
    assert allowed(patient)["sms"] is False
    assert selector.standing(patient)["sms"].other_address
    consents.record(actor=ACTOR, patient=patient, channel="sms", given=True, warned=True)
    assert allowed(patient)["sms"] is True


def test_what_is_ticked_with_the_details_is_written_down_too() -> None:
    patient = patients.create(
        actor=ACTOR,
        given_name="Ann",
        family_name="Example",
        birth_date=date(1980, 1, 2),
        phone="+12025550111",
        consent_sms=True,
    )
    patients.update(actor=ACTOR, patient=patient, changes={"consent_sms": False})
    assert [(row.given, row.how) for row in patient.consents.all()] == [(True, "chart"), (False, "chart")]


def test_nobody_changes_or_deletes_what_was_said() -> None:
    patient = factory.patient("sms")
    for change in (lambda rows: rows.update(given=False), lambda rows: rows.delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            change(Consent.objects.filter(patient=patient))


def test_a_stop_for_an_empty_number_stops_nobody() -> None:
    patient = factory.patient("sms")
    Patient.objects.filter(pk=patient.pk).update(phone="")
    assert consents.stopped(number="", actor=ACTOR) == []


def test_the_audit_names_channel_and_way_and_no_number() -> None:
    factory.patient("sms")
    entry = AuditEntry.objects.get(action="consent.given")
    assert entry.data == {"channel": "sms", "how": "spoken"}


# --- the page -----------------------------------------------------------------------------------


def page(client: Client, role: Role, patient: Patient, data: dict[str, str] | None = None) -> Any:
    client.force_login(make.user(role), backend="allauth.account.auth_backends.AuthenticationBackend")
    path = f"/patients/{patient.pk}/messages/"
    return client.get(path) if data is None else client.post(path, data)


def test_a_scheduler_writes_down_what_was_agreed(client: Client) -> None:
    patient = factory.patient()
    data = {"channel": "sms", "given": "yes", "how": "spoken", "warned": "on", "note": "on the phone"}
    assert page(client, Role.SCHEDULER, patient, data).status_code == 303
    body = page(client, Role.DIRECTOR, patient).content.decode()
    assert "knowing that they are not encrypted" in body and "on the phone" in body
    assert "<form class=" not in body


def test_without_the_warning_the_form_comes_back_with_what_was_typed(client: Client) -> None:
    answer = page(
        client, Role.NURSE, factory.patient(), {"channel": "email", "given": "yes", "how": "signed", "note": "Form 7"}
    )
    assert answer.status_code == 422
    assert "not encrypted, then tick" in answer.content.decode() and "Form 7" in answer.content.decode()
