"""A count that is corrected after the patient was told, and a cytology that never comes: what follows, in browsers."""

from __future__ import annotations

from typing import Any

import pytest

from clinic.models import Room
from followups import engine
from followups.models import Message
from followups.services import demo_clock
from procedures import events
from procedures.domain import results as rules
from procedures.domain.lab_content import CriticalRule
from procedures.domain.results import Known
from procedures.models import ResultVersion
from procedures.services import results
from tests import make
from tests.browser import chapters
from tests.browser.conftest import Team
from tests.browser.story import now
from tests.factories.people import Cast
from tests.flows.story import Story
from tests.flows.test_laboratory_stories import HARMLESS

pytestmark = pytest.mark.django_db(transaction=True)

CORRECTED = "Corrected: the laboratory changed its result"


@pytest.fixture
def story(team: Team, cast: Cast, settings: Any) -> Story:
    """An ordinary paracentesis on Tuesday at nine, done and signed, with its tubes in the laboratory."""
    told = Story(cast=cast, rooms={"clinic": Room.objects.get()}, travel=demo_clock.set_to)
    told.drained()
    return told


def mailed() -> set[str]:
    return {
        f"{m.recipient.username}: {m.kind}" for m in Message.objects.filter(state="sent").select_related("recipient")
    }


def test_a_count_that_is_corrected_after_the_patient_was_told_is_read_and_told_again(team: Team, story: Story) -> None:
    nora, pia, case = team.nora, team.pia, f"/cases/{story.code}/"
    story.at(1, "13:00").result("ascites_cell_count", **HARMLESS)
    story.review("ascites_cell_count")
    story.at(1, "15:00").tell()

    # the laboratory has mixed up two samples
    story.at(2, "08:00")
    values = {"Nucleated (white) cells": "900 /uL", "Neutrophils (PMN) share": "70 %"}
    chapters.enter(nora, case, "Cell count and differential", values, status=CORRECTED)
    nora.fill("What was corrected", "Two samples had been mixed up")
    nora.fill("The critical value, typed a second time", 900)
    nora.press("Save the result")
    assert "Critical" in nora.promise("Read the correction: Cell count and differential")
    engine.run_pass(now())
    assert {"pia: reread_correction", "nora: reread_correction"} <= mailed()  # who read it, and who told of it

    pia.open("/inbox/")
    assert "Read the correction: Cell count and differential Zimmermann, Ada" in pia.rows[0]
    pia.follow("Read the correction: Cell count and differential")
    assert "Two samples had been mixed up" in pia.text
    assert "180" in pia.text and "900" in pia.text  # both stand there
    pia.pick("Interpretation", "critical")
    pia.pick("Plan", "treat")
    pia.fill("What exactly, for repeat, treat or refer", "Cefotaxime 2 g today")
    pia.pick("Tell the patient", "at once, about this result")
    pia.fill("What the patient is told, in plain words", "We must correct what we told you: the fluid is infected.")
    pia.press("Sign this reading")

    nora.open("/chase/")
    assert "Tell the patient now: 1 result" in nora.rows[0]
    nora.follow("Tell the patient now: 1 result")
    assert "We must correct what we told you" in nora.text
    nora.tick("Cell count and differential (corrected)")
    nora.pick("How", "phone")
    nora.pick("What happened", "reached and told")
    nora.fill("Spoke with", "the patient")
    nora.press("Write it down")
    assert not any("Tell the patient" in line for line in nora.promised)


