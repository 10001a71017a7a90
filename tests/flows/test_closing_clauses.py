"""Each closing clause by itself keeps a case open: everything else is done, this one thing is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from clinic import clock
from clinic.actor import Actor
from followups import engine
from followups.domain import kinds
from followups.domain.kinds import Kind, Subject
from followups.services import ladders
from procedures.domain.states import Disposition
from procedures.services import checklists
from tests.checklist_answers import harmless
from tests.flows.story import BEFORE_THE_NEEDLE, Story, moment

pytestmark = pytest.mark.django_db

COUNT = {"nucleated_cells": 900, "pmn_percent": 70}


@dataclass(frozen=True)
class Step:
    """Something that is done, and what it needs to have been done before."""

    do: Callable[[Story], object]
    after: str = ""


#: An emergency with a held medicine and a critical result: it has one promise of every kind that follows a needle.
STEPS = {
    "collect": Step(lambda s: s.collect()),
    "deliver": Step(lambda s: s.deliver(), after="collect"),
    "result": Step(lambda s: s.result("ascites_cell_count", again="900", **COUNT), after="deliver"),
    "review": Step(
        lambda s: s.review("ascites_cell_count", "critical", plan="treat", plan_detail="Ceftriaxone", tell="now"),
        after="result",
    ),
    "act": Step(lambda s: s.act("Given"), after="review"),
    "tell": Step(lambda s: s.tell(), after="review"),
    "checklist": Step(lambda s: s.sign(*BEFORE_THE_NEEDLE)),
    "countersign": Step(lambda s: s.countersign()),
    "record": Step(lambda s: (s.record(**LARGE), s.sign_record())),
    "later": Step(lambda s: s.later_not_needed("Hospice care"), after="record"),
    "restart": Step(lambda s: s.restart()),
    "ask": Step(lambda s: [s.ask_symptoms(code) for code in ("day_1", "day_2", "day_7")]),
}
#: More than five litres, with albumin.
LARGE = {"volume_removed_ml": 6000, "albumin_product": "percent_25", "albumin_given_g": 48}
#: What keeps the case open when this step (and all that needs it) is left out.
LEFT_OUT = {
    "collect": {Kind.COLLECT_TESTS},
    "deliver": {Kind.SPECIMEN_NOT_RECEIVED, Kind.AWAITED_RESULT},
    "result": {Kind.AWAITED_RESULT},
    "review": {Kind.REVIEW_RESULT},
    "act": {Kind.DO_ACTION},
    "tell": {Kind.TELL_PATIENT},
    "checklist": {Kind.CHECKLIST_AFTER_EMERGENCY},
    "countersign": {Kind.COUNTERSIGN_START},
    "record": {Kind.SIGN_RECORD},
    "later": {Kind.LATER_TESTS},
    "restart": {Kind.RESTART_MEDICINE},
    "ask": {Kind.SYMPTOM_CHECK},
}


def after_the_needle(story: Story, *, to: Disposition = Disposition.HOME) -> None:
    story.at(0, "09:00").request("paracentesis", "infection_recheck", urgency="emergency", location="bedside")
    story.hold("Warfarin", last_dose=moment(0, "08:00"))
    nora, case = Actor.person(story.cast.nora), story.case
    minimum = {q.code: harmless(q) for q in case.protocol_version.parsed.questions if q.minimum and not q.asked_if}
    checklists.save_answers(actor=nora, procedure=case, entries=minimum)
    story.emergency_start("Septic")
    story.complete(to=to)


def needs(step: str, left_out: str) -> bool:
    """Whether ``step`` cannot be done because ``left_out`` was not."""
    return step == left_out or bool(STEPS[step].after and needs(STEPS[step].after, left_out))


@pytest.mark.parametrize("left_out", STEPS)
def test_one_thing_that_is_not_done_keeps_the_case_open(story: Story, left_out: str) -> None:
    after_the_needle(story)
    # all of them in an hour: the questions of day 7 may be asked early, a clock may not be waited for
    story.at(0, "10:00")
    for name, step in STEPS.items():
        if not needs(name, left_out):
            step.do(story)
    assert {p.kind for p in story.promises} == LEFT_OUT[left_out]
    assert not story.is_closed
    for name, step in STEPS.items():
        if needs(name, left_out):
            assert not story.is_closed
            step.do(story)
    assert story.is_closed


def test_a_lost_specimen_keeps_the_case_open(story: Story) -> None:
    after_the_needle(story)
    for name in ("collect", "checklist", "countersign", "record", "later", "restart", "ask"):
        STEPS[name].do(story)
    story.lose("ascites_edta", "Never arrived")
    assert {p.kind for p in story.promises} == {Kind.SPECIMEN_LOST}
    for name in ("collect", "deliver", "result", "review", "act", "tell"):
        assert not story.is_closed
        STEPS[name].do(story)
    assert story.is_closed


def test_what_nobody_has_accepted_keeps_the_case_open_beside_what_is_pending(story: Story) -> None:
    after_the_needle(story, to=Disposition.WARD)
    for name in ("collect", "deliver", "checklist", "countersign", "record", "later", "restart", "ask"):
        STEPS[name].do(story)
    assert {p.kind for p in story.promises} == {Kind.AWAITED_RESULT, Kind.ACCEPT_TRANSFER}
    story.offer("ward", name="Dr. Haddad", place="Ward 4", phone="555-0144")
    assert {p.kind for p in story.promises} == {Kind.AWAITED_RESULT, Kind.ACCEPT_TRANSFER}
    story.accepted_on_the_phone("Dr. Haddad")
    assert {p.kind for p in story.promises} == {Kind.AWAITED_RESULT}
    for name in ("result", "review", "act", "tell"):
        assert not story.is_closed
        STEPS[name].do(story)
    assert story.is_closed


def test_before_the_needle_each_state_owes_its_next_step(story: Story) -> None:
    story.at(0, "09:00").request("paracentesis", "serial_relief")
    assert [p.kind for p in story.promises] == [Kind.BOOK_REQUEST]
    story.book(0, "10:00")
    assert {p.kind for p in story.promises} == {Kind.CHECKLIST_NOT_DONE, Kind.CARRY_OUT}
    story.at(0, "11:30").no_show()
    assert [p.kind for p in story.promises] == [Kind.REBOOK_NO_SHOW]
    story.cancel("Moved to another town")
    assert [p.kind for p in story.promises] == [Kind.TELL_PATIENT]
    assert not story.is_closed
    story.tell_no_result()
    assert story.is_closed


def test_answers_that_will_have_expired_keep_asking_until_they_are_given_again(story: Story) -> None:
    story.at(0, "09:00").request("paracentesis", "serial_relief")
    story.book(18, "10:00")
    story.sign("pre_visit", "consent")
    assert {p.kind for p in story.promises} == {Kind.ANSWERS_EXPIRING, Kind.CARRY_OUT}
    story.at(16, "10:00").sign("pre_visit", "consent")
    assert [p.kind for p in story.promises] == [Kind.CARRY_OUT]
    assert story.why_ended(Kind.ANSWERS_EXPIRING) == {"kept"}


def test_time_alone_closes_nothing(story: Story, time_machine: Any) -> None:
    """Nobody does anything for a year: every promise is still there, each ladder has come to its repeating end."""
    after_the_needle(story)
    for name in ("collect", "deliver", "result", "review"):
        STEPS[name].do(story)
    owed = {p.key for p in story.promises}
    assert len(owed) > 6
    for days in (1, 7, 60, 365):
        time_machine.move_to(moment(days, "09:00"), tick=False)
        engine.run_pass(clock.now())
        story.check()
        assert {p.key for p in story.promises} == owed
    assert all(p.rung == len(ladders.of(p).rungs) and p.escalated_role == "director" for p in story.promises)


def test_no_kind_of_promise_is_left_out_of_these_tests() -> None:
    here = {kind for kinds in LEFT_OUT.values() for kind in kinds}
    here |= {Kind.SPECIMEN_LOST, Kind.ACCEPT_TRANSFER, Kind.BOOK_REQUEST, Kind.CARRY_OUT, Kind.REBOOK_NO_SHOW}
    here |= {Kind.CHECKLIST_NOT_DONE, Kind.ANSWERS_EXPIRING}
    # test_clearance_story
    here |= {Kind.CLEAR_FINDINGS, Kind.SIGN_CLEARANCE, Kind.RERUN_SAFETY, Kind.TELL_LAST_DOSE}
    here |= {Kind.REREAD_CORRECTION, Kind.UNREACHABLE_PATIENT}  # test_laboratory_stories, test_corner_stories
    here |= {Kind.WRITE_TO_PATIENT, Kind.MESSAGE_UNDELIVERED}  # test_outreach
    here |= {Kind.RESULT_TAKEN_BACK}  # test_message_stories
    # test_symptom_stories
    here |= {Kind.CALL_SILENT, Kind.DANGER_SIGN, Kind.READ_WORDS, Kind.BOOK_AGAIN, Kind.LINK_LOCKED}
    assert here == {spec.kind for spec in kinds.specs() if spec.subject is Subject.PROCEDURE} - {Kind.PLAN_FAILED}
    assert {spec.kind for spec in kinds.specs() if not spec.rules} == {Kind.PLAN_FAILED}
