"""The keyboard all the way: walking a list, skipping the bar, and finding the first thing to correct."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from clinic.models import User
from tests.factories.full import Full

pytestmark = pytest.mark.django_db(transaction=True)

FOCUSED = "document.activeElement.textContent.trim()"
RING = "getComputedStyle(document.activeElement).outlineStyle"


@pytest.fixture
def at_desk(page: Any, login: Callable[[Any, User], None]) -> Callable[[User, str], Any]:
    def sit(user: User, path: str) -> Any:
        login(page, user)
        page.goto(path)
        return page

    return sit


def test_the_inbox_is_walked_with_j_and_k_and_opened_with_enter(full: Full, at_desk: Callable[..., Any]) -> None:
    page = at_desk(full.cast.pia, "/inbox/")
    names = [row.get_by_role("link").first.inner_text() for row in page.locator("[data-row]:visible").all()]
    assert len(names) > 3
    walked = []
    for key in ("j", "j", "j", "k"):
        page.keyboard.press(key)
        walked.append(page.evaluate(FOCUSED))
        assert page.evaluate(RING) != "none"
    assert walked == [names[0], names[1], names[2], names[1]]
    page.keyboard.press("k")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert names[0] == "Read the newer result: Cell count and differential"
    assert page.get_by_role("heading", level=1).inner_text() == "Cell count and differential"


def test_a_single_key_that_is_typed_into_a_field_is_a_letter(full: Full, at_desk: Callable[..., Any]) -> None:
    page = at_desk(full.cast.sam, "/patients/")
    page.get_by_role("searchbox").focus()
    page.keyboard.type("jk?")
    assert page.get_by_role("searchbox").input_value() == "jk?"
    assert page.get_by_role("dialog").count() == 0


def test_the_first_tab_skips_to_the_content(full: Full, at_desk: Callable[..., Any]) -> None:
    page = at_desk(full.cast.nora, "/chase/")
    page.keyboard.press("Tab")
    link = page.get_by_role("link", name="Skip to the content")
    box = link.bounding_box()
    assert page.evaluate(FOCUSED) == "Skip to the content"
    assert box is not None and box["x"] >= 0 and box["y"] >= 0 and box["height"] > 20
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    assert page.evaluate("document.getElementById('main').contains(document.activeElement)")


def test_the_error_summary_takes_the_focus_and_leads_to_the_first_field(
    full: Full, at_desk: Callable[..., Any]
) -> None:
    page = at_desk(full.cast.pia, f"/results/{full.version('ascites_cell_count')}/review/")
    button = page.get_by_role("button", name="Sign this reading")
    button.focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.hasAttribute('data-error-summary')")
    assert page.evaluate(RING) == "solid"
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED).startswith("Interpretation:")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.name") == "interpretation"
    page.keyboard.press("Space")
    assert page.get_by_role("radio", name="normal", exact=True).is_checked()
    assert page.evaluate(RING) == "solid"


def test_a_reading_is_signed_without_a_mouse(full: Full, at_desk: Callable[..., Any]) -> None:
    page = at_desk(full.cast.pia, f"/results/{full.version('ascites_protein')}/review/")
    page.get_by_role("button", name="Sign this reading").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "Read and signed." in page.get_by_role("status").first.inner_text()


def test_the_menu_opens_and_closes_from_the_keyboard(full: Full, at_desk: Callable[..., Any]) -> None:
    page = at_desk(full.cast.dora, "/loop/")
    page.locator("summary.menu__button").focus()
    page.keyboard.press("Enter")
    assert page.get_by_role("link", name="My account").is_visible()
    page.keyboard.press("Escape")
    assert not page.get_by_role("link", name="My account").is_visible()
    assert page.evaluate(FOCUSED).startswith("Dora Director")


def test_a_task_is_taken_put_off_and_noted_without_a_mouse(full: Full, at_desk: Callable[..., Any]) -> None:
    page = at_desk(full.cast.pia, "/inbox/?of=all")
    here = page.locator("[data-row]:visible").filter(has=page.locator("a[data-key=s]")).first
    number = here.locator("a.item__what").get_attribute("id")
    for _ in range(40):
        page.keyboard.press("j")
        if page.evaluate("document.activeElement.id") == number:
            break
    assert page.evaluate("document.getElementById('place').textContent").startswith("Row ")
    with page.expect_navigation():
        page.keyboard.press("c")
    assert page.evaluate("document.activeElement.name") == "text"
    page.keyboard.type("Asked the ward, they call back")
    page.keyboard.press("Tab")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.url.endswith(f"/inbox/?of=all#{number}")
    assert page.evaluate("document.activeElement.id") == number
    with page.expect_navigation():
        page.keyboard.press("s")
    assert page.evaluate("document.activeElement.name") == "reason"
    page.go_back()
    page.locator(f"#{number}").focus()
    with page.expect_navigation():
        page.keyboard.press("h")
    assert page.evaluate("document.activeElement.name") == "to"


def test_what_is_critical_cannot_be_put_off_by_a_key_and_that_is_said(full: Full, at_desk: Callable[..., Any]) -> None:
    page = at_desk(full.cast.pia, "/inbox/?of=all")
    page.keyboard.press("t")
    assert page.locator("#live").inner_text() == "Choose a row first, with j or k."
    page.locator(".group--critical [data-row] a.item__what").first.focus()
    page.keyboard.press("s")
    assert page.locator("#live").inner_text() == "This cannot be done with this row."
    assert page.url.endswith("/inbox/?of=all")


def test_the_arrows_walk_a_list_once_one_is_in_it(full: Full, at_desk: Callable[..., Any]) -> None:
    page = at_desk(full.cast.pia, "/inbox/?of=all")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement === document.body")
    page.keyboard.press("j")
    first = page.evaluate("document.activeElement.id")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.id") != first
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.id") == first
