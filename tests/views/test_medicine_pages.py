"""Medicines as they are typed, and what the rules find beside each answer: with a script and without one."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clinic import clock
from clinic.actor import Actor
from clinic.models import User
from clinic.roles import Role
from procedures.domain.answers import Entry
from procedures.models import MedicineEntry, Procedure
from procedures.services import checklist_rows, checklists, rulesets
from tests import make
from tests.checklist_answers import fill

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
#: Of one saved answer: reading, writing, planning the case anew, and everything that is shown again.
MOST_QUERIES = 66


@pytest.fixture(autouse=True)
def rules() -> None:
    rulesets.publish(data=rulesets.read(), actor=Actor.system("tests"))


@pytest.fixture
def case() -> Procedure:
    return make.procedure("lumbar_puncture", status="scheduled")


@pytest.fixture
def nurse() -> User:
    return make.user(Role.NURSE, full_name="Nora Nurse")


@pytest.fixture
def web(client: Client, nurse: User) -> Client:
    client.force_login(nurse)
    return client


def url(case: Procedure, name: str = "checklist", *more: Any) -> str:
    return reverse(f"procedures:{name}", args=[case.code, *more])


def line(**more: str) -> dict[str, str]:
    """What a browser sends of the line's form."""
    fields = {"name": "Eliquis", "amount": "5", "unit": "mg", "times_per_day": "2.0", "status": "ongoing"} | more
    return {f"medicines-{name}": value for name, value in fields.items()}


def two_fields(name: str, moment: Any) -> dict[str, str]:
    local = timezone.localtime(moment)
    return {f"{name}_date": f"{local:%Y-%m-%d}", f"{name}_time": f"{local:%H:%M}"}


def post(web: Client, case: Procedure, **fields: str) -> Any:
    return web.post(url(case), {"stage": "pre_visit", "do": "save", **fields})


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def panel(html: str) -> str:
    return words(html.split('id="findings"')[1].split("</section>")[0])


def beside(html: str, code: str) -> str:
    return words(re.split(rf'id="f-{code}"[^>]*>', html)[1].split("</div>")[0])


# --- the name


def test_some_letters_find_brand_generic_and_product(web: Client) -> None:
    html = web.get(reverse("procedures:medicines"), {"medicines-name": "asp"}, headers=HTMX).content.decode()
    assert html.count('class="match"') > 3
    assert "<html" not in html
    assert "Not recognised" not in html  # there are names to choose from


def test_a_name_nobody_knows_is_said_to_be_kept(web: Client) -> None:
    html = web.get(reverse("procedures:medicines"), {"medicines-name": "zzz <b>"}, headers=HTMX).content.decode()
    assert "Not recognised" in html
    assert 'class="match"' not in html
    assert "<b>" not in html


def test_a_tap_fills_the_name_and_offers_the_kinds_of_its_dose(web: Client) -> None:
    html = web.get(reverse("procedures:medicines"), {"pick": "Eliquis"}, headers=HTMX).content.decode()
    assert 'value="Eliquis"' in html
    assert "Recognised" in html and "apixaban" in html
    assert 'name="medicines-tier"' in html and "Low dose" in html


def test_without_a_script_there_is_a_page_of_names_and_a_list_for_the_browser(web: Client, case: Procedure) -> None:
    html = web.get(reverse("procedures:medicines"), {"medicines-name": "eliq"}).content.decode()
    assert "<html" in html and "Eliquis" in html
    page = web.get(url(case)).content.decode()
    assert '<option value="Eliquis">' in page.split("<noscript>")[1]


# --- the line