def test_a_cytology_that_never_comes_is_chased_given_up_and_told(team: Team, story: Story) -> None:
    nora, pia, case = team.nora, team.pia, f"/cases/{story.code}/"
    story.at(1, "10:20").result("ascites_cell_count", **HARMLESS)
    story.order("ascites_cytology")
    story.at(1, "10:30").collect("ascites_cytology")
    story.deliver()
    awaited = "Result awaited: Cytology"
    nora.open("/chase/")
    assert not any(awaited in line for line in nora.rows[:1])

    # past its usual hour it is a colour and no message; past its outer hour the nurses are asked, then the physician
    story.at(4, "11:00")
    assert not any("awaited_result" in line for line in mailed())
    nora.open("/chase/")
    assert "due Tue 10:30 (in 3 d)" in nora.row(awaited)
    story.at(8, "11:00")
    assert "nora: awaited_result" in mailed()
    nora.open("/chase/")
    assert "overdue" in nora.row(awaited).lower()
    story.at(9, "11:00")
    assert "pia: awaited_result" in mailed()
    pia.open("/inbox/")
    assert "overdue" in pia.row(awaited).lower()

    # the laboratory cannot find it: a decision is owed, and the patient hears of it
    nora.open(case)
    nora.follow(awaited)
    nora.follow("Rejected or lost: Cytology container")
    nora.pick("What happened?", "lost")
    nora.pick("Why?", "not found")
    nora.fill("In words", "Not in the laboratory, not with the courier")
    nora.press("Record")
    decide = "Decide: specimen rejected or lost (Cytology)"
    pia.open("/inbox/")
    assert "Zimmermann, Ada" in pia.row(decide)
    pia.follow(decide)
    pia.follow("Decide: Cytology")
    pia.pick("What shall be done?", "Cancel the test and accept the loss (the patient is told)")
    pia.fill("Because", "The next tap will bring fluid enough")
    pia.press("Record the decision")
    nora.open(case)
    assert "Tell the patient that there is no (full) result" in nora.promise("Tell the patient")


def test_a_count_that_no_laboratory_flagged_is_critical_on_every_page_until_it_is_taken_and_told(
    team: Team, story: Story
) -> None:
    nora, pia, case = team.nora, team.pia, f"/cases/{story.code}/"
    story.at(1, "13:00")
    arrive(story, "ascites_cell_count", nucleated_cells=(400, "/uL"), pmn_percent=(78, "%"))

    nora.open("/checklists/")
    assert "1 critical result no physician has taken." in nora.text
    nora.follow("Look and take")
    assert "Zimmermann, Ada" in nora.rows[0]
    pia.open("/board/")
    pia.follow("Look and take")
    pia.follow("Take: Read the result: Cell count and differential, Zimmermann, Ada")
    pia.press("Take it")
    assert "Taken by a physician, not read yet" in pia.text and "no physician has taken" not in pia.text
    nora.open("/checklists/")
    assert "no physician has taken" not in nora.text

    # the laboratory phones after all, and the nurse reads it back
    nora.open(case)
    nora.open(f"{case}tests/")
    nora.follow("Cell count and differential")
    assert "from the laboratory's message" in nora.text and "312 /uL computed" in nora.text
    nora.follow("The laboratory phoned")
    nora.pick("How was it noticed?", "the laboratory phoned")
    nora.fill("Who called", "Ito, haematology")
    nora.fill("The value, read back", "312")
    nora.press("Write it down")
    assert "Phoned by Ito, haematology" in nora.text

    pia.open("/inbox/")
    pia.follow("Read the result: Cell count and differential")
    assert "How was it noticed?" not in pia.text
    pia.pick("Interpretation", "critical")
    pia.pick("Plan", "treat")
    pia.fill("What exactly, for repeat, treat or refer", "Cefotaxime 2 g now, albumin day 1 and 3")
    pia.pick("Tell the patient", "at once, about this result")
    pia.fill("What the patient is told, in plain words", "The fluid is infected. Please come in now.")
    pia.press("Sign this reading")

    nora.open("/chase/")
    nora.follow("Tell the patient now: 1 result")
    nora.tick("Cell count and differential")
    nora.pick("How", "phone")
    nora.pick("What happened", "reached and told")
    nora.fill("Spoke with", "the patient")
    nora.press("Write it down")
    assert not any("Tell the patient" in line for line in nora.promised)


def arrive(story: Story, code: str, **values: tuple[float, str]) -> ResultVersion:
    """As it comes from a laboratory without anybody entering it, graded by the rules and flagged by nobody."""
    test = story.test(code)
    stored = {name: {"value": n, "unit": unit, "text": f"{n:g}"} for name, (n, unit) in values.items()}
    own = Known(test=code, values=stored, status="final", collected_at=test.collected_at)
    judged = rules.judge(test.procedure.protocol_version.parsed, own, ())
    version = make.result(
        test, values=stored, level=str(judged.level), rules=[rule_as_stored(rule) for rule in judged.rules],
        calculated={name: results.plain(found) for name, found in judged.calculated.items()},
        reported_at=now(), arrived_at=now(),
    )  # fmt: skip
    events.changed(test.procedure)
    return version


def rule_as_stored(rule: CriticalRule) -> dict[str, Any]:
    return {"code": rule.code, "level": str(rule.level), "message": rule.message, "source": rule.source.source}
