"""Warfarin before two needles, X-rays in an unknown pregnancy, few platelets: what the physician reads and may do."""

from __future__ import annotations

import pytest

from clinic.actor import Actor
from clinic.models import Room
from followups.services import demo_clock
from procedures.domain.answers import Entry
from procedures.services import checklist_rows, checklists, rulesets
from tests import make
from tests.browser.conftest import Team
from tests.browser.story import Person
from tests.factories.people import Cast
from tests.flows.story import Story

pytestmark = pytest.mark.django_db(transaction=True)

THE_DAY = "2026-11-16T08:00"


@pytest.fixture
def story(team: Team, cast: Cast) -> Story:
    """Monday at nine, with the safety rules in force."""
    rulesets.publish(data=rulesets.read(), actor=Actor.system("tests"))
    rooms = {"clinic": Room.objects.get(), "radiology": make.room("Radiology", location="radiology")}
    return Story(cast=cast, rooms=rooms, travel=demo_clock.set_to).at(0, "09:00")


def answer(story: Story, **entries: Entry) -> None:
    """The nurse has asked."""
    checklists.save_answers(actor=Actor.person(story.cast.nora), procedure=story.case, entries=entries)


def judged(pia: Person, story: Story) -> str:
    pia.open(f"/cases/{story.code}/clearance/")
    assert pia.heading == "May the needle go in?"
    return pia.text


def test_warfarin_with_an_inr_of_two_point_six_stops_one_needle_and_not_the_other(team: Team, story: Story) -> None:
    def on_warfarin(protocol: str, indication: str, day: int) -> str:
        story.request(protocol, indication)
        story.book(day, "10:00")
        checklist_rows.add_medicine(
            actor=Actor.person(story.cast.nora), procedure=story.case, name="Coumadin", dose="5 mg once daily",
            status="ongoing",
        )  # fmt: skip
        answer(story, inr=Entry(value="2.6"), inr_at=Entry(value=THE_DAY))
        return judged(team.pia, story)

    spine = on_warfarin("lumbar_puncture", "multiple_sclerosis", 2)
    assert "Stop" in team.pia.part("Needs a decision")
    assert "2.6" in spine and "1.4" in spine
    assert not team.pia.offers("Start now")
    belly = on_warfarin("paracentesis", "serial_relief", 3)
    assert "Nothing that was found stands in the way." in belly
    assert "warfarin" in belly.lower()  # and is still named: it goes on


def test_an_unknown_pregnancy_stops_the_x_rays_and_not_the_needle(team: Team, story: Story) -> None:
    story.request("lumbar_puncture", "multiple_sclerosis", variant="fluoroscopic", location="radiology")
    story.book(2, "10:00")
    answer(story, pregnancy_status=Entry(pick="=unknown"))
    judged(team.pia, story)
    assert "Stop" in team.pia.part("Needs a decision") and "X-rays" in team.pia.part("Needs a decision")
    story.request("lumbar_puncture", "multiple_sclerosis", patient=story.case.patient)
    story.book(3, "10:00")
    answer(story, pregnancy_status=Entry(pick="=unknown"))
    judged(team.pia, story)
    assert "Stop" not in team.pia.part("Needs a decision")


def test_platelets_of_forty_five_wait_for_a_physician_who_says_why(team: Team, story: Story) -> None:
    story.request("lumbar_puncture", "multiple_sclerosis")
    story.book(2, "10:00")
    answer(story, platelets=Entry(value="45"), platelets_at=Entry(value=THE_DAY))
    judged(team.pia, story)
    assert "45" in team.pia.part("Needs a decision")
    team.pia.pick("Decision", "Proceed")
    team.pia.press("Decide so")
    assert team.pia.corrections  # without a reason nobody proceeds
    team.pia.fill("Reason", "Stable for months, no bleeding")
    team.pia.press("Decide so")
    assert "Cleared" in team.pia.part("Needs a decision")
    assert "Stable for months, no bleeding" in team.pia.text