def test_a_plain_form_keeps_every_detail_and_recognises_the_name(web: Client, case: Procedure) -> None:
    stop = clock.now() + timedelta(days=1)
    more = two_fields("planned_stop", stop) | {"route": "oral", "indication": "AF", "prescriber": "Dr Heart"}
    assert post(web, case, **line(**more)).status_code == 303
    row = MedicineEntry.objects.get()
    assert (row.code, row.amount, row.unit, row.times_per_day, row.route) == ("apixaban", 5, "mg", 2, "oral")
    assert row.planned_stop_at == stop.replace(second=0, microsecond=0)
    shown = words(web.get(url(case)).content.decode())
    assert "5 mg twice daily" in shown and "last dose planned" in shown


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("amount", "5000", "is a slip"),
        ("amount", "five", "is not a number"),
        ("amount", "1,200", "is not a number"),
        ("unit", "", "needs its unit"),
        ("last_dose_date", "2026-02-30", "valid date"),
        ("name", "x" * 200, "at most 120 characters"),
    ],
)
def test_what_cannot_be_is_said_at_the_field_and_everything_typed_is_still_there(
    web: Client, case: Procedure, field: str, typed: str, said: str
) -> None:
    answer = post(web, case, **line(**{field: typed, "prescriber": "Dr <i>Heart</i>"}), **{"q-latex-pick": "=no"})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert said in words(html)
    assert f'id="id_medicines-{field}_error"' in html
    assert "Dr &lt;i&gt;Heart&lt;/i&gt;" in html and "<i>Heart" not in html
    assert not MedicineEntry.objects.exists()
    assert case.checklists.get().answers.get(question="latex").value == "no"  # the rest is saved


def test_a_last_dose_in_the_future_is_refused_at_its_field(web: Client, case: Procedure) -> None:
    answer = post(web, case, **line(**two_fields("last_dose", clock.now() + timedelta(hours=2)), status="stopped"))
    assert answer.status_code == 422
    assert "cannot lie in the future" in answer.content.decode()


def test_a_line_that_no_rule_knows_carries_a_chip_and_the_question(web: Client, case: Procedure) -> None:
    post(web, case, **line(name="Grandmother's <b>drops</b>", amount="", unit=""))
    html = web.get(url(case)).content.decode()
    assert "Not recognised" in html and "Does it affect bleeding?" in html
    assert "<b>drops" not in html
    assert "1 stop" in panel(html)
    row = MedicineEntry.objects.get()
    change = line(name=row.name, amount="", unit="", thins_blood="no")
    assert web.post(url(case, "checklist_row", "medicines", row.pk), change).status_code == 303
    assert "1 stop" not in panel(web.get(url(case)).content.decode())


def test_two_nurses_on_one_line_see_both_doses(web: Client, case: Procedure) -> None:
    post(web, case, **line())
    row = MedicineEntry.objects.get()
    other = make.actor(Role.NURSE)
    fields: dict[str, Any] = {"name": "Eliquis", "status": "ongoing", "unit": "mg", "times_per_day": 2.0}
    checklist_rows.change_medicine(actor=other, procedure=case, pk=row.pk, amount=2.5, **fields)
    answer = web.post(url(case, "checklist_row", "medicines", row.pk), line(amount="10"))
    assert answer.status_code == 409
    assert "10" in words(answer.content.decode()) and "2.5" in words(answer.content.decode())
    assert other.name in answer.content.decode()


# --- the findings


def eliquis(case: Procedure, nurse: User, hours: int = 40) -> None:
    """Stopped so many hours before the needle, which is two days away."""
    assert case.needle_at is not None
    checklist_rows.add_medicine(
        actor=Actor.person(nurse), procedure=case, name="Eliquis", status="stopped", amount=5.0, unit="mg",
        times_per_day=2.0, last_dose_at=min(case.needle_at - timedelta(hours=hours), clock.now()),
    )  # fmt: skip


def test_a_checklist_nobody_has_begun_has_no_findings(web: Client, case: Procedure) -> None:
    html = web.get(url(case)).content.decode()
    assert 'class="finding' not in html
    assert html.lower().count("not asked yet") == 2  # the stages, and the patient's banner of allergies


def test_a_stop_stands_beside_its_question_at_the_top_and_in_the_banner(
    web: Client, case: Procedure, nurse: User
) -> None:
    eliquis(case, nurse)
    html = web.get(url(case)).content.decode()
    found = beside(html, "medicines")
    assert "apixaban: too soon after the last dose" in found
    assert re.search(r"Earliest safe time: \w{3} .*\d\d:\d\d, 72 h after the last dose", found)
    assert "Recorded as: Eliquis 5 mg twice daily" in found
    assert "ASRA" in found and "(2025)" in found and "not approved by this clinic" in found
    assert "1 stop" in panel(html)
    assert "Stop: apixaban" in words(html.split('id="patient-alerts"')[1].split("</section>")[0])


def test_the_same_medicine_before_a_paracentesis_is_continued(web: Client, nurse: User) -> None:
    other = make.procedure("paracentesis", status="scheduled")
    eliquis(other, nurse)
    html = web.get(url(other)).content.decode()
    assert "apixaban: continue" in beside(html, "medicines")
    assert "stop" not in panel(html)


