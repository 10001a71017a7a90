"""What a person does with a page, in small verbs. All is found by what is read or heard: labels, names, words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from clinic import clock
from followups.services import demo_clock

ZONE = ZoneInfo(settings.CLINIC_ZONE)
#: A Monday at eight, clinic time, without a change of summer time in the weeks after it.
MONDAY = datetime(2026, 1, 12, 8, tzinfo=ZONE)
#: The buttons of the demonstration's bar: hours and name, the longest first.
STEPS = ((168, "+1 week"), (24, "+1 day"), (4, "+4 h"), (1, "+1 h"))
#: What is answered, in this order, where the story is about something else.
HARMLESS = ("Confirmed", "No", "None", "Unknown")
#: Something that was sent to the server is still on its way.
UNDER_WAY = ".htmx-request, .htmx-swapping, .htmx-settling"


def begin(moment: datetime = MONDAY) -> None:
    """The clinic's clock shows ``moment``."""
    demo_clock.set_to(moment)


def now() -> datetime:
    """The clinic's time, as people there say it."""
    return clock.now().astimezone(ZONE)


def named(words: str) -> re.Pattern[str]:
    """An accessible name: these words, and after them at most a mark, a unit or a remark."""
    said = r"\s+".join(re.escape(word) for word in words.replace(":", " :").split()).replace(r"\s+:", r"\s*:")
    return re.compile(rf"^\s*{said}\s*($|[*,(:]|Ask )")


