"""The checklist on a tablet: saved as one goes, follow-on questions appear, lines are inserted, nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from clinic.actor import Actor
from clinic.models import User
from clinic.roles import Role
from procedures.domain.answers import Entry
from procedures.models import Answer, MedicineEntry, Procedure, StageSignature
from procedures.services import checklists
from tests import make
from tests.checklist_answers import fill

pytestmark = pytest.mark.django_db(transaction=True)

#: The policy forbids what wait_for_function does from its second look on.
SCROLLED = "new Promise((done) => { (function look() { scrollY > 1000 ? done() : requestAnimationFrame(look); })(); })"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SIZES = {"desk": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}


@pytest.fixture
def nurse() -> User:
    return make.user(Role.NURSE, full_name="Nora Nurse")


@pytest.fixture
def case() -> Procedure:
    return make.procedure("paracentesis", status="scheduled")


@pytest.fixture
def visit(page: Any, login: Callable[[Any, User], None], nurse: User, case: Procedure) -> Callable[..., Any]:
    def go(path: str = "", stage: str = "pre_visit") -> Any:
        login(page, nurse)
        page.goto(f"/cases/{case.code}/{path or 'checklist/'}?stage={stage}")
        return page

    return go


def choose(page: Any, code: str, value: str) -> None:
    """Tap an answer and wait until the page says that it is saved."""
    with page.expect_response(lambda r: r.url.endswith("/checklist/save/")):
        page.locator(f'#w-{code} input[type=radio][value="{value}"]').check()


def test_an_answer_is_saved_by_a_tap_and_its_follow_on_appears(visit: Callable[..., Any]) -> None:
    page = visit()
    assert page.locator("#q-bleeding_detail-value").count() == 0
    choose(page, "bleeding_history", "=yes")
    page.locator("#q-bleeding_detail-value").wait_for()
    assert page.locator("#saved").inner_text().startswith("Saved")
    assert Answer.objects.get(question="bleeding_history").value == "yes"
    page.reload()
    assert page.locator('#w-bleeding_history input[value="=yes"]').is_checked()


def test_a_second_change_stands_on_the_first(visit: Callable[..., Any]) -> None:
    page = visit()
    for value in ("=yes", "=no", "unknown"):
        choose(page, "latex", value)
        page.locator("#said-latex", has_text="Nora Nurse").wait_for()
    page.locator("#said-latex", has_text="Unknown").first.wait_for()
    assert Answer.objects.filter(question="latex").count() == 3
    assert Answer.objects.get(question="latex", superseded_by__isnull=True).state == "unknown"


def test_somebody_elses_answer_stands_beside_mine_at_once(visit: Callable[..., Any], case: Procedure) -> None:
    page = visit()
    other = make.actor(Role.NURSE)
    checklists.save_answers(actor=other, procedure=case, entries={"latex": Entry(pick="=yes")})
    choose(page, "latex", "=no")
    page.locator("#w-latex", has_text=other.name).wait_for()
    page.locator("#w-latex").get_by_label("Keep what stands").click()  # it is gone with the answer: nothing to look at
    page.locator("#w-latex .two-answers").wait_for(state="detached")
    assert page.locator('#w-latex input[value="=yes"]').is_checked()
    assert Answer.objects.get(question="latex").value == "yes"


def test_a_medicine_is_inserted_and_the_form_is_empty_for_the_next(visit: Callable[..., Any]) -> None:
    page = visit()
    page.locator("#id_medicines-name").fill("Aspirin")
    page.locator("#add-medicines").get_by_label("still taking it").check()
    page.locator("#add-medicines button").click()
    page.locator("#w-medicines .line", has_text="Aspirin").wait_for()
    assert page.locator("#id_medicines-name").input_value() == ""
    assert MedicineEntry.objects.get().name == "Aspirin"
    assert page.url.endswith("stage=pre_visit")


def test_a_stage_is_signed_at_its_end(visit: Callable[..., Any], case: Procedure, nurse: User) -> None:
    fill(case, Actor.person(nurse), "pre_visit")
    page = visit()
    choose(page, "latex", "=yes")
    page.locator("#said-latex", has_text="Yes").wait_for()
    page.get_by_role("button", name="Sign “Before the visit”").click()
    page.wait_for_url("**stage=consent")
    assert StageSignature.objects.get().signed_by == nurse


@pytest.mark.parametrize(
    ("path", "size"),
    [
        ("checklist/", SIZES["phone"]),
        ("checklist/", SIZES["desk"]),
        ("checklist/print/", SIZES["phone"]),
        ("checklist/sign/pre_visit/", SIZES["phone"]),
        ("holds/", SIZES["phone"]),
    ],
)
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    visit: Callable[..., Any], page: Any, case: Procedure, nurse: User, path: str, size: dict[str, int]
) -> None:
    actor = Actor.person(nurse)
    fill(case, actor, "pre_visit")
    checklists.reopen(actor=actor, procedure=case, reason="next tap", number=1)
    page.set_viewport_size(size)
    visit(path)
    result = Axe().run(page, options={"runOnly": TAGS})
    assert result.violations_count == 0, result.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]


def test_every_answer_is_large_enough_for_a_finger(visit: Callable[..., Any]) -> None:
    page = visit()
    small = page.evaluate(
        """[...document.querySelectorAll('.seg__item, .q .btn, .q__value .form-control, .stages a, .q__more > summary')]
            .filter((e) => e.offsetParent !== null && e.getBoundingClientRect().height < 44)
            .map((e) => e.outerHTML.slice(0, 80))"""
    )
    assert small == []


def test_the_policy_is_kept_and_the_stages_never_scroll_away(visit: Callable[..., Any], page: Any) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    visit()
    page.mouse.wheel(0, 2500)
    page.evaluate(SCROLLED)
    box = page.locator("#stages").bounding_box()
    assert box is not None and 0 <= box["y"] < 150
    assert said == []
