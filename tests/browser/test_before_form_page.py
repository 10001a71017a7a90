"""The form before the visit on an old telephone: 320 pixels, no script of ours, light, and readable by everybody."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe

from clinic.roles import Role
from followups.models import PatientLink
from followups.services import before, links
from procedures.models import Patient, PatientReport
from tests import make

WEIGHT = 100_000


def test_a_patient_answers_in_spanish_on_a_small_telephone(
    browser: Any, live_server: Any, transactional_db: None
) -> None:
    link = spanish_link()
    context = browser.new_context(
        base_url=live_server.url, viewport={"width": 320, "height": 640}, bypass_csp=True, reduced_motion="reduce"
    )
    page, weights, hosts = context.new_page(), [], set()
    page.on(
        "response", lambda got: (weights.append(len(got.body())) if got.ok else None, hosts.add(got.url.split("/")[2]))
    )
    page.goto(f"/p/{links.token(link)}/")
    birth = link.procedure.patient.birth_date
    for name, value in (("month", birth.month), ("day", birth.day), ("year", birth.year)):
        page.locator(f"[name={name}]").fill(str(value))
    page.get_by_role("button", name="Continuar").click()
    page.get_by_role("link", name="Empezar").click()
    assert sum(weights) < WEIGHT and len(hosts) == 1
    page.get_by_label("Sí, tomo estas").check()
    page.get_by_role("button", name="Continuar").last.click()
    assert page.get_by_role("alert").is_visible()
    look(page)
    page.get_by_label("Nombre").first.fill("Eliquis")
    page.get_by_role("button", name="Continuar").last.click()
    while page.locator("form[action*='/ask/']").count():
        answer(page)
    look(page)
    page.get_by_role("button", name="Enviar mis respuestas").click()
    assert page.get_by_role("heading", name="Gracias. Ya tenemos sus respuestas").is_visible()
    look(page)
    assert PatientReport.objects.get().answers["medicines"]["lines"][0]["name"] == "Eliquis"
    context.close()


def spanish_link() -> PatientLink:
    case = make.procedure("lumbar_puncture", status="scheduled")
    Patient.objects.filter(pk=case.patient_id).update(language="Spanish")
    case.patient.refresh_from_db()
    return before.offer(actor=make.actor(Role.NURSE), procedure=case)


def answer(page: Any) -> None:
    """The last answer of whatever is asked; *no* in words."""
    if page.locator("main textarea").count() and not page.locator("main [type=radio]").count():
        page.locator("main textarea").fill("no")
    else:
        page.locator("main [type=radio]").last.check()
    page.get_by_role("button", name="Continuar").last.click()


def look(page: Any) -> None:
    """Nothing to find for axe, nothing to scroll sideways, and it is said to be Spanish."""
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.locator("html").get_attribute("lang") == "es"
