"""The pictures in ``docs/images``: a throw-away demonstration, a real browser, each role at its own pages.

``python -m scripts.screenshots [NAME …]`` (``make screenshots``). Needs Chromium and the packages of the tests.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, sync_playwright

from bench.stack import Stack, running
from tests.conftest import CHROMIUM_FLAGS
from tests.plugins.browser import chromium

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
DESK, PHONE = (1280, 900), (390, 844)
Take = Callable[[Page], None]


def board(page: Page) -> None:
    page.goto("/board/")


def slots(page: Page) -> None:
    """The first request that waits for a slot."""
    page.goto("/board/")
    page.locator("a[href$='/schedule/']").first.click()


def checklist(page: Page) -> None:
    """One of today that somebody has begun."""
    page.goto("/checklists/?part=today")
    page.locator("a[href*='/checklist/']").first.click()


def case(page: Page) -> None:
    """A lumbar puncture whose results come one by one."""
    rows = page.locator("li.item", has_text="Oligoclonal").locator("a.item__who")
    for number in range(1, 6):
        page.goto(f"/inbox/?of=all&show=waiting&page={number}")
        if rows.count():
            break
    rows.first.click()


def inbox(page: Page) -> None:
    page.goto("/inbox/")


def review(page: Page) -> None:
    """The most urgent result that nobody has read."""
    page.goto("/inbox/?of=all")
    page.locator("a[href$='/review/']").first.click()


def chase(page: Page) -> None:
    page.goto("/chase/")


def loop(page: Page) -> None:
    page.goto("/loop/")


def indicators(page: Page) -> None:
    page.goto("/loop/indicators/")


def clearance(page: Page) -> None:
    """What the safety rules find about a case that waits for a decision."""
    page.goto("/inbox/?of=all")
    page.locator("a[href$='/clearance/']").first.click()


def series(page: Page) -> None:
    page.goto("/series/")
    page.locator("a[data-open]").first.click()


def on_call(page: Page) -> None:
    page.goto("/on-call/")


def search(page: Page) -> None:
    page.goto("/patients/")
    page.locator("input[name=q]").fill("an")
    page.keyboard.press("Enter")
    page.wait_for_load_state("networkidle")


def patient(page: Page) -> None:
    """What a patient sees at once who answers that a leg is numb, by the link in a text of the demonstration."""
    page.goto("/mail/")
    texts = page.locator("article", has=page.locator("time.born")).filter(has_text="you have a new message")
    found = [
        (str(text.locator("a[href*='/p/']").get_attribute("href")), _born(text.locator("time.born")))
        for text in texts.all()
    ]
    for address, born in found:
        page.goto(address)
        if not page.get_by_label("Month", exact=True).count():
            continue  # answered already
        for label, number in (("Month", born.month), ("Day", born.day), ("Year", born.year)):
            page.get_by_label(label, exact=True).fill(str(number))
        page.get_by_role("button", name="Continue").click()
        if page.url.endswith("/p/you/"):
            break
    page.get_by_role("button", name="I answer for myself").click()
    page.locator("label.choice").filter(has_text=re.compile("weakness|Severe")).click()
    page.get_by_role("button", name="Continue").click()


def _born(time: Locator) -> date:
    return date.fromisoformat(str(time.get_attribute("datetime")))


def unmatched(page: Page) -> None:
    """A result of which nobody knows whose it is."""
    page.goto("/results/unmatched/")
    page.locator("main a[href*='/results/unmatched/']").first.click()


def tell(page: Page) -> None:
    """Results that are read and that nobody has told."""
    page.goto("/chase/")
    page.locator("a[href$='/tell/']", has_text="results").first.click()


def leaflet(page: Page) -> None:
    """What a patient takes home who has reported a sign since."""
    page.goto("/chase/")
    about = str(page.locator("a[href*='/reports/']").first.get_attribute("href"))
    page.goto(about.partition("/reports/")[0] + "/leaflets/after/")


#: Name of the picture, who takes it (nobody: the log-in page), how to get there, sizes.
PICTURES: tuple[tuple[str, str, Take, tuple[tuple[int, int], ...]], ...] = (
    ("board", "sam", board, (DESK, PHONE)),
    ("slots", "sam", slots, (DESK,)),
    ("search", "sam", search, (DESK,)),
    ("checklist", "nora", checklist, (DESK, PHONE)),
    ("chase", "nora", chase, (DESK,)),
    ("case", "pia", case, (DESK,)),
    ("inbox", "pia", inbox, (DESK, PHONE)),
    ("review", "pia", review, (DESK,)),
    ("clearance", "pia", clearance, (DESK, PHONE)),
    ("loop", "dora", loop, (DESK,)),
    ("indicators", "dora", indicators, (DESK,)),
    ("series", "sam", series, (DESK,)),
    ("on-call", "dora", on_call, (DESK,)),
    ("patient", "nora", patient, (PHONE,)),
    ("unmatched", "nora", unmatched, (DESK,)),
    ("tell", "nora", tell, (DESK,)),
    ("leaflet", "nora", leaflet, (DESK,)),
)


def main(names: list[str]) -> int:
    path = chromium()
    if path is None:
        print("Chromium is not installed.")
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    with running() as stack, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_FLAGS))
        if not names or "login" in names:
            _login_page(browser, stack)
        for name, who, go, sizes in PICTURES:
            for size in sizes:
                if names and not {name, _file(name, size)} & set(names):
                    continue
                with _logged_in(browser, stack, who, size) as page:
                    go(page)
                    _save(page, _file(name, size))
        browser.close()
    return 0


def _file(name: str, size: tuple[int, int]) -> str:
    return name if size == DESK else f"{name}-phone"


def _login_page(browser: Browser, stack: Stack) -> None:
    with _page(browser, stack, DESK) as page:
        page.goto("/accounts/login/")
        _save(page, "login")


@contextmanager
def _logged_in(browser: Browser, stack: Stack, who: str, size: tuple[int, int]) -> Iterator[Page]:
    with _page(browser, stack, size) as page:
        page.goto("/accounts/login/")
        page.locator("input[name=login]").fill(who)
        page.locator("input[name=password]").fill(_password(stack))
        page.locator("form button[type=submit]").last.click()
        page.wait_for_url(lambda url: "/login/" not in url)
        yield page


@contextmanager
def _page(browser: Browser, stack: Stack, size: tuple[int, int]) -> Iterator[Page]:
    context = browser.new_context(
        base_url=stack.site,
        viewport={"width": size[0], "height": size[1]},
        locale="en-US",
        reduced_motion="reduce",
        color_scheme="light",
    )
    try:
        yield context.new_page()
    finally:
        context.close()


def _password(stack: Stack) -> str:
    text = (stack.var / "demo-logins.txt").read_text(encoding="utf-8")
    found = re.search(r"password for all of them: (\S+?)\)", text)
    if found is None:
        raise SystemExit("The demonstration names no password.")
    return found[1]


def _save(page: Page, name: str) -> None:
    """As a person sees it: the first screen, with a little more below where the page is longer."""
    page.wait_for_load_state("networkidle")
    width = page.viewport_size["width"] if page.viewport_size else DESK[0]
    height = min(int(page.evaluate("document.documentElement.scrollHeight")), 1500 if width == DESK[0] else 1700)
    page.set_viewport_size({"width": width, "height": max(height, 700)})
    page.screenshot(path=IMAGES / f"{name}.png")
    print(f"docs/images/{name}.png  {width} px  {page.title()}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
