"""The checklist's pages: plain forms first, then the quick way; what was typed is never lost."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clinic import clock
from clinic.actor import Actor
from clinic.models import AuditEntry, User
from clinic.roles import Role
from procedures.domain.answers import Entry
from procedures.models import AllergyEntry, Answer, ChecklistDraft, MedicineEntry, Procedure, StageSignature
from procedures.selectors import checklists as selectors
from procedures.services import checklist_rows, checklists, holds
from tests import make
from tests.checklist_answers import fill, fill_and_sign

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def case() -> Procedure:
    return make.procedure("paracentesis", status="scheduled")


@pytest.fixture
def nurse() -> User:
    return make.user(Role.NURSE, full_name="Nora Nurse")


@pytest.fixture
def web(client: Client, nurse: User) -> Client:
    client.force_login(nurse)
    return client


def url(case: Procedure, name: str = "checklist", *more: Any, stage: str = "") -> str:
    return reverse(f"procedures:{name}", args=[case.code, *more]) + (f"?stage={stage}" if stage else "")


def post(web: Client, case: Procedure, stage: str = "pre_visit", **fields: str) -> Any:
    data = {name.replace("__", "-"): value for name, value in fields.items()}
    return web.post(url(case), {"stage": stage, "do": "save", **data})


def current(code: str) -> Answer:
    return Answer.objects.get(question=code, superseded_by__isnull=True)


def fields_of(html: str) -> dict[str, str]:
    """What a browser without a script would send back from the page's form."""
    sent: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", html):
        named = re.search(r'name="([^"]+)"', tag)
        value = re.search(r'value="([^"]*)"', tag)
        kind = re.search(r'type="([^"]+)"', tag)
        if named is None or (kind and kind[1] in ("radio", "checkbox") and "checked" not in tag):
            continue
        sent[named[1]] = value[1] if value else ""
    for name in re.findall(r'<select name="([^"]+)"', html):
        sent[name] = ""
    sent.pop("csrfmiddlewaretoken", None)
    return sent


def test_a_checklist_nobody_has_begun_says_so_once_and_lists_nothing_missing(web: Client, case: Procedure) -> None:
    html = web.get(url(case)).content.decode()
    assert html.lower().count("not asked yet") == 2  # the patient's banner says it of allergies
    assert "Still open before it can be signed" not in html
    assert "q--open" not in html
    assert not case.checklists.exists()


def test_a_stage_shows_its_groups_and_marks_what_is_asked_alone(web: Client, case: Procedure) -> None:
    html = web.get(url(case, stage="pre_visit")).content.decode()
    for group in ("Medicines", "Allergies", "Pregnancy", "Bleeding"):
        assert f">{group}</h2>" in html
    assert "Ask alone" in html
    assert 'type="radio"' in html


def test_reading_the_page_is_written_down_whatever_the_request_calls_itself(web: Client, case: Procedure) -> None:
    web.get(url(case))
    web.get(url(case), headers={"X-Refresh": "1"})
    assert AuditEntry.objects.filter(action="chart.read", patient_id=case.patient_id).count() == 2


def test_a_plain_form_saves_and_comes_back_to_its_stage(web: Client, case: Procedure, nurse: User) -> None:
    response = post(web, case, **{"q-latex-pick": "=no", "q-liver_disease-pick": "unknown"})
    assert response.status_code == 303
    assert "stage=pre_visit" in response["Location"]
    assert (current("latex").value, current("latex").answered_by) == ("no", nurse)
    html = web.get(response["Location"]).content.decode()
    assert "Saved" in html
    assert "Nora Nurse" in html


def test_sending_the_page_back_unchanged_writes_nothing(web: Client, case: Procedure, nurse: User) -> None:
    fill(case, Actor.person(nurse), "pre_visit")
    count = Answer.objects.count()
    html = web.get(url(case, stage="pre_visit")).content.decode()
    response = web.post(url(case), {**fields_of(html), "do": "save"})
    assert response.status_code == 303
    assert Answer.objects.count() == count


def test_what_cannot_be_an_answer_stays_on_the_page_and_the_rest_is_saved(web: Client, case: Procedure) -> None:
    response = post(
        web, case, **{"q-latex-pick": "=no", "q-kidney_disease-pick": "not_applicable", "q-kidney_disease-note": ""}
    )
    html = response.content.decode()
    assert response.status_code == 422
    assert "Say why, in the note." in html
    assert 'href="#w-kidney_disease"' in html
    assert re.search(r'value="not_applicable" checked', html)
    assert current("latex").value == "no"
    again = web.get(url(case, stage="pre_visit")).content.decode()
    assert re.search(r'id="q-kidney_disease_\d+" value="not_applicable" checked', again)
    assert "not an answer yet" in again


