"""The patient's own pages: what the gate says and hides, and what the form does with bad input."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from clinic import clock
from clinic.roles import Role
from followups.domain.kinds import Kind
from followups.models import FollowUp, PatientLink, SymptomCheck
from followups.services import links, slow_down, symptom_reports
from followups.views import patient_page
from procedures.models import Patient, Procedure
from tests import make
from tests.views.test_role_matrix import BACKEND

pytestmark = pytest.mark.django_db

BORN = {"month": "5", "day": "17", "year": "1984"}
KEY = re.compile(r'name="form_key" value="([^"]+)"')
START = "/p/you/"


@pytest.fixture(autouse=True)
def no_tries() -> None:
    """Nobody has guessed from this address."""
    cache.clear()


@pytest.fixture
def link() -> PatientLink:
    return link_of("lumbar_puncture", 24)


def link_of(code: str, hours: float, about: str = "day_1", **patient: Any) -> PatientLink:
    procedure = make.procedure(
        code, status="completed", starts=clock.now() - timedelta(hours=hours), patient=make.patient(**patient)
    )
    return links.issue(procedure=procedure, purpose="symptoms", about=about)


def gate(link: PatientLink) -> str:
    return reverse("followups:patient_gate", args=[links.token(link)])


class Phone(Client):
    """A browser that has opened a link."""

    def open(self, link: PatientLink) -> Phone:
        answer = self.post(gate(link), BORN)
        assert (answer.status_code, answer["Location"]) == (303, START)
        return self

    def send(self, path: str, **data: str) -> Any:
        """Fill in the form of a page; what it leads to is followed."""
        key = KEY.search(self.get(path).content.decode())
        assert key is not None
        return self.post(path, {"form_key": key[1], **data}, follow=True)

    def answer(self, question: str, answer: str) -> Any:
        return self.send(f"{START}{question}/", answer=answer)


def text(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


# --- the gate ---------------------------------------------------------------------------------------------------------


def test_the_gate_says_911_first_and_nothing_about_anybody(link: PatientLink) -> None:
    page = Client().get(gate(link))
    words = text(page)
    assert page.status_code == 200
    assert words.index("call 911 now") < words.index("birth date")
    assert settings.CLINIC_PHONE_24H in words
    for word in ("Ada", "Zimmermann", "1984", "lumbar", "puncture", "spinal", "symptom", "headache"):
        assert word.casefold() not in words.casefold(), word
    title = re.search(r"<title>(.*?)</title>", page.content.decode())
    assert title is not None and title[1] == settings.CLINIC_NAME
    assert "og:" not in page.content.decode() and "<script" not in page.content.decode()


def test_no_page_of_a_patient_leaves_a_trace(link: PatientLink) -> None:
    phone = Phone().open(link)
    for page in (Client().get(gate(link)), phone.get(START), Client().get("/p/guess.ed/")):
        assert page["Cache-Control"] == "no-store, private"
        assert page["Referrer-Policy"] == "no-referrer"
        assert "noindex" in page["X-Robots-Tag"]
        assert "default-src 'none'" in page["Content-Security-Policy"]
        assert "unsafe" not in page["Content-Security-Policy"] and "script-src" not in page["Content-Security-Policy"]


def test_looking_changes_nothing_and_sets_no_cookie(link: PatientLink) -> None:
    """A mail scanner, a preview and a prefetching browser open the address as often as they like."""
    scanner = Client()
    before = PatientLink.objects.filter(pk=link.pk).values().get()
    for _ in range(3):
        scanner.get(gate(link))
        scanner.head(gate(link))
    assert PatientLink.objects.filter(pk=link.pk).values().get() == before
    assert not scanner.cookies


def test_the_right_birth_date_opens_with_one_cookie_alone(link: PatientLink) -> None:
    phone = Phone().open(link)
    page = phone.send(START, relation="self")
    assert page.redirect_chain[-1][0] == f"{START}legs/"
    assert set(phone.cookies) == {settings.SESSION_COOKIE_NAME}
    link.refresh_from_db()
    assert link.opened_at and not link.spent_at


def test_the_cookie_ends_with_the_browser_and_the_page_after_an_idle_hour(link: PatientLink) -> None:
    phone = Phone().open(link)
    cookie = phone.cookies[settings.SESSION_COOKIE_NAME]
    assert (cookie["max-age"], cookie["expires"]) == ("", "")
    assert phone.get(START).status_code == 200
    session = phone.session
    session[patient_page.SEEN] -= patient_page.IDLE + 1
    session.save()
    assert phone.get(START).status_code == 404


@pytest.mark.parametrize(
    "born", [{"month": "5", "day": "18", "year": "1984"}, {"month": "17", "day": "5", "year": "1984"},
             {"month": "", "day": "", "year": ""}, {"month": "5", "day": "17", "year": "84"},
             {"month": "<b>", "day": "'", "year": "٠٠٠٠"}, {"month": "2", "day": "30", "year": "1984"}]
)  # fmt: skip
def test_another_birth_date_reveals_nothing(link: PatientLink, born: dict[str, str]) -> None:
    page = Client().post(gate(link), born)
    assert page.status_code == 422
    assert "Zimmermann" not in text(page) and "1984</" not in page.content.decode()
    assert not page.cookies


def test_ten_wrong_birth_dates_lock_the_link_and_ask_somebody_to_call(link: PatientLink) -> None:
    wrong = {**BORN, "day": "18"}
    said = [Client().post(gate(link), wrong) for _ in range(9)]
    assert {text(page) for page in said} == {text(said[0])}
    last = Client().post(gate(link), wrong)
    assert (last.status_code, Client().post(gate(link), BORN).status_code) == (404, 404)
    promise = FollowUp.objects.get(procedure=link.procedure, kind=Kind.CALL_SILENT)
    assert promise.about["locked"] and promise.start_at <= clock.now()


def test_nine_wrong_ones_and_a_right_one_begin_to_count_anew(link: PatientLink) -> None:
    for _ in range(2):
        for _ in range(9):
            Client().post(gate(link), {**BORN, "day": "18"})
        Phone().open(link)


def ended(how: str, link: PatientLink) -> str:
    token = links.token(link)
    now = clock.now()
    rows = PatientLink.objects.filter(pk=link.pk)
    if how == "altered":
        return f"/p/{token[:-1]}{'A' if token[-1] != 'A' else 'B'}/"
    if how == "guessed":
        return "/p/" + "x" * 22 + "." + "y" * 22 + "/"
    if how == "expired":
        old = links.issue(procedure=link.procedure, purpose="symptoms", now=now - timedelta(hours=73))
        return gate(old)
    if how == "dead":
        Patient.objects.filter(pk=link.procedure.patient_id).update(deceased_at=now)
    if how == "mistake":
        Procedure.objects.filter(pk=link.procedure_id).update(status="entered_in_error")
    if how in {"spent", "locked", "withdrawn"}:
        rows.update(**{f"{how}_at": now})
    return gate(link)


@pytest.mark.parametrize("how", ["altered", "guessed", "expired", "spent", "locked", "withdrawn", "dead", "mistake"])
def test_what_cannot_be_used_any_more_all_looks_alike(link: PatientLink, how: str) -> None:
    path = ended(how, link)
    for page in (Client().get(path), Client().post(path, BORN)):
        assert page.status_code == 404
        assert text(page) == text(Client().get("/p/no.thing/"))
        assert settings.CLINIC_PHONE_24H in text(page) and "911" in text(page)


def test_a_guesser_waits_and_everybody_behind_the_same_address_only_for_minutes(
    link: PatientLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_down, "WRONG", 3)
    for _ in range(3):
        assert Client().get("/p/no.thing/").status_code == 404
    page = Client().get(gate(link))
    assert page.status_code == 429 and "ten minutes" in text(page)
    assert Client().get(gate(link), REMOTE_ADDR="10.9.8.7").status_code == 200


def test_no_refusal_writes_the_address_into_the_log(link: PatientLink, caplog: pytest.LogCaptureFixture) -> None:
    Client().post(gate(link), {**BORN, "day": "18"})
    PatientLink.objects.filter(pk=link.pk).update(spent_at=clock.now())
    Client().get(gate(link))
    written = " ".join(record.getMessage() for record in caplog.records)
    assert links.token(link) not in written and link.code not in written


def test_a_birth_date_that_two_patients_share_opens_each_link_to_its_own_case(link: PatientLink) -> None:
    other = link_of("paracentesis", 24)
    assert "legs" in Phone().open(link).send(START, relation="self").redirect_chain[-1][0]
    assert "belly_pain" in Phone().open(other).send(START, relation="self").redirect_chain[-1][0]


def test_the_staff_and_a_patient_never_share_a_session(link: PatientLink) -> None:
    nurse = make.user(Role.NURSE)
    phone = Phone()
    phone.force_login(nurse, backend=BACKEND)
    assert "logs them out" in text(phone.get(gate(link)))
    phone.open(link)
    assert phone.get(START).status_code == 200
    assert phone.get(reverse("followups:chase")).status_code == 302
    phone.force_login(nurse, backend=BACKEND)
    assert phone.get(START).status_code == 404


# --- the form ---------------------------------------------------------------------------------------------------------


def test_the_first_danger_sign_stops_the_questions_and_alarms_the_clinic(link: PatientLink) -> None:
    phone = Phone().open(link)
    phone.send(START, relation="caregiver")
    page = phone.answer("legs", "weak_or_numb")
    assert page.redirect_chain[-1][0] == f"{START}legs/now/"
    assert "Call 911 now" in text(page)
    promise = FollowUp.objects.get(procedure=link.procedure, kind=Kind.DANGER_SIGN)
    report = SymptomCheck.objects.get()
    assert (promise.level, report.outcome, report.relation) == ("critical", "begun", "caregiver")
    assert phone.send(f"{START}legs/now/").redirect_chain[-1][0] == f"{START}bladder_bowel/"


def test_tier_b_says_who_to_call_and_without_a_number_where_to_go(link: PatientLink, settings: Any) -> None:
    phone = Phone().open(link)
    assert f"Call {settings.CLINIC_PHONE_24H}" in text(phone.answer("site", "inflamed"))
    settings.CLINIC_PHONE_24H = ""
    assert "urgent care" in text(phone.get(f"{START}site/now/"))


def test_nothing_chosen_is_said_and_markup_is_only_text(link: PatientLink) -> None:
    phone = Phone().open(link)
    for answer in ("", "<script>", "weak_or_numb\x00"):
        page = phone.answer("legs", answer)
        assert page.status_code == 422 and "Please choose one answer." in text(page)
    assert not SymptomCheck.objects.filter(answers__isnull=False).exists()
    assert phone.get(f"{START}headache_of_somebody/").status_code == 404


def test_going_back_refreshing_and_two_telephones_lose_nothing(link: PatientLink) -> None:
    one, two = Phone().open(link), Phone().open(link)
    one.answer("legs", "normal")
    two.answer("bladder_bowel", "no")
    one.answer("legs", "normal")
    two.answer("legs", "ache_only")
    report = SymptomCheck.objects.get()
    assert symptom_reports.answers_of(report) == {"legs": "ache_only", "bladder_bowel": "no"}
    page = one.get(f"{START}bladder_bowel/")
    assert "This is common after a spinal tap" in text(page)
    assert 'value="no" checked' in page.content.decode()


def answer_everything(phone: Phone, **signs: str) -> Any:
    """Until the last page: the first answer of each question, but for the signs."""
    page = phone.send(START, relation="self")
    while "/last/" not in (path := page.redirect_chain[-1][0]):
        question = path.removeprefix(START).strip("/")
        if question.endswith("/now"):
            page = phone.send(path)
            continue
        first = re.search(r'type="radio" name="answer" id="answer-1" value="(\w+)"', page.content.decode())
        assert first is not None
        page = phone.answer(question, signs.get(question, first[1]))
    return page


def test_the_end_says_what_was_answered_and_what_happens_next(link: PatientLink) -> None:
    phone = Phone().open(link)
    page = answer_everything(phone, headache="postural")
    assert "worse sitting or standing" in text(page)
    page = phone.send(f"{START}last/", words="<i>I live alone</i>")
    assert page.redirect_chain[-1][0] == f"{START}done/"
    words = text(page)
    assert "A nurse calls you within a day." in words and "within 4 hours" in words
    assert settings.CLINIC_PHONE_24H in words and "Call our 24-hour number if" in words
    assert Client().get(gate(link)).status_code == 404  # used up for everybody else
    assert phone.get(f"{START}done/").status_code == 200
    report = SymptomCheck.objects.get()
    assert (report.outcome, report.worst_tier, report.note) == ("answered", "C", "<i>I live alone</i>")
    nora = Client()
    nora.force_login(make.user(Role.NURSE), backend=BACKEND)
    shown = nora.get(reverse("followups:report", args=[link.procedure.code, report.pk])).content.decode()
    assert "&lt;i&gt;I live alone&lt;/i&gt;" in shown and "tier C: same day" in shown


def test_too_many_words_stay_on_the_page(link: PatientLink) -> None:
    phone = Phone().open(link)
    answer_everything(phone)
    page = phone.send(f"{START}last/", words="z" * 10_001)
    assert page.status_code == 422 and "z" * 10_001 in page.content.decode()


def test_a_sign_is_heard_after_the_end_and_after_the_time_of_the_link(link: PatientLink) -> None:
    phone, slow = Phone().open(link), Phone().open(link)
    answer_everything(phone)
    phone.send(f"{START}last/", words="")
    assert "Call 911 now" in text(slow.answer("sudden", "yes"))
    assert FollowUp.objects.filter(procedure=link.procedure, kind=Kind.DANGER_SIGN, closed_at=None).count() == 1


def test_a_form_that_was_not_made_for_this_browser_is_not_taken(link: PatientLink) -> None:
    phone = Phone().open(link)
    for key in ({}, {"form_key": ""}, {"form_key": "x"}):
        assert phone.post(f"{START}legs/", {"answer": "normal", **key}).status_code == 404
    assert not SymptomCheck.objects.exists()


def test_who_has_died_or_whose_link_was_taken_back_is_asked_nothing_more(link: PatientLink) -> None:
    phone = Phone().open(link)
    links.withdraw(procedure=link.procedure, now=clock.now())
    assert phone.get(f"{START}legs/").status_code == 404


def test_every_page_and_all_that_belongs_to_it_is_small(link: PatientLink) -> None:
    """Less than 100 kB with every file, uncompressed, and none from elsewhere."""
    phone = Phone().open(link)
    answer_everything(phone, legs="weak_or_numb", headache="postural")
    pages = [Client().get(gate(link)), Client().get("/p/no.thing/")]
    pages += [phone.get(START + page) for page in ("", "legs/", "site/", "legs/now/", "last/")]
    phone.send(f"{START}last/", words="w" * 2000)
    pages.append(phone.get(f"{START}done/"))
    for page in pages:
        html = page.content.decode()
        files = re.findall(r'(?:href|src)="/static/([^"]+)"', html)
        assert len(files) == 2 and "//" not in re.sub(r"http://testserver", "", " ".join(files))
        weight = len(page.content) + sum((settings.BASE_DIR / "static" / name).stat().st_size for name in files)
        assert weight < 100_000, weight
        assert not re.search(r'(?:href|src|action)="https?:', html)
