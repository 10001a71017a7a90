"""The pages on which a list is handed on, an emergency is signed under, and later blood is decided on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic import clock
from clinic.models import AuditEntry, User
from clinic.roles import Role
from followups import reconcile
from procedures.models import Procedure
from tests import make

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def web(user: User) -> Client:
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


def pending(**more: object) -> Procedure:
    """Back to the ward an hour ago, with a culture under way."""
    case = make.procedure(status="completed", starts=clock.now() - timedelta(hours=2), disposition="ward", **more)
    make.lab_test(case, "ascites_culture")
    reconcile.procedure(case.pk)
    return case


def address(name: str, case: Procedure, *more: object) -> str:
    return reverse(f"followups:{name}", args=[case.code, *more])


def test_an_offer_without_a_phone_is_shown_again_with_everything_typed() -> None:
    case = pending()
    nurse = web(make.user(Role.NURSE))
    answer = nurse.post(address("transfer", case), {"why": "ward", "name": "Dr. Haddad", "place": "Ward 4"})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="Dr. Haddad"' in text and "Needed when nobody of this clinic is chosen." in text
    both = {"why": "ward", "to": case.responsible_id, "name": "Dr. Haddad", "place": "W", "phone": "1"}
    assert "Choose one" in nurse.post(address("transfer", case), both).content.decode()
    assert not case.transfers.exists()


def test_only_the_acceptor_is_offered_to_accept_and_the_sheet_says_what_is_pending() -> None:
    case, carl = pending(), make.user(Role.PHYSICIAN, full_name="Carl")
    nurse = web(make.user(Role.NURSE))
    assert nurse.post(address("transfer", case), {"why": "ward", "to": carl.pk}).status_code == 303
    offer = case.transfers.get()
    assert "I accept the list" not in nurse.get(address("transfer", case)).content.decode()
    refused = nurse.post(address("transfer_answer", case, offer.pk), {"answer": "accept"})
    assert refused.status_code == 422
    silent = nurse.post(address("transfer_answer", case, offer.pk), {"answer": "phone", "name": "Dr. Haddad"})
    assert "Read the list back" in silent.content.decode()
    sheet = nurse.get(address("transfer_print", case)).content.decode()
    assert "Result awaited: Culture, aerobic" in sheet and "Any growth from ascites." in sheet

    mine = web(carl)
    assert "I accept the list" in mine.get(address("transfer", case)).content.decode()
    assert mine.post(address("transfer_answer", case, offer.pk), {"answer": "accept"}).status_code == 303
    again = nurse.post(address("transfer_answer", case, offer.pk), {"answer": "decline", "reason": "late"})
    assert again.status_code == 409
    assert AuditEntry.objects.filter(action="chart.read", patient_id=case.patient_id).exists()


def test_who_started_it_reads_that_somebody_else_signs() -> None:
    starter = make.user(Role.PHYSICIAN)
    more = {"emergency_start": True, "emergency_reason": "Septic", "emergency_by": starter, "responsible": starter}
    case = make.procedure(status="in_progress", starts=clock.now() - timedelta(hours=1), **more)
    mine, director = web(starter), web(make.user(Role.DIRECTOR))
    assert "You started it." in mine.get(address("countersign", case)).content.decode()
    assert mine.post(address("countersign", case), {"agrees": "yes"}).status_code == 403
    silent = director.post(address("countersign", case), {"agrees": "no", "comment": " "})
    assert (silent.status_code, "Say what you do not agree with." in silent.content.decode()) == (422, True)
    assert director.post(address("countersign", case), {"agrees": "no", "comment": "Not urgent"}).status_code == 303
    assert "not agreed" in director.get(address("countersign", case)).content.decode()


def test_later_blood_is_ordered_with_one_tap_or_read_elsewhere_in_one_line() -> None:
    case = make.procedure(status="completed", starts=clock.now() - timedelta(days=4))
    page = address("later_tests", case, "bloods_after_drainage")
    physician = web(make.user(Role.PHYSICIAN))
    assert 'value="panel:bloods_after_drainage"' in physician.get(page).content.decode()
    today = timezone.localdate(clock.now())
    read = {"decision": "elsewhere", "place": "Practice", "finding": "abnormal", "interpretation": "Sodium 124"}
    for typed, says in (
        (read, "Say what is done about it"),
        ({**read, "reason": "Seen today"}, "Say on which day it was taken."),
        ({**read, "reason": "Seen today", "sampled_on": today + timedelta(days=2)}, "has not come yet"),
        ({**read, "reason": "Seen today", "sampled_on": today - timedelta(days=9)}, "before the needle"),
    ):
        answer = physician.post(page, typed)
        assert (answer.status_code, says in answer.content.decode()) == (422, True), says
    assert "Sodium 124" in answer.content.decode()
    ordered = {"what": "panel:bloods_after_drainage"}
    assert physician.post(reverse("procedures:test_add", args=[case.code]), ordered).status_code == 303
    tubes = physician.get(reverse("procedures:specimens", args=[case.code])).content.decode()
    assert "Serum sodium, day 3 to 7" in tubes
    done = {**read, "reason": "Seen today", "sampled_on": today}
    assert physician.post(page, done).status_code == 303
    assert set(case.tests.values_list("status", flat=True)) == {"cancelled"}
    assert physician.post(page, {"decision": "not_needed", "reason": "Hospice"}).status_code == 409