def test_a_number_that_is_none_is_shown_as_it_was_typed(web: Client, case: Procedure) -> None:
    post(web, case, **{"q-bleeding_trigger-pick": "=yes"})
    response = post(web, case, **{"q-inr-value": "about 1.2 <b>", "q-inr-base": ""})
    html = response.content.decode()
    assert response.status_code == 422
    assert 'value="about 1.2 &lt;b&gt;"' in html
    assert "is not a number" in html


def test_somebody_elses_answer_is_shown_beside_mine_and_i_choose(web: Client, case: Procedure) -> None:
    other = make.user(Role.NURSE, full_name="Otto Other")
    checklists.save_answers(
        actor=Actor.person(other), procedure=case, entries={"latex": Entry(pick="=yes", note="gloves")}
    )
    theirs = current("latex")
    response = post(web, case, **{"q-latex-pick": "=no", "q-latex-base": "", "q-liver_disease-pick": "=no"})
    html = response.content.decode()
    assert response.status_code == 409
    assert "Yours, not saved" in html
    assert "Otto Other" in html
    assert "Yes: gloves" in html
    assert current("latex") == theirs
    assert current("liver_disease").value == "no"
    unresolved = web.post(url(case), {**fields_of(html), "do": "save"})
    assert unresolved.status_code == 409
    kept = web.post(url(case), {**fields_of(html), "q-latex-keep": "theirs", "do": "save"})
    assert kept.status_code == 303
    assert current("latex") == theirs
    mine = web.post(url(case), {**fields_of(html), "q-latex-keep": "mine", "do": "save"})
    assert mine.status_code == 303
    assert (current("latex").value, current("latex").supersedes) == ("no", theirs)


def test_a_line_is_added_without_a_script_and_what_else_was_typed_is_saved(web: Client, case: Procedure) -> None:
    response = post(
        web, case, do="add:medicines", **{
            "q-latex-pick": "=no", "medicines-name": "Apixaban", "medicines-status": "stopped",
            "medicines-last_dose_date": "2020-01-02", "medicines-last_dose_time": "08:00",
            "medicines-thins_blood": "yes",
        },
    )  # fmt: skip
    assert response.status_code == 303
    assert response["Location"].endswith("#w-medicines")
    row = MedicineEntry.objects.get()
    assert (row.name, row.thins_blood, row.status) == ("Apixaban", True, "stopped")
    assert current("latex").value == "no"
    assert "Add another" in web.get(response["Location"]).content.decode()


def test_a_line_that_was_typed_is_added_by_any_button(web: Client, case: Procedure) -> None:
    post(web, case, **{"allergies-substance": "Latex", "allergies-severity": "anaphylaxis"})
    assert AllergyEntry.objects.get().substance == "Latex"


def test_a_stopped_medicine_without_its_last_dose_is_shown_again(web: Client, case: Procedure) -> None:
    response = post(web, case, do="add:medicines", **{"medicines-name": "Warfarin", "medicines-status": "stopped"})
    html = response.content.decode()
    assert response.status_code == 422
    assert 'value="Warfarin"' in html
    assert "needs the date and time of its last dose" in html
    assert not MedicineEntry.objects.exists()


def test_takes_none_with_lines_is_refused_beside_the_question(web: Client, case: Procedure, nurse: User) -> None:
    checklist_rows.add_medicine(actor=Actor.person(nurse), procedure=case, name="Aspirin", status="ongoing")
    base = str(current("medicines").pk)
    response = post(web, case, **{"q-medicines-pick": "none", "q-medicines-base": base})
    assert response.status_code == 422
    assert "There are lines below" in response.content.decode()


def test_a_line_after_takes_none_needs_the_word_that_it_was_wrong(web: Client, case: Procedure) -> None:
    post(web, case, **{"q-medicines-pick": "none"})
    line = {"medicines-name": "Aspirin", "medicines-status": "ongoing"}
    refused = post(web, case, **line)
    assert refused.status_code == 422
    assert "medicines-instead" in refused.content.decode()
    assert post(web, case, **line, **{"medicines-instead": "1"}).status_code == 303
    assert MedicineEntry.objects.get().name == "Aspirin"


