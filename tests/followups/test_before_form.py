"""The form before the visit, page by page, as a telephone without a script sees it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clinic import clock
from clinic.errors import Invalid
from clinic.roles import Role
from followups.models import PatientDraft, PatientLink
from followups.models.links import LinkPurpose
from followups.services import before, links
from procedures.domain.reported import Given
from procedures.models import Answer, MedicineEntry, Patient, PatientReport, Procedure
from tests import make

pytestmark = pytest.mark.django_db
HOME = "/p/before/"


class Phone:
    """A browser that has opened the link."""

    def __init__(self, link: PatientLink) -> None:
        self.client, self.link = Client(), link
        birth = link.procedure.patient.birth_date
        gate = reverse("followups:patient_gate", args=[links.token(link)])
        entered = self.client.post(gate, {"month": birth.month, "day": birth.day, "year": birth.year})
        assert entered.status_code == 303 and entered["Location"] == HOME

    def get(self, path: str = HOME, status: int = 200) -> str:
        response = self.client.get(path)
        assert response.status_code == status, response.content.decode()
        return str(response.content.decode())

    def post(self, path: str, **data: Any) -> Any:
        key = re.search(r'name="form_key" value="([^"]+)"', self.get(path))
        assert key is not None
        return self.client.post(path, {"form_key": key[1], **data})

    def answer(self, code: str, **data: Any) -> Any:
        return self.post(f"{HOME}ask/{code}/", **data)


@pytest.fixture
def case() -> Procedure:
    return make.procedure("lumbar_puncture", status="scheduled")


@pytest.fixture
def link(case: Procedure) -> PatientLink:
    return before.offer(actor=make.actor(Role.NURSE), procedure=case)


@pytest.fixture
def phone(link: PatientLink) -> Phone:
    return Phone(link)


def answer_all(phone: Phone) -> None:
    """Everything with its first *no* or *none*."""
    for question in phone.link.procedure.protocol_version.parsed.patient_questions:
        picks = [a.code for a in question.answers if a.code in ("no", "none", "not_pregnant")]
        if picks:
            assert phone.answer(question.code, pick=picks[0]).status_code == 303
    assert phone.answer("stent_or_clot", words="No").status_code == 303


def test_the_answers_arrive_reported_and_the_link_is_spent(phone: Phone, case: Procedure) -> None:
    answer_all(phone)
    phone.answer("latex", pick="yes")
    phone.answer("medicines", pick="some", name_0="Eliquis", more_0="5 mg twice a day", still_0="yes")
    page = phone.get(f"{HOME}check/")
    assert "Eliquis – 5 mg twice a day – I take it now" in page
    assert not Answer.objects.exists(), "nothing is a fact before it is sent"
    assert phone.post(f"{HOME}check/", answered_by="")["Location"] == f"{HOME}sent/"
    assert "We have your answers" in phone.get(f"{HOME}sent/")
    assert not Answer.objects.filter(confirmed=True).exists()
    assert Answer.objects.get(question="latex").value == "yes"
    assert MedicineEntry.objects.get().name == "Eliquis"
    assert PatientReport.objects.get().language == "en"
    phone.get(HOME, status=404)
    assert not PatientDraft.objects.exists()


def test_nothing_is_lost_on_the_way_back(phone: Phone) -> None:
    assert phone.answer("medicines", pick="some", name_0="Aspirin")["Location"] == f"{HOME}ask/supplements/"
    assert 'value="Aspirin"' in phone.get(f"{HOME}ask/medicines/")
    assert "Go on" in phone.get()
    assert "/ask/supplements/" in phone.get()


def test_a_get_changes_nothing(phone: Phone, link: PatientLink) -> None:
    for path in (HOME, f"{HOME}ask/latex/", f"{HOME}check/"):
        phone.get(path)
    assert not PatientDraft.objects.exists() and not PatientReport.objects.exists()
    link.refresh_from_db()
    assert link.spent_at is None


@pytest.mark.parametrize(
    ("code", "data", "said"),
    [
        ("latex", {}, "Please choose an answer"),
        ("latex", {"pick": "perhaps"}, "Please choose an answer from the list"),
        ("medicines", {"pick": "some"}, "Please write at least one below"),
        ("medicines", {"pick": "none", "name_0": "Aspirin"}, "You wrote something in the list"),
        ("medicines", {"pick": "some", "name_0": "", "more_0": "one a day"}, "Please write the name"),
        ("medicines", {"pick": "some", "name_0": "x" * 10_000}, "at most 120 letters"),
        ("stent_or_clot", {"words": "<b>" + "y" * 10_000}, "at most 2000 letters"),
    ],
)
def test_what_cannot_be_is_said_at_its_field_and_what_was_typed_stays(
    phone: Phone, code: str, data: dict[str, str], said: str
) -> None:
    response = phone.answer(code, **data)
    page = response.content.decode()
    assert response.status_code == 422 and said in page
    target = re.search(r'href="#(id_[a-z_0-9]+)"', page)
    assert target is not None and f'id="{target[1]}"' in page
    assert all(
        value[:200].replace("<", "&lt;").replace(">", "&gt;") in page
        for key, value in data.items()
        if value and key != "pick"
    )
    assert not PatientDraft.objects.exists()


def test_more_lines_keep_what_is_there(phone: Phone) -> None:
    response = phone.answer("medicines", name_0="Aspirin", more="1")
    assert response.status_code == 303 and response["Location"].endswith("?lines=6#lines")
    page = phone.get(response["Location"].partition("#")[0])
    assert 'value="Aspirin"' in page and 'name="name_5"' in page and 'name="name_6"' not in page


def test_unanswered_questions_are_marked_and_nothing_is_sent(phone: Phone, link: PatientLink) -> None:
    answer_all(phone)
    draft = PatientDraft.objects.get()
    del draft.data["latex"]
    draft.save(update_fields=["data"])
    response = phone.post(f"{HOME}check/")
    assert response.status_code == 422 and "No answer yet" in response.content.decode()
    link.refresh_from_db()
    assert link.spent_at is None and not PatientReport.objects.exists()


def test_the_story_of_a_bleeding_is_asked_when_there_was_one(phone: Phone) -> None:
    assert phone.answer("bleeding_history", pick="no")["Location"].endswith("/liver_disease/")
    phone.get(f"{HOME}ask/bleeding_detail/", status=303)
    assert phone.answer("bleeding_history", pick="yes")["Location"].endswith("/bleeding_detail/")


def test_from_the_overview_one_comes_back_to_it(phone: Phone) -> None:
    answer_all(phone)
    assert phone.answer("latex", pick="yes", check="1")["Location"] == f"{HOME}check/"
    assert phone.answer("bleeding_history", pick="yes", check="1")["Location"].endswith("/bleeding_detail/")


def test_two_telephones_add_to_one_form_and_one_sends_it(link: PatientLink) -> None:
    first, second = Phone(link), Phone(link)
    answer_all(first)
    second.answer("latex", pick="yes")
    assert before.given_of(link)["latex"] == Given(pick="yes")
    assert first.post(f"{HOME}check/").status_code == 303
    assert second.client.post(f"{HOME}check/").status_code == 404
    assert PatientReport.objects.count() == 1


def test_a_visit_that_has_begun_takes_no_form_and_says_so(phone: Phone, case: Procedure) -> None:
    answer_all(phone)
    case.status = "cancelled"
    case.save(update_fields=["status"])
    response = phone.post(f"{HOME}check/")
    assert response.status_code == 409 and "Please tell them to the nurse" in response.content.decode()
    assert PatientDraft.objects.exists(), "what was typed is still there"


def test_it_speaks_spanish_to_whom_speaks_it(case: Procedure) -> None:
    Patient.objects.filter(pk=case.patient_id).update(language="Spanish")
    case.patient.refresh_from_db()
    phone = Phone(before.offer(actor=make.actor(Role.NURSE), procedure=case))
    page = phone.get(f"{HOME}ask/latex/")
    assert '<html lang="es">' in page and "¿Ha tenido alguna vez una reacción al látex?" in page


def test_the_same_link_is_offered_while_it_is_open(case: Procedure, link: PatientLink) -> None:
    nurse = make.actor(Role.NURSE)
    assert before.offer(actor=nurse, procedure=case) == link
    links.spend(link, clock.now())
    assert before.offer(actor=nurse, procedure=case) != link


@pytest.mark.parametrize(
    "why",
    [{"deceased_at": clock.now() - timedelta(days=1)}, {"encounter_class": "inpatient"}],
    ids=["deceased", "inpatient"],
)
def test_nobody_who_has_died_or_lies_on_a_ward_is_sent_a_form(case: Procedure, why: dict[str, Any]) -> None:
    Patient.objects.filter(pk=case.patient_id).update(**why)
    case.patient.refresh_from_db()
    with pytest.raises(Invalid):
        before.offer(actor=make.actor(Role.NURSE), procedure=case)
    assert not PatientLink.objects.filter(purpose=LinkPurpose.BEFORE).exists()