def save(web: Client, case: Procedure, code: str, **fields: str) -> Any:
    sent = {"stage": "pre_visit", "only": code, **{f"q-{code}-{part}": value for part, value in fields.items()}}
    return web.post(url(case, "checklist_save"), sent, headers=HTMX)


def test_a_saved_answer_brings_its_findings_with_it(web: Client, case: Procedure) -> None:
    html = save(web, case, "epidural_abscess", pick="=yes").content.decode()
    assert 'id="f-epidural_abscess" hx-swap-oob="true"' in html
    assert "MRI of the spine first" in beside(html, "epidural_abscess")
    assert "1 stop" in panel(html) and 'id="patient-alerts" hx-swap-oob="true"' in html
    base = re.search(r'name="q-epidural_abscess-base" value="(\d+)"', html)
    assert base is not None
    html = save(web, case, "epidural_abscess", pick="=no", base=base[1]).content.decode()
    assert beside(html, "epidural_abscess").strip() == ""
    assert "1 stop" not in panel(html)


def test_what_nobody_knows_is_one_line(web: Client, case: Procedure) -> None:
    for code in ("epidural_abscess", "spine_surgery", "breathing_lying"):
        save(web, case, code, pick="unknown")
    html = web.get(url(case)).content.decode()
    assert panel(html).count("counted as the worst") == 1
    assert "stop" not in panel(html).split("Not known")[0]


def test_a_swapped_value_is_said_at_its_question_and_kept(web: Client, case: Procedure) -> None:
    save(web, case, "bleeding_trigger", pick="=yes")
    answer = save(web, case, "inr", value="250")
    assert answer.status_code == 422
    assert "Is it the other value, Platelet count?" in words(answer.content.decode())
    assert 'value="250"' in web.get(url(case)).content.decode()


def test_a_saved_answer_costs_the_same_with_six_medicines_as_with_one(
    web: Client, case: Procedure, nurse: User
) -> None:
    actor = Actor.person(nurse)
    fill(case, actor, "pre_visit", medicines=Entry(pick="unknown"))
    answers = case.checklists.get().answers.filter(question="spine_surgery", superseded_by__isnull=True)

    def cost(pick: str, *names: str) -> int:
        for name in names:
            checklist_rows.add_medicine(actor=actor, procedure=case, name=name, status="ongoing", instead_of_none=True)
        base = str(answers.values_list("pk", flat=True).get())
        with CaptureQueriesContext(connection) as queries:
            assert save(web, case, "spine_surgery", pick=pick, base=base).status_code == 200
        return len(queries)

    one = cost("=yes", "Eliquis")
    assert cost("=no", "aspirin", "ginkgo", "sertraline", "ibuprofen", "insulin") == one
    assert one <= MOST_QUERIES


# --- room and kit


def test_a_scheduler_reads_the_kit_and_no_answer(client: Client, case: Procedure, nurse: User) -> None:
    checklist_rows.add_allergy(
        actor=Actor.person(nurse), procedure=case, substance="latex", severity="anaphylaxis", reaction="throat swelled"
    )
    client.force_login(make.user(Role.SCHEDULER))
    day = timezone.localtime(case.needle_at)
    pages = (
        f"{reverse('followups:board')}?day={day:%Y-%m-%d}",
        reverse("followups:case", args=[case.code]),
        url(case, "schedule"),
    )
    for page in pages:
        html = client.get(page).content.decode()
        assert "Latex-free room and kit" in html, page
        assert "First slot of the day" in html, page
        assert "throat" not in html and "anaphylaxis" not in html.lower() and "allerg" not in html.lower(), page


def test_an_answer_of_the_medicine_list_never_reaches_the_board(client: Client, case: Procedure, nurse: User) -> None:
    eliquis(case, nurse)
    checklists.save_answers(actor=Actor.person(nurse), procedure=case, entries={"latex": Entry(pick="=no")})
    client.force_login(make.user(Role.SCHEDULER))
    html = client.get(
        f"{reverse('followups:board')}?day={timezone.localtime(case.needle_at):%Y-%m-%d}"
    ).content.decode()
    assert "flag--kit" not in html and "apixaban" not in html.lower() and "eliquis" not in html.lower()
