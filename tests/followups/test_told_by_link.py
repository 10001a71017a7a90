"""Telling by a message with a link: sent is not told, read is told, and what changed is not told at all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from clinic import clock
from clinic.errors import Conflict, Invalid, NotPermitted
from clinic.roles import Role
from followups.domain.kinds import Kind
from followups.models import FollowUp, Message, PatientContact, PatientLink
from followups.services import contacts, links, messages, reviews, told_by_link
from procedures.models import Procedure, ResultVersion
from tests import make
from tests.factories import outreach

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nobody_tried_before() -> None:
    cache.clear()


def read_result(*, interpretation: str = "normal", patient: Any = None, **words: Any) -> Procedure:
    case = make.procedure(
        code="lumbar_puncture", status="completed", patient=patient or outreach.patient("sms", "email"),
        starts=clock.now() - timedelta(days=1),
    )  # fmt: skip
    given: dict[str, Any] = {"plan": "none", "tell": "with_all"}
    if interpretation == "critical":
        given = {"plan": "treat", "plan_detail": "Call the infection team", "tell": "now"}
    version = make.result(make.lab_test(case, "csf_glucose"))
    actor = make.actor(Role.PHYSICIAN)
    reviews.review(version=version, actor=actor, interpretation=interpretation, **given, **words)
    return case


def untold(case: Procedure) -> FollowUp | None:
    return FollowUp.objects.filter(procedure=case, kind=Kind.TELL_PATIENT, closed_at__isnull=True).first()


def sent(case: Procedure) -> PatientLink:
    contact = told_by_link.send(procedure=case, actor=make.actor())
    assert contact.link is not None
    return contact.link


def opened(client: Client, link: PatientLink) -> str:
    """The patient follows the address and says the birth date; gives the page behind it."""
    born = link.procedure.patient.birth_date
    answer = client.post(
        reverse("followups:patient_gate", args=[links.token(link)]),
        {"month": born.month, "day": born.day, "year": born.year},
    )
    assert answer.status_code == 303
    return str(answer["Location"])


def say(client: Client, page: str, **data: str) -> Any:
    key = client.session["patient_form_key"]
    return client.post(page, {"form_key": key, **data})


def test_the_message_says_that_there_is_one_and_nothing_else() -> None:
    case = read_result()
    link = sent(case)
    leaves = messages.render(Message.objects.get(link=link))
    words = f"{leaves.subject} {leaves.body}".lower()
    assert links.url(link).lower() in words
    assert not [word for word in ("result", "lumbar", "sugar", "glucose", "normal", "quackenbush") if word in words]


def test_sent_is_not_told_and_a_look_at_the_page_is_neither(client: Client) -> None:
    case = read_result()
    page = client.get(opened(client, sent(case))).content.decode()
    assert "<li>Sugar in the spinal fluid: as it should be.</li>" in page
    assert page.lower().count("do not drive yourself") == 1
    assert untold(case) is not None


def test_who_says_that_they_have_read_it_counts_as_told(client: Client) -> None:
    case = read_result()
    link = sent(case)
    answer = say(client, opened(client, link), answer="read", note="")
    assert answer.status_code == 303
    assert "Thank you" in client.get(answer["Location"]).content.decode()
    assert untold(case) is None
    told = PatientContact.objects.get(procedure=case, outcome="reached")
    assert (told.by, told.channel) == (None, "portal")
    link.refresh_from_db()
    assert link.spent_at is not None


@pytest.mark.parametrize(
    "data", [{"answer": "call", "note": ""}, {"answer": "read", "note": "What does <b>it</b> mean?"}]
)
def test_who_asks_for_a_call_or_writes_a_question_is_called(client: Client, data: dict[str, str]) -> None:
    case = read_result()
    say(client, opened(client, sent(case)), **data)
    promise = untold(case)
    assert promise is not None
    assert promise.about["call"] is True
    assert promise.due_at <= clock.now() + timedelta(hours=24)
    nurse = Client()
    nurse.force_login(make.user(Role.NURSE))
    page = nurse.get(reverse("followups:tell", args=[case.code])).content.decode()
    assert "The patient asks to be called" in page
    assert "<b>it</b>" not in page
    # once somebody has called, nothing is open
    version = ResultVersion.objects.get()
    reached = {"purpose": "results", "channel": "phone", "outcome": "reached", "spoke_with": "the patient"}
    contacts.record(procedure=case, actor=make.actor(), versions=[version.pk], **reached)
    assert untold(case) is None


def test_an_answer_needs_a_choice_and_keeps_what_was_typed(client: Client) -> None:
    case = read_result()
    page = say(client, opened(client, sent(case)), note="A long question")
    assert page.status_code == 422
    assert "A long question" in page.content.decode()
    assert untold(case) is not None


def test_what_was_corrected_since_is_not_shown_and_not_told(client: Client) -> None:
    case = read_result()
    page = opened(client, sent(case))
    make.result(case.tests.get(), status="corrected", level="abnormal")
    shown = client.get(page).content.decode()
    assert "no longer up to date" in shown
    assert "as it should be" not in shown
    assert say(client, page, answer="read").status_code == 200
    assert not PatientContact.objects.filter(procedure=case, outcome="reached").exists()


def test_two_phones_answer_once(client: Client) -> None:
    case = read_result()
    link = sent(case)
    told_by_link.answer(link=link, wants_call=False)
    with pytest.raises(Conflict):
        told_by_link.answer(link=link, wants_call=True)
    assert PatientContact.objects.filter(procedure=case).exclude(outcome="link_sent").count() == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"interpretation": "critical"}, "cannot wait"),
        ({"patient": {"language": "Vietnamese"}}, "no words in the patient's language"),
        ({"patient": {"language": "Spanish"}, "patient_message": "All is well."}, "no words in the patient's language"),
        ({"patient": {"encounter_class": "inpatient"}}, "ward team"),
        ({"patient": {"channels": ()}}, "agreed to no message"),
    ],
)
def test_what_is_no_way_to_tell_is_refused_in_words(given: dict[str, Any], said: str) -> None:
    about = dict(given.pop("patient", {}))
    patient = outreach.patient(*about.pop("channels", ("sms",)), **about)
    case = read_result(patient=patient, **given)
    with pytest.raises(Invalid) as refused:
        told_by_link.send(procedure=case, actor=make.actor())
    assert said in str(refused.value.params["reason"])
    assert not PatientLink.objects.exists()


def test_a_scheduler_sends_nothing() -> None:
    with pytest.raises(NotPermitted):
        told_by_link.send(procedure=read_result(), actor=make.actor(Role.SCHEDULER))


def test_the_letter_is_in_the_patients_language_and_posting_it_is_written_down() -> None:
    case = read_result(patient=outreach.patient(language="Spanish"))
    nurse = Client()
    nurse.force_login(make.user(Role.NURSE))
    address = reverse("followups:tell_letter", args=[case.code])
    page = nurse.get(address).content.decode()
    assert "como debe ser" in page
    assert 'lang="es"' in page
    assert nurse.post(address).status_code == 303
    assert PatientContact.objects.get(procedure=case).outcome == "letter_sent"
    assert untold(case) is not None  # a letter alone is no telling
