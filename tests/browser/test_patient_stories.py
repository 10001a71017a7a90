"""A patient answers how they are: on a small old telephone, without a script, at 320 pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from clinic import clock
from clinic.actor import Actor
from clinic.models import User
from followups import engine
from followups.domain.kinds import Kind
from followups.models import FollowUp, Message, PatientLink
from followups.services import links, symptom_reports, triage
from procedures.models import Procedure
from tests import make
from tests.browser import story
from tests.browser.test_axe import OPTIONS
from tests.factories.people import Cast

pytestmark = pytest.mark.django_db(transaction=True)

#: A page may be wider than the screen by nothing at all.
TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
SMALL_TARGETS = """() => [...document.querySelectorAll('a, button, label.choice, input[type=text], textarea')]
    .filter(e => !e.matches('.skip') && e.getBoundingClientRect().height < 44).map(e => e.outerHTML.slice(0, 80))"""


@dataclass
class Phone:
    """A patient's telephone. Every screen is looked at: its width, its targets, and what axe finds."""

    page: Any
    glass: Any  # a page with scripts, for axe: shown what the telephone shows
    looked_at: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def open(self, link: PatientLink, born: tuple[str, str, str] = ("5", "17", "1984")) -> None:
        self.page.goto(f"/p/{links.token(link)}/")
        self.look("gate")
        for label, value in zip(("Month", "Day", "Year"), born, strict=True):
            self.page.get_by_label(label, exact=True).fill(value)
        self.press("Continue")

    def press(self, name: str) -> None:
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=name, exact=True).click()

    def answer(self, label: str) -> None:
        self.page.get_by_label(label, exact=True).check()
        self.press("Continue")

    def says(self, words: str) -> None:
        expect(self.page.locator("main")).to_contain_text(words)

    @property
    def asked(self) -> str:
        return str(self.page.locator("h1").inner_text())

    def answer_the_rest(self, **signs: str) -> None:
        """The first answer to whatever is asked, but for the questions whose words hold one of these."""
        for _ in range(40):
            if self.page.get_by_role("button", name="Send", exact=True).count():
                return
            if self.page.get_by_role("button", name="Go on with the questions").count():
                self.press("Go on with the questions")
                continue
            given = next((answer for words, answer in signs.items() if words in self.asked), None)
            if given:
                self.answer(given)
            else:
                self.page.locator("input[type=radio]").first.check()
                self.press("Continue")

    def look(self, name: str) -> None:
        if name in self.looked_at:
            return
        self.looked_at.add(name)
        self.glass.goto("/p/guessed.link/")  # a document of ours, with the same policy
        self.glass.set_content(self.page.content())
        found = Axe().run(self.glass, options=OPTIONS).response["violations"]
        self.faults += [f"{name}: {v['id']} {[node['html'][:80] for node in v['nodes']]}" for v in found]
        if self.glass.evaluate(TOO_WIDE):
            self.faults.append(f"{name}: wider than the screen")
        self.faults += [f"{name}: small target {target}" for target in self.glass.evaluate(SMALL_TARGETS)]


@pytest.fixture
def telephone(browser: Any, live_server: Any, settings: Any) -> Iterator[Callable[..., Phone]]:
    """``telephone(width=640)``: a browser without scripts on a Monday at eight."""
    settings.DEMO = True
    story.begin()
    contexts = []

    def make_one(width: int = 320, height: int = 640, **look: Any) -> Phone:
        look |= {"base_url": live_server.url, "viewport": {"width": width, "height": height}}
        both = [browser.new_context(**look, java_script_enabled=script) for script in (False, True)]
        contexts.extend(both)
        for context in both:
            context.set_default_timeout(10_000)
        return Phone(*(context.new_page() for context in both))

    yield make_one
    for context in contexts:
        context.close()


@pytest.fixture
def phone(telephone: Callable[..., Phone]) -> Phone:
    return telephone()


def sent(procedure: Procedure, about: str) -> PatientLink:
    return links.issue(procedure=procedure, purpose="symptoms", about=about)


def needle(code: str, hours: float) -> Procedure:
    return make.procedure(code, status="completed", starts=clock.now() - timedelta(hours=hours))


def after(hours: float) -> None:
    """So much later, and the engine has looked at what has become due."""
    story.begin(clock.now() + timedelta(hours=hours))
    engine.run_pass(clock.now())


def open_promise(procedure: Procedure, kind: Kind) -> FollowUp | None:
    return FollowUp.objects.filter(procedure=procedure, kind=kind, closed_at__isnull=True).first()


