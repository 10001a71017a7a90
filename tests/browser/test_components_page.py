"""The components in a real browser: both themes, a desk and a phone, paper, and 200 % zoom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from clinic.models import User
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)

#: The policy forbids what wait_for_function does from its second look on.
SCROLLED = "new Promise((done) => { (function look() { scrollY > 1000 ? done() : requestAnimationFrame(look); })(); })"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
#: 1280 pixels at 200 % zoom.
ZOOMED = {"width": 640, "height": 450}


@pytest.fixture
def open_gallery(page: Any, login: Callable[[Any, User], None], settings: Any) -> Callable[..., Any]:
    settings.DEMO = True

    def go(**media: Any) -> Any:
        login(page, make.user("physician"))
        page.emulate_media(**media)
        page.goto("/components/")
        assert page.get_by_role("heading", level=1).text_content() == "Components"
        return page

    return go


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing(open_gallery: Callable[..., Any], page: Any, scheme: str, size: dict[str, int]) -> None:
    page.set_viewport_size(size)
    open_gallery(color_scheme=scheme)
    result = Axe().run(page, options={"runOnly": TAGS})
    assert result.violations_count == 0, result.generate_report()


@pytest.mark.parametrize("size", [DESK, PHONE, ZOOMED], ids=["desk", "phone", "zoomed"])
def test_nothing_scrolls_sideways(open_gallery: Callable[..., Any], page: Any, size: dict[str, int]) -> None:
    page.set_viewport_size(size)
    open_gallery()
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]


def test_the_policy_is_kept(open_gallery: Callable[..., Any], page: Any) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    open_gallery()
    assert said == []


def test_the_picture_lies_on_a_desk_and_stands_on_a_phone(open_gallery: Callable[..., Any], page: Any) -> None:
    def first_two() -> list[dict[str, float]]:
        boxes = [page.locator(".tl__cell .tl__track").nth(at).bounding_box() for at in (0, 1)]
        return [box for box in boxes if box]

    page.set_viewport_size(DESK)
    open_gallery()
    one, two = first_two()
    assert one["y"] == two["y"] and two["x"] > one["x"]
    page.set_viewport_size(PHONE)
    one, two = first_two()
    assert one["x"] == two["x"] and two["y"] > one["y"]


def test_the_patient_never_scrolls_away(open_gallery: Callable[..., Any], page: Any) -> None:
    open_gallery()
    page.mouse.wheel(0, 2500)
    page.evaluate(SCROLLED)
    box = page.locator(".patient").bounding_box()
    assert box is not None and box["y"] == 0


def test_rows_are_walked_and_keys_can_be_switched_off(open_gallery: Callable[..., Any], page: Any) -> None:
    open_gallery()
    focused = "document.activeElement.getAttribute('href')"
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate(focused) == "#item-2"
    page.keyboard.press("k")
    assert page.evaluate(focused) == "#item-1"
    page.keyboard.press("?")
    page.get_by_label("Use single keys on this device").uncheck()
    page.get_by_role("button", name="Close").click()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("j")
    assert page.evaluate(focused) is None


def test_an_error_summary_takes_the_focus_and_leads_to_its_field(open_gallery: Callable[..., Any], page: Any) -> None:
    open_gallery()
    assert page.evaluate("document.activeElement.hasAttribute('data-error-summary')")
    page.get_by_role("link", name="Ultrasound used").click()
    assert page.evaluate("document.activeElement.id") == "id_ultrasound_0"


def test_paper_has_no_navigation_and_keeps_the_patient(open_gallery: Callable[..., Any], page: Any) -> None:
    open_gallery(media="print")
    assert not page.locator(".bar").is_visible()
    assert page.locator(".patient").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_targets_are_large_enough_for_a_finger(
    browser: Any, login: Callable[[Any, User], None], live_server: Any, settings: Any
) -> None:
    settings.DEMO = True
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, base_url=live_server.url)
    page = context.new_page()
    login(page, make.user("nurse"))
    page.goto("/components/")
    heights = page.evaluate(
        """(targets) => [...document.querySelectorAll(targets)].filter((e) => e.offsetParent !== null)
            .map((e) => [e.outerHTML.slice(0, 80), e.getBoundingClientRect().height])""",
        ".btn:not(.btn-sm), .form-control, .form-select, .nav-main__link, .segments a, "
        ".item a, .rows th a, .tl a, .menu__button",
    )
    context.close()
    assert len(heights) > 40
    assert [(target, height) for target, height in heights if height < 44] == []
