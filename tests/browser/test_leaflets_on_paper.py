"""The longest sheets that a patient takes home are one page, on either paper, in either language, at 12 points."""

from __future__ import annotations

import re
from typing import Any

from clinic import clock
from clinic.models import User
from clinic.roles import Role
from procedures.models import Hold, Patient, Procedure
from tests import make

MORE_TESTS, LONG_TESTS = 10, 2


def pages(pdf: bytes) -> int:
    """Chromium writes each page as an object of this type."""
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))


def test_the_sheets_are_one_page_of_a4_and_of_letter(browser: Any, live_server: Any, login: Any) -> None:
    page = browser.new_context(base_url=live_server.url).new_page()
    login(page, make.user(Role.NURSE))
    case = long_case()
    for which in ("before", "after"):
        for language in ("en", "es"):
            page.goto(f"/cases/{case.code}/leaflets/{which}/?language={language}")
            assert page.locator("article.leaflet").get_attribute("lang") == language
            found = {paper: pages(page.pdf(format=paper)) for paper in ("A4", "Letter")}
            assert found == {"A4": 1, "Letter": 1}, (which, language)
    page.emulate_media(media="print")
    sizes = page.locator("article.leaflet p, article.leaflet li").evaluate_all(
        "all => all.map(one => parseFloat(getComputedStyle(one).fontSize))"
    )
    assert min(sizes) >= 16, "12 points are 16 pixels"
    page.context.close()


def long_case() -> Procedure:
    """A lumbar puncture with twelve tests, two paused medicines and an interpreter."""
    case = make.procedure("lumbar_puncture", status="completed")
    Patient.objects.filter(pk=case.patient_id).update(language="Spanish", interpreter_needed=True)
    now, by = clock.now(), User.objects.get(pk=case.responsible_id)
    for name in ("Apixaban (Eliquis)", "Clopidogrel"):
        Hold.objects.create(
            procedure=case, ingredient=name, decided_by=by, decided_at=now, planned_last_dose_at=now,
            told_patient_at=now, told_by=by, restart_due_at=now,
        )  # fmt: skip
    tests = case.protocol_version.parsed.tests
    ordinary = [test for test in tests if not test.extended][:MORE_TESTS]
    for test in [*ordinary, *[test for test in tests if test.extended][:LONG_TESTS]]:
        make.lab_test(case, test.code, collected_at=now, status="collected", extended=test.extended)
    return case