def test_a_postural_headache_on_day_2_that_is_worse_on_day_3(phone: Phone, cast: Cast) -> None:
    case = needle("lumbar_puncture", 48)
    phone.open(sent(case, "day_2"))
    phone.says("your legs become weak or numb")
    phone.look("begin")
    phone.press("I answer for myself")
    phone.look("question")
    phone.answer_the_rest(
        **{
            "Do you have a headache?": "Yes: worse sitting or standing, better within 15 minutes of lying flat",
            "Compared with yesterday": "It began today",
            "How strong": "4 to 6",
        }
    )
    phone.look("last")
    phone.page.get_by_label("Tell us in your own words, or leave it empty.").fill("It pounds when I get up.")
    phone.press("Send")
    phone.says("A nurse calls you within a day.")
    phone.look("done")
    first = open_promise(case, Kind.DANGER_SIGN)
    assert first is not None and (first.level, first.about["tier"]) == ("normal", "C")
    triage.record(
        report=symptom_reports.latest(PatientLink.objects.get()), actor=Actor.person(cast.nora), outcome="advised",
        done="Lie down, drink, acetaminophen", spoke_with="the patient",
    )  # fmt: skip
    asked = [p.about["check"] for p in FollowUp.objects.filter(kind=Kind.SYMPTOM_CHECK, closed_at=None)]
    assert "day_3" in asked  # daily until it is gone

    after(24)
    phone.open(sent(case, "day_3"))
    phone.press("I answer for myself")
    phone.answer_the_rest(
        **{
            "Do you have a headache?": "Yes: worse sitting or standing, better within 15 minutes of lying flat",
            "Compared with yesterday": "Worse",
        }
    )
    assert [(p.level, p.about["tier"]) for p in FollowUp.objects.filter(kind=Kind.DANGER_SIGN, closed_at=None)] == [
        ("abnormal", "B")
    ]
    phone.press("Send")
    phone.says("We call you within 60 minutes.")
    assert phone.faults == []


def test_a_clear_leak_is_expected_at_24_hours_and_a_call_at_48(phone: Phone, cast: Cast) -> None:
    case = needle("paracentesis", 24)
    leak = {"Does fluid leak": "Clear fluid, not more than before"}
    phone.open(sent(case, "day_1"))
    phone.press("I answer for myself")
    phone.answer_the_rest(**leak)
    phone.says("Change the dressing when it is wet.")
    phone.press("Send")
    phone.says("What you told us is what we expect after this procedure.")
    assert open_promise(case, Kind.DANGER_SIGN) is None

    after(25)
    phone.open(sent(case, "day_2"))
    phone.press("I answer for somebody else")
    phone.answer_the_rest(**leak)
    phone.press("Send")
    phone.says("A nurse calls you within a day.")
    promise = open_promise(case, Kind.DANGER_SIGN)
    assert promise is not None and promise.about["tier"] == "C"


def test_a_numb_leg_stops_the_questions_and_alarms_the_clinic_before_the_form_is_finished(
    phone: Phone, cast: Cast, at_a_computer: Callable[[User], story.Person]
) -> None:
    case = needle("lumbar_puncture", 24)
    phone.open(sent(case, "day_1"))
    phone.press("I answer for myself")
    phone.press("Continue")  # nothing chosen
    phone.says("Please choose one answer.")
    phone.look("question with an error")
    phone.answer("New or growing weakness or numbness, or trouble walking")
    phone.says("Call 911 now")
    assert phone.page.get_by_role("link", name="Call 911").get_attribute("href") == "tel:911"
    phone.look("now")
    engine.run_pass(clock.now())
    alarmed = set(Message.objects.filter(kind=Kind.DANGER_SIGN).values_list("recipient__username", flat=True))
    assert {"nora", case.responsible.username} <= alarmed

    nora = at_a_computer(cast.nora)
    nora.open("/chase/")
    nora.follow("Call back about symptoms: danger to life (tier A)")
    expect(nora.page.locator("main")).to_contain_text("Call now and make sure of it.")
    expect(nora.page.locator("main")).to_contain_text("New or growing weakness or numbness")
    nora.pick("What happened", "911 was called, or they were told to call it and will")
    nora.fill("Spoke with", "The patient's husband")
    nora.fill("What was done", "Ambulance is on its way; Dr. Physician knows")
    nora.press("Write it down")
    assert nora.said == "Written down."
    assert open_promise(case, Kind.DANGER_SIGN) is None
    assert open_promise(case, Kind.SYMPTOM_CHECK) is not None  # three questions are no answer

    phone.press("Go on with the questions")
    phone.says("Have you lost control of bladder or bowel")
    assert phone.faults == []


def test_at_twice_the_size_and_in_the_dark_every_word_is_there(telephone: Callable[..., Phone]) -> None:
    """200 % zoom of a desk is a screen half as wide; axe looks at the dark colours."""
    link = sent(needle("paracentesis", 24), "day_1")
    phone = telephone(width=640, height=400, color_scheme="dark")
    phone.page.goto("/p/guessed.link/")
    phone.look("closed")
    phone.open(link)
    phone.look("begin")
    phone.press("I answer for myself")
    phone.answer("Severe or sudden pain")
    phone.look("now")
    assert phone.faults == []