def test_a_line_is_changed_and_taken_off_on_its_own_page(web: Client, case: Procedure, nurse: User) -> None:
    row = checklist_rows.add_medicine(actor=Actor.person(nurse), procedure=case, name="Aspirin", status="ongoing")
    page = url(case, "checklist_row", "medicines", row.pk)
    assert "Aspirin" in web.get(page).content.decode()
    assert web.post(page, {"medicines-name": "", "medicines-status": "ongoing"}).status_code == 422
    changed = web.post(page, {"medicines-name": "Aspirin 81 mg", "medicines-status": "ongoing"})
    assert changed.status_code == 303
    new = MedicineEntry.objects.get(superseded_by__isnull=True)
    assert new.name == "Aspirin 81 mg"
    off = url(case, "checklist_row_withdraw", "medicines", new.pk)
    assert web.post(off, {"reason": ""}).status_code == 422
    assert web.post(off, {"reason": "not this patient's"}).status_code == 303
    assert not selectors.rounds([case])[case.pk].medicines


def test_a_line_somebody_changed_first_is_a_conflict_with_both(web: Client, case: Procedure, nurse: User) -> None:
    other = Actor.person(make.user(Role.NURSE, full_name="Otto Other"))
    row = checklist_rows.add_medicine(actor=other, procedure=case, name="Aspirin", status="ongoing")
    checklist_rows.change_medicine(
        actor=other, procedure=case, pk=row.pk, name="Aspirin", status="ongoing", dose="81 mg"
    )
    page = url(case, "checklist_row", "medicines", row.pk)
    response = web.post(page, {"medicines-name": "Aspirin", "medicines-dose": "325 mg", "medicines-status": "ongoing"})
    html = response.content.decode()
    assert response.status_code == 409
    assert "325 mg" in html
    assert "81 mg" in html
    assert "Otto Other" in html


def test_a_line_of_another_case_is_not_found(web: Client, case: Procedure, nurse: User) -> None:
    row = checklist_rows.add_medicine(
        actor=Actor.person(nurse), procedure=make.procedure(), name="Aspirin", status="ongoing"
    )
    assert web.get(url(case, "checklist_row", "medicines", row.pk)).status_code == 404
    assert web.get(url(case, "checklist_row", "prices", row.pk)).status_code == 404
    assert web.get(url(case, "checklist_row_new", "prices")).status_code == 404


def test_one_change_is_saved_as_one_goes_with_the_pieces_that_follow(web: Client, case: Procedure) -> None:
    response = web.post(
        url(case, "checklist_save"),
        {"stage": "pre_visit", "only": "bleeding_history", "q-bleeding_history-pick": "=yes", "q-latex-pick": "=yes"},
        headers=HTMX,
    )
    html = response.content.decode()
    assert response.status_code == 200
    assert "<html" not in html
    assert re.search(r"Saved \d\d:\d\d", html)
    assert "What happened?" in html  # the question that follows from it
    assert 'id="sign"' in html
    assert f'name="q-bleeding_history-base" value="{current("bleeding_history").pk}"' in html
    assert not Answer.objects.filter(question="latex").exists()


def test_the_quick_way_shows_a_clash_in_place_of_the_question(web: Client, case: Procedure) -> None:
    other = make.actor(Role.NURSE)
    checklists.save_answers(actor=other, procedure=case, entries={"latex": Entry(pick="=yes")})
    sent = {"stage": "pre_visit", "only": "latex", "q-latex-pick": "=no", "q-latex-base": ""}
    response = web.post(url(case, "checklist_save"), sent, headers=HTMX)
    assert response.status_code == 409
    assert response["HX-Retarget"] == "#w-latex"
    assert other.name in response.content.decode()
    now = str(current("latex").pk)
    chosen = {**sent, "q-latex-keep": "mine", "q-latex-now": now}
    assert web.post(url(case, "checklist_save"), chosen, headers=HTMX).status_code == 200
    assert current("latex").value == "no"


def test_the_quick_way_keeps_what_is_not_an_answer_as_a_draft(web: Client, case: Procedure) -> None:
    sent = {"stage": "pre_visit", "only": "reach", "q-reach-note": "asks her daughter"}
    response = web.post(url(case, "checklist_save"), sent, headers=HTMX)
    assert response.status_code == 422
    assert "Kept as a draft" in response.content.decode()
    assert ChecklistDraft.objects.get().data["reach"]["note"] == "asks her daughter"


def test_a_line_is_inserted_at_once_and_the_next_one_is_offered(web: Client, case: Procedure) -> None:
    sent = {"stage": "pre_visit", "medicines-name": "Aspirin", "medicines-status": "ongoing"}
    response = web.post(url(case, "checklist_row_new", "medicines"), sent, headers=HTMX)
    html = response.content.decode()
    assert response.status_code == 200
    assert "<strong>Aspirin</strong>" in html
    assert 'name="medicines-name"' in html
    assert 'value="Aspirin"' not in html
    refused = web.post(url(case, "checklist_row_new", "medicines"), {"stage": "pre_visit"}, headers=HTMX)
    assert refused.status_code == 422