@dataclass
class Person:
    """Somebody who has logged in, with a browser of their own."""

    page: Any

    # --- going somewhere ---

    def open(self, path: str) -> None:
        """Go there; who is there already looks at it afresh."""
        self.page.goto(path)

    def be_at(self, path: str) -> None:
        """Go there, unless that is the page that is open."""
        if self.page.url != path:
            self.open(path)

    def follow(self, name: str, *, within: str = "") -> None:
        """Click the link of this name. ``within``: the name of the part of the page it stands in."""
        link = self._place(within).get_by_role("link", name=named(name)).first
        with self.page.expect_navigation():
            link.click()

    def press(self, name: str, *, within: str = "") -> None:
        """Press the button of this name, and wait for the page it leads to."""
        button = self._place(within).get_by_role("button", name=named(name)).first
        with self.page.expect_navigation():
            button.click()

    def tap(self, name: str, *, within: str = "") -> None:
        """Press a button that changes a part of the page."""
        self._place(within).get_by_role("button", name=named(name)).first.click()
        self._settle()

    def unfold(self, words: str) -> None:
        """Open what is folded under these words, unless it is open."""
        folded = self.page.locator("details:not([open]) > summary").filter(has_text=words)
        if folded.count():
            folded.first.click()

    # --- saying something ---

    def fill(self, label: str, value: object, *, within: str = "") -> None:
        self._place(within).get_by_label(named(label)).first.fill(str(value))
        self._settle()

    def choose(self, label: str, option: str) -> None:
        """From a list that unfolds."""
        self._place().get_by_label(named(label)).first.select_option(label=option)
        self._settle()

    def pick(self, question: str, answer: str, *, within: str = "") -> None:
        """One of several answers that are all in sight."""
        group = self._place(within).get_by_role("group", name=named(question)).first
        radio = group.get_by_role("radio", name=answer, exact=True)
        if not radio.is_visible():  # behind "other answer"
            group.locator("summary").click()
        radio.check()
        self._settle()

    def tick(self, label: str, *, within: str = "") -> None:
        self._place(within).get_by_label(named(label)).first.check()
        self._settle()

    def written(self, label: str) -> str:
        """What stands in a field."""
        return str(self.page.get_by_label(named(label)).first.input_value())

    def all_is_well(self) -> None:
        """The first answer to every question that has none yet: it is the one without a danger sign."""
        for group in self.page.get_by_role("group").filter(has=self.page.get_by_role("radio")).all():
            if not group.get_by_role("radio", checked=True).count():
                group.get_by_role("radio").first.check()

    # --- a checklist ---

    def answer(self, answers: Mapping[str, str]) -> None:
        """Each question of the page that is named, then whatever it still lists as open, harmlessly.

        An answer that is not among those in sight is typed.
        """
        for question, answer in answers.items():
            self._answer(question, answer)
        for question in iter(self._next_open, ""):
            self._answer(question, "")

    def open_questions(self) -> list[str]:
        """What the page says must be answered before it can be signed."""
        items = self._place("Signature").get_by_role("listitem")
        return [text.strip() for text in items.all_inner_texts()]

    def _next_open(self) -> str:
        return next(iter(self.open_questions()), "")

    def _answer(self, question: str, answer: str) -> None:
        group = self.page.get_by_role("group", name=named(question)).first
        as_before = group.get_by_role("button", name="Asked: still so")
        if not answer and as_before.is_visible():
            as_before.click()
            self._settle()
            return
        offered = [text.strip() for text in group.locator(".seg").first.locator("label").all_inner_texts()]
        wanted = answer or next((word for word in HARMLESS if word in offered), "as told")
        if wanted in offered:
            self.pick(question, wanted)
            return
        group.get_by_role("textbox").first.fill(wanted)
        group.get_by_role("textbox").first.press("Tab")
        self._settle()

    # --- reading ---

    @property
    def heading(self) -> str:
        return str(self.page.get_by_role("heading", level=1).inner_text())

    @property
    def text(self) -> str:
        """Everything that can be read on the page, in one line."""
        return " ".join(self.page.locator("body").inner_text().split())

    def part(self, name: str) -> str:
        """What can be read in one part of the page."""
        return " ".join(self._place(name).inner_text().split())

    def offers(self, button: str) -> bool:
        return bool(self.page.get_by_role("button", name=named(button)).count())

    @property
    def said(self) -> str:
        """What the page says has just happened."""
        return " ".join(self.page.locator("#messages").inner_text().split())

    @property
    def corrections(self) -> list[str]:
        """What the page asks to be corrected."""
        items = self.page.locator("[data-error-summary]").get_by_role("listitem")
        return [" ".join(text.split()) for text in items.all_inner_texts()]

    @property
    def state(self) -> str:
        """The case's state and what else stands under its heading."""
        return " ".join(self.page.locator(".page-head__sub").first.inner_text().split())

    @property
    def rows(self) -> list[str]:
        """The lines of a worklist, in order."""
        items = self.page.get_by_role("main").locator("[data-row]")
        return [" ".join(text.split()) for text in items.all_inner_texts()]

    def row(self, words: str) -> str:
        """The first line of a worklist that contains ``words``."""
        found = [line for line in self.rows if words in line]
        assert found, f"no line says {words!r}: {self.rows}"
        return found[0]

    @property
    def promised(self) -> list[str]:
        """The open promises of a case, a line each: what, who, by when."""
        items = self._place("What is promised").get_by_role("listitem")
        return [" ".join(text.split()) for text in items.all_inner_texts()]

    def promise(self, words: str) -> str:
        """The promise whose line contains ``words``; the others when there is none."""
        found = [line for line in self.promised if words in line]
        assert found, f"nobody owes {words!r}: {self.promised}"
        return found[0]

    # --- time ---

    def wait_until(self, moment: datetime) -> None:
        """Move the clinic's clock with the bar's buttons; it then shows ``moment`` or up to an hour later."""
        while (left := (moment - now()).total_seconds() / 3600) > 0:
            _hours, button = next((step for step in STEPS if step[0] <= left + 1), STEPS[-1])
            self.press(button, within="Demonstration clock")

    # --- small words ---

    def _place(self, name: str = "") -> Any:
        if not name:
            return self.page
        group = self.page.get_by_role("group", name=named(name))
        return self.page.get_by_label(name, exact=True).or_(group).first

    def _settle(self) -> None:
        # looks at each frame; expect() would sleep between its looks
        self.page.locator(UNDER_WAY).first.wait_for(state="detached")
