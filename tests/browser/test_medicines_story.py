"""Eliquis before two needles: typed, found, judged; and latex that the room hears of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone

from clinic import clock
from clinic.actor import Actor
from clinic.models import User
from clinic.roles import Role
from procedures.models import AllergyEntry, MedicineEntry, Procedure
from procedures.services import rulesets
from tests import make
from tests.browser.test_checklist_page import SIZES, TAGS, choose

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def nurse() -> User:
    rulesets.publish(data=rulesets.read(), actor=Actor.system("tests"))
    return make.user(Role.NURSE, full_name="Nora Nurse")


@pytest.fixture
def at(page: Any, login: Callable[[Any, User], None], nurse: User) -> Callable[[Procedure], Any]:
    login(page, nurse)

    def go(case: Procedure) -> Any:
        page.goto(f"/cases/{case.code}/checklist/?stage=pre_visit")
        return page

    return go


def booked(protocol: str) -> Procedure:
    return make.procedure(protocol, status="scheduled", starts=clock.now() + timedelta(hours=16))


def add_eliquis(page: Any, last_dose: datetime) -> None:
    """As a nurse does it: some letters, a tap, the dose, when the last one was."""
    local = timezone.localtime(last_dose)
    page.locator("#id_medicines-name").press_sequentially("eliq")
    page.locator(".match", has_text="Eliquis").click()
    page.locator("#medicine-known[data-known]", has_text="apixaban").wait_for()
    assert page.locator("#id_medicines-name").input_value() == "Eliquis"
    form = page.locator("#add-medicines")
    form.get_by_label("One dose").fill("5")
    form.get_by_label("Unit").select_option("mg")
    form.get_by_label("How often").select_option(label="twice a day")
    form.get_by_label("stopped, last dose known").check()
    form.get_by_label("Last dose: date", exact=True).fill(f"{local:%Y-%m-%d}")
    form.get_by_label("Last dose: time", exact=True).fill(f"{local:%H:%M}")
    form.locator("button[value='add:medicines']").click()
    page.locator("#w-medicines .line", has_text="Eliquis").wait_for()


def test_eliquis_forty_hours_before_a_lumbar_puncture_stops_it_and_says_from_when_on_it_is_safe(
    at: Callable[[Procedure], Any],
) -> None:
    case = booked("lumbar_puncture")
    page = at(case)
    assert page.locator("#findings .found__list").count() == 0  # nothing is asked yet
    last = clock.now() - timedelta(hours=24)
    add_eliquis(page, last)
    row = MedicineEntry.objects.get()
    assert (row.code, row.amount, row.unit, row.times_per_day) == ("apixaban", 5, "mg", 2)
    stop = page.locator("#f-medicines .finding--stop")
    stop.wait_for()
    safe = timezone.localtime(last.replace(second=0, microsecond=0) + timedelta(hours=72))
    assert "Earliest safe time" in stop.inner_text()
    assert f"{safe:%H:%M}, 72 h after the last dose" in stop.inner_text()
    assert "not approved by this clinic" in stop.inner_text()
    assert "1 stop" in page.locator("#findings").inner_text()
    assert "apixaban" in page.locator("#patient-alerts").inner_text()


def test_the_same_patient_goes_on_to_a_paracentesis(at: Callable[[Procedure], Any]) -> None:
    page = at(booked("paracentesis"))
    add_eliquis(page, clock.now() - timedelta(hours=24))
    page.locator("#f-medicines .finding--info", has_text="continue").wait_for()
    assert page.locator(".finding--stop").count() == 0
    assert "Stop" not in page.locator("#patient-alerts").inner_text()


def test_a_latex_allergy_reaches_the_board(at: Callable[[Procedure], Any], page: Any) -> None:
    case = booked("lumbar_puncture")
    page = at(case)
    form = page.locator("#add-allergies")
    form.get_by_label("Substance").fill("latex gloves")
    form.get_by_label("anaphylaxis").check()
    form.locator("button[value='add:allergies']").click()
    page.locator("#f-allergies .finding--stop", has_text="latex").wait_for()
    assert AllergyEntry.objects.get().severity == "anaphylaxis"
    choose(page, "latex", "=yes")
    page.locator("#w-latex_free fieldset").wait_for()
    choose(page, "latex_free", "=yes")
    page.locator("#f-allergies .finding--stop").wait_for(state="detached")
    page.goto(f"/board/?day={timezone.localtime(case.needle_at):%Y-%m-%d}")
    entry = page.locator(".slot", has_text=case.patient.family_name)
    assert "Latex-free room and kit" in entry.inner_text()
    assert "First slot of the day" in entry.inner_text()


@pytest.mark.parametrize("size", list(SIZES))
def test_findings_and_matches_are_readable_and_large_enough_for_a_finger(
    at: Callable[[Procedure], Any], page: Any, size: str
) -> None:
    page.set_viewport_size(SIZES[size])
    page = at(booked("lumbar_puncture"))
    add_eliquis(page, clock.now() - timedelta(hours=24))
    page.locator("#id_medicines-name").press_sequentially("asp")
    page.locator(".match").first.wait_for()
    small = page.evaluate(
        "[...document.querySelectorAll('.match, .add .form-control, .add .form-select, .add summary')]"
        ".filter((e) => e.offsetParent !== null && e.getBoundingClientRect().height < 44).map((e) => e.outerHTML)"
    )
    assert small == []
    result = Axe().run(page, options={"runOnly": TAGS})
    assert result.violations_count == 0, result.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") == SIZES[size]["width"]