def test_what_still_holds_is_confirmed_one_by_one_or_by_group(web: Client, case: Procedure, nurse: User) -> None:
    actor = Actor.person(nurse)
    fill(case, actor, "pre_visit")
    checklists.reopen(actor=actor, procedure=case, reason="next tap", number=1)
    html = web.get(url(case, stage="pre_visit")).content.decode()
    assert "To confirm" in html
    assert "Nothing has changed: confirm" in html
    web.post(url(case), {**fields_of(html), "do": "group:allergies"})
    states = {q.question.code: q.status for q in selectors.state_of(case, clock.now()).questions}
    assert (states["latex"], states["liver_disease"], states["medicines"]) == ("complete", "to_confirm", "to_confirm")
    web.post(url(case), {**fields_of(html), "do": "same:medicines"})
    states = {q.question.code: q.status for q in selectors.state_of(case, clock.now()).questions}
    assert states["medicines"] == "complete"


def test_a_stage_is_signed_over_what_was_on_the_screen(web: Client, case: Procedure, nurse: User) -> None:
    fill(case, Actor.person(nurse), "pre_visit")
    html = web.get(url(case, stage="pre_visit")).content.decode()
    changed = web.post(url(case), {**fields_of(html), "q-latex-pick": "=yes", "do": "sign"})
    assert changed.status_code == 303
    assert not StageSignature.objects.exists()
    html = web.get(changed["Location"]).content.decode()
    signed = web.post(url(case), {**fields_of(html), "do": "sign"})
    assert signed.status_code == 303
    assert StageSignature.objects.get().signed_by == nurse


def test_signing_too_early_says_what_is_missing(web: Client, case: Procedure) -> None:
    response = post(web, case, do="sign", **{"q-latex-pick": "=no"})
    assert response.status_code == 303  # saved first, seen next
    html = web.get(url(case, stage="pre_visit")).content.decode()
    response = web.post(url(case), {**fields_of(html), "do": "sign"})
    assert response.status_code == 422
    assert "cannot be signed yet" in response.content.decode()
    assert 'href="#w-liver_disease"' in response.content.decode()


def test_signing_over_answers_that_changed_is_a_conflict(web: Client, case: Procedure, nurse: User) -> None:
    fill(case, Actor.person(nurse), "pre_visit")
    page = url(case, "checklist_sign", "pre_visit")
    seen = fields_of(web.get(page).content.decode())["seen"]
    base = current("latex").pk
    checklists.save_answers(
        actor=make.actor(Role.NURSE), procedure=case, entries={"latex": Entry(pick="=yes", base=base)}
    )
    assert web.post(page, {"seen": seen}).status_code == 409
    seen = fields_of(web.get(page).content.decode())["seen"]
    assert web.post(page, {"seen": seen}).status_code == 303
    assert StageSignature.objects.count() == 1


def test_a_nurse_cannot_sign_for_the_operator(web: Client, case: Procedure, nurse: User) -> None:
    fill(case, Actor.person(nurse), "consent")
    html = web.get(url(case, stage="consent")).content.decode()
    assert 'value="sign"' not in html
    assert "Signed by: physician" in html
    assert web.post(url(case, "checklist_sign", "consent")).status_code == 403
    assert web.get(url(case, "checklist_sign", "nothing")).status_code == 404


def test_a_new_round_is_begun_with_a_reason(web: Client, case: Procedure, nurse: User) -> None:
    fill_and_sign(case, Actor.person(nurse), "pre_visit")
    page = url(case, "checklist_reopen")
    assert web.post(page, {"number": "1", "reason": ""}).status_code == 422
    assert web.post(page, {"number": "1", "reason": "moved by a week"}).status_code == 303
    assert web.post(page, {"number": "1", "reason": "moved by a week"}).status_code == 409
    assert case.checklists.count() == 2


def test_the_paper_shows_every_stage_with_answers_and_room_to_write(web: Client, case: Procedure, nurse: User) -> None:
    fill_and_sign(case, Actor.person(nurse), "pre_visit")
    html = web.get(url(case, "checklist_print")).content.decode()
    for label in ("Before the visit", "Consent", "Sign-in", "Time-out", "Sign-out"):
        assert label in html
    assert "Takes none" in html
    assert "Not signed. Name, time:" in html
    assert "<input" not in html.split("<main")[1].split("</main")[0]


