"""A patient who was asked by a link: silent, silent with a high risk, locked out, and heard."""

from __future__ import annotations

import pytest

from clinic import clock
from clinic.actor import Actor
from followups.domain.kinds import Kind
from followups.models import Message, PatientLink
from followups.services import links, symptom_reports, triage
from tests import make
from tests.flows.story import BEFORE_THE_NEEDLE, Story

pytestmark = pytest.mark.django_db

FOLLOW = {Kind.CALL_SILENT, Kind.DANGER_SIGN, Kind.READ_WORDS, Kind.BOOK_AGAIN, Kind.LINK_LOCKED}


def tapped(story: Story, **record: object) -> Story:
    """Home on Monday at eleven after a paracentesis, the record signed."""
    ada = make.patient(email="ada@home.test", consent_email=True)
    story.at(0, "09:00").request("paracentesis", "serial_relief", patient=ada)
    story.book(0, "10:00")
    story.sign(*BEFORE_THE_NEEDLE)
    story.at(0, "10:00").start()
    story.at(0, "11:00").complete()
    story.record(**record)
    story.sign_record()
    return story


def sent(story: Story, about: str, purpose: str = "symptoms") -> PatientLink:
    link = links.issue(procedure=story.case, purpose=purpose, about=about)
    story.check()
    return link


def follow(story: Story) -> list[str]:
    return [line for line, p in zip(story.owed, story.promises, strict=True) if p.kind in FOLLOW]


def reminded(story: Story) -> list[str]:
    """Who was reminded of a silent patient since the last look."""
    return sorted(line for line in story.mailed() if line.endswith(": call_silent"))


def test_no_answer_is_one_call_in_the_morning_then_the_physicians_then_the_directors(story: Story) -> None:
    tapped(story)
    story.at(1, "10:05")
    link = sent(story, "day_1")
    story.check()
    symptom_reports.answer(link=link, question="belly_pain", answer="none", now=clock.now())  # and nothing more
    story.at(2, "10:05")
    assert follow(story) == ["nurse/pia: call by Wed 18 Nov 13:00"]  # one for both
    assert reminded(story) == []
    story.at(2, "13:00")
    assert reminded(story) == ["nora: call_silent"]
    story.at(2, "17:00")
    assert reminded(story) == ["pia: call_silent"]
    story.at(3, "13:00")
    assert [p.escalated_role for p in story.promises if p.kind == Kind.CALL_SILENT] == ["director"]
    story.ask_symptoms("day_2")  # on the phone: answers the day before as well
    assert follow(story) == ["nurse/pia: call by Tue 24 Nov 13:00"]  # should day 7 be silent too
    story.at(7, "11:00").ask_symptoms("day_7")
    assert follow(story) == []
    assert story.why_ended(Kind.CALL_SILENT) == {"kept"}


def test_a_high_risk_does_not_wait_for_the_morning(story: Story) -> None:
    tapped(story, volume_removed_ml=6000, albumin_product="percent_25", albumin_given_g=48)
    assert follow(story) == ["nurse/pia: call by Tue 17 Nov 19:00"]
    story.mailed()
    story.at(1, "18:05")
    assert "nora: call_silent" in reminded(story)


def test_a_link_that_nobody_could_open_is_a_call_at_once(story: Story) -> None:
    tapped(story)
    story.at(1, "10:05")
    for link in (sent(story, "day_1"), sent(story, "", "results")):
        for _ in range(links.WRONG_TRIES):
            links.wrong_birth_date(link, clock.now())
    story.check()
    assert sorted(follow(story)) == [
        "nurse/pia: call about the link by Tue 17 Nov 14:05",
        "nurse/pia: call by Tue 17 Nov 14:05",
    ]


def test_what_was_said_is_answered_by_a_person(story: Story) -> None:
    tapped(story)
    story.at(1, "10:05")
    link = sent(story, "day_1")
    for question, answer in (("bleeding", "oozing"), ("fluid_back", "yes")):
        if question in symptom_reports.check_of(story.case.protocol_version.parsed, link).questions:
            symptom_reports.answer(link=link, question=question, answer=answer, now=clock.now())
    symptom_reports.finish(link=link, words="It also itches", now=clock.now())
    story.check()
    assert follow(story) == ["nurse/pia: call back (B) by Tue 17 Nov 11:05", "nurse/pia: call by Wed 18 Nov 13:00"]
    story.at(1, "10:40")
    assert Message.objects.filter(kind=Kind.DANGER_SIGN, recipient=story.cast.nora).exists()
    triage.record(
        report=symptom_reports.latest(link),
        actor=Actor.person(story.cast.nora),
        outcome="seen",
        done="Pressed for ten minutes: stopped",
        spoke_with="the patient",
    )
    story.check()
    # the form was not finished: the check is still owed, as a call
    assert follow(story) == ["nurse/pia: call by Wed 18 Nov 13:00"]