PAGES = ("checklist", "checklist_print", "holds")


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(
    ("role", "status"),
    [
        (Role.NURSE, 200),
        (Role.PHYSICIAN, 200),
        (Role.DIRECTOR, 200),
        (Role.SCHEDULER, 404),
        (Role.ADMINISTRATOR, 404),
    ],
)
def test_who_may_read(client: Client, case: Procedure, name: str, role: Role, status: int) -> None:
    client.force_login(make.user(role))
    assert client.get(url(case, name)).status_code == status


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("checklist", ()),
        ("checklist_save", ()),
        ("checklist_sign", ("pre_visit",)),
        ("checklist_reopen", ()),
        ("checklist_row_new", ("medicines",)),
        ("checklist_row", ("medicines", 1)),
        ("checklist_row_withdraw", ("medicines", 1)),
        ("holds", ()),
        ("hold_restart", (1,)),
        ("hold_told", (1,)),
        ("hold_due", (1,)),
        ("hold_withdraw", (1,)),
    ],
)
@pytest.mark.parametrize(("role", "status"), [(Role.DIRECTOR, 403), (Role.SCHEDULER, 404), (Role.ADMINISTRATOR, 404)])
def test_who_may_not_change(
    client: Client, case: Procedure, name: str, more: tuple[Any, ...], role: Role, status: int
) -> None:
    client.force_login(make.user(role))
    assert client.post(url(case, name, *more), {"q-latex-pick": "=no"}).status_code == status
    assert not Answer.objects.exists()


def test_a_director_reads_answers_without_fields(client: Client, case: Procedure, nurse: User) -> None:
    checklist_rows.add_allergy(actor=Actor.person(nurse), procedure=case, substance="Latex", severity="anaphylaxis")
    client.force_login(make.user(Role.DIRECTOR))
    html = client.get(url(case, stage="pre_visit")).content.decode().split("<main")[1].split("</main")[0]
    assert "Latex" in html
    assert 'type="radio"' not in html
    assert "hx-post" not in html


def test_a_held_medicine_from_the_list_to_its_restart(web: Client, nurse: User) -> None:
    case = make.procedure(status="arrived", arrived_at=clock.now())
    row = checklist_rows.add_medicine(
        actor=Actor.person(nurse), procedure=case, name="Apixaban", status="ongoing", thins_blood=True
    )
    html = web.get(url(case, "holds") + f"?medicine={row.pk}").content.decode()
    assert 'value="Apixaban"' in html
    sent = {"ingredient": "Apixaban", "decided_by": case.responsible_id, "planned_last_dose_date": "2026-11-20"}
    half = web.post(url(case, "holds"), sent)
    assert half.status_code == 422
    assert "The time of day is needed too." in half.content.decode()
    assert web.post(url(case, "holds"), {**sent, "planned_last_dose_time": "08:00"}).status_code == 303
    hold = case.holds.get()
    restart = url(case, "hold_restart", hold.pk)
    early = web.post(restart, {"decision": "not_restarted", "reason": "stopped for good"})
    assert early.status_code == 422
    assert "The needle is still to come" in early.content.decode()
    Procedure.objects.filter(pk=case.pk).update(status="in_progress", started_at=clock.now())
    empty = web.post(restart, {"decision": "not_restarted", "reason": ""})
    assert empty.status_code == 422
    assert web.post(restart, {"decision": "not_restarted", "reason": "stopped for good"}).status_code == 303
    assert "stopped for good" in web.get(url(case, "holds")).content.decode()
    assert web.post(url(case, "hold_due", hold.pk)).status_code == 403


def test_restarted_needs_its_time_and_not_one_to_come(web: Client, nurse: User) -> None:
    case = make.procedure(status="completed")
    hold = holds.hold(actor=Actor.person(nurse), procedure=case, ingredient="warfarin", decided_by=case.responsible)
    page = url(case, "hold_restart", hold.pk)
    assert "warfarin" in web.get(page).content.decode()
    assert web.post(page, {"decision": "restarted"}).status_code == 422
    later = {"decision": "restarted", "at_date": "2199-01-01", "at_time": "08:00"}
    assert "This lies in the future." in web.post(page, later).content.decode()
    done = web.post(page, {"decision": "restarted", "at_date": "2020-01-01", "at_time": "08:00"})
    assert done.status_code == 303
    other = web.post(page, {"decision": "not_restarted", "reason": "bleeding"})
    assert other.status_code == 409


def test_no_page_carries_an_inline_style_or_script(web: Client, case: Procedure, nurse: User) -> None:
    fill(case, Actor.person(nurse), "pre_visit")
    for name in PAGES:
        html = web.get(url(case, name)).content.decode()
        assert " style=" not in html
        assert not re.search(r"<script(?![^>]*\bsrc=)", html)
