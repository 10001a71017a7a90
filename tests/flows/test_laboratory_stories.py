"""What the laboratory does otherwise than planned: corrected, withdrawn, late, lost."""

from __future__ import annotations

import pytest

from clinic.actor import Actor
from clinic.errors import Invalid
from procedures.services import labs, results
from tests.flows.story import Story

pytestmark = pytest.mark.django_db

HARMLESS = {"nucleated_cells": 180, "pmn_percent": 10}


# --- results that change ----------------------------------------------------------------------


def test_a_result_corrected_after_the_patient_was_told_is_read_and_told_again(story: Story) -> None:
    story.drained()
    story.at(1, "13:00").result("ascites_cell_count", **HARMLESS)
    story.review("ascites_cell_count")
    story.at(1, "15:00").tell()
    story.looked_at = story.owed
    story.at(2, "08:00").result(
        "ascites_cell_count", "corrected", why="Sample mix-up", again="900", nucleated_cells=900, pmn_percent=70
    )
    assert story.news() == ["+ physician/pia: read again ascites_cell_count by Wed 18 Nov 09:00"]
    # whoever acted on the old value hears of it: its reader, and the nurse who told the patient
    story.mailed()
    story.at(2, "08:01")
    assert sorted(story.mailed()) == ["nora: reread_correction", "pia: reread_correction"]
    story.at(2, "08:20").review(
        "ascites_cell_count", "critical", plan="treat", plan_detail="Ceftriaxone, admit", tell="now"
    )
    assert story.news() == [
        "- physician/pia: read again ascites_cell_count by Wed 18 Nov 09:00",
        "+ physician/pia: treat by Wed 18 Nov 16:20",
        "+ nurse/pia: tell now ascites_cell_count by Wed 18 Nov 16:20",
    ]
    # what was said about the old version does not count for the new one
    old = story.test("ascites_cell_count").versions.get(number=1)
    with pytest.raises(Invalid, match="has changed"):
        story.contact("results", "reached", "phone", spoke_with="the patient", versions=[old.pk])
    story.at(2, "08:40").tell()
    story.act("Admitted, first dose 08:35")
    assert story.news() == [
        "- physician/pia: treat by Wed 18 Nov 16:20",
        "- nurse/pia: tell now ascites_cell_count by Wed 18 Nov 16:20",
    ]


def test_a_late_preliminary_neither_asks_again_nor_undoes_the_final(story: Story) -> None:
    story.drained()
    story.at(1, "13:00").result("ascites_cell_count", **HARMLESS)
    story.review("ascites_cell_count")
    story.at(1, "13:30").tell()
    story.looked_at = story.owed
    story.at(1, "14:00").result("ascites_cell_count", "preliminary", nucleated_cells=175, pmn_percent=9)
    assert story.news() == []
    assert story.current("ascites_cell_count").status == "final"


def test_a_withdrawn_result_is_awaited_again_and_its_successor_is_told(story: Story) -> None:
    story.drained()
    story.at(1, "13:00").result("ascites_cell_count", **HARMLESS)
    story.review("ascites_cell_count")
    story.at(1, "13:30").tell()
    story.looked_at = story.owed
    results.withdraw(
        test=story.test("ascites_cell_count"), reason="Another patient's", actor=Actor.person(story.cast.nora)
    )
    assert story.news() == ["+ nurse/pia: await ascites_cell_count by Wed 18 Nov 09:15"]
    story.at(1, "16:00").result("ascites_cell_count", nucleated_cells=210, pmn_percent=12)
    assert story.news() == [
        "- nurse/pia: await ascites_cell_count by Wed 18 Nov 09:15",
        "+ physician/pia: review final ascites_cell_count by Fri 20 Nov 16:00",
    ]
    story.review("ascites_cell_count")
    assert story.news() == [
        "- physician/pia: review final ascites_cell_count by Fri 20 Nov 16:00",
        "+ nurse/pia: tell now ascites_cell_count by Tue 01 Dec 16:00",
    ]
    story.tell()
    assert story.news() == ["- nurse/pia: tell now ascites_cell_count by Tue 01 Dec 16:00"]


def test_who_was_told_a_result_that_is_taken_back_for_good_hears_of_it(story: Story) -> None:
    story.drained()
    story.at(1, "13:00").result("ascites_cell_count", **HARMLESS)
    story.review("ascites_cell_count")
    story.at(1, "13:30").tell()
    nora, test = Actor.person(story.cast.nora), story.test("ascites_cell_count")
    results.withdraw(test=test, reason="Another patient's", actor=nora)
    story.looked_at = story.owed
    labs.cancel_test(test=test, reason="Not enough fluid left", actor=nora)
    assert story.news() == [
        "- nurse/pia: await ascites_cell_count by Wed 18 Nov 09:15",
        "+ nurse/pia: tell that there is no result by Tue 24 Nov 13:30",
    ]
    story.tell_no_result()
    assert story.news() == ["- nurse/pia: tell that there is no result by Tue 24 Nov 13:30"]


# --- specimens that do not arrive -------------------------------------------------------------


def test_a_lost_specimen_is_decided_on_collected_again_and_its_clock_begins_anew(story: Story) -> None:
    story.at(0, "09:00").request("paracentesis", "malignancy")
    story.book(1, "09:00")
    story.at(1, "08:30").arrive()
    story.sign("pre_visit", "consent", "sign_in", "time_out")
    story.at(1, "09:00").start()
    story.at(1, "09:15").collect()
    story.at(1, "10:00").complete()
    story.record()
    story.sign_record()
    story.looked_at = story.owed

    # two hours without a word from the laboratory: one alarm per tube, to whoever is on duty
    story.mailed()
    story.at(1, "11:16")
    assert story.mailed() == [
        "nora: specimen_not_received",
        "nora: specimen_not_received",
        "nora: specimen_not_received",
        "nora: specimen_not_received",
    ]
    story.at(1, "11:30").lose("ascites_cytology", "Tube broken in the lift")
    assert story.news() == [
        "- nurse/pia: receive ascites_cytology by Tue 17 Nov 11:15",
        "- nurse/pia: await ascites_cytology by Tue 24 Nov 09:15",
        "+ physician/pia: decide on ascites_cytology by Wed 18 Nov 11:30",
    ]
    story.deliver()
    assert story.news() == [
        "- nurse/pia: receive ascites_bottles by Tue 17 Nov 11:15",
        "- nurse/pia: receive ascites_edta by Tue 17 Nov 11:15",
        "- nurse/pia: receive ascites_plain by Tue 17 Nov 11:15",
        "- nurse/pia: receive serum_tube by Tue 17 Nov 13:15",
    ]
    labs.decide_recollection(
        test=story.test("ascites_cytology"), note="at the next tap", actor=Actor.person(story.cast.pia)
    )
    assert story.news() == ["+ nurse/pia: tell that there is no result by Tue 24 Nov 11:30"]
    story.at(2, "10:00").collect("ascites_cytology")
    assert story.news() == [
        "- physician/pia: decide on ascites_cytology by Wed 18 Nov 11:30",
        "- nurse/pia: tell that there is no result by Tue 24 Nov 11:30",
        "+ nurse/pia: receive ascites_cytology by Wed 18 Nov 12:00",
        "+ nurse/pia: await ascites_cytology by Wed 25 Nov 10:00",
    ]
    story.deliver()
    assert story.test("ascites_cytology").status == "received"


def test_a_lost_specimen_that_is_accepted_is_told_to_the_patient(story: Story) -> None:
    story.drained()
    story.lose("ascites_edta", "Never arrived")
    assert story.news() == [
        "- nurse/pia: await ascites_cell_count by Wed 18 Nov 09:15",
        "+ physician/pia: decide on ascites_cell_count by Wed 18 Nov 10:00",
    ]
    labs.cancel_test(
        test=story.test("ascites_cell_count"),
        reason="Fluid was clear, no second needle",
        actor=Actor.person(story.cast.pia),
    )
    assert story.news() == [
        "- physician/pia: decide on ascites_cell_count by Wed 18 Nov 10:00",
        "+ nurse/pia: tell that there is no result by Tue 24 Nov 10:00",
    ]
    story.tell_no_result()
    assert story.news() == ["- nurse/pia: tell that there is no result by Tue 24 Nov 10:00"]


def test_any_result_implies_receipt(story: Story) -> None:
    story.at(0, "09:00").request("paracentesis", "serial_relief")
    story.book(1, "09:00")
    story.at(1, "08:30").arrive()
    story.sign("pre_visit", "consent", "sign_in", "time_out")
    story.at(1, "09:00").start()
    story.at(1, "09:15").collect()
    story.looked_at = story.owed
    story.at(1, "10:45").result("ascites_cell_count", **HARMLESS)
    assert story.news() == [
        "- nurse/pia: receive ascites_edta by Tue 17 Nov 11:15",
        "- nurse/pia: await ascites_cell_count by Wed 18 Nov 09:15",
        "+ physician/pia: review final ascites_cell_count by Fri 20 Nov 10:45",
    ]


def test_a_result_of_a_tube_that_nobody_recorded_is_read_all_the_same(story: Story) -> None:
    story.at(0, "09:00").request("paracentesis", "serial_relief")
    story.book(1, "09:00")
    story.at(1, "08:30").arrive()
    story.sign("pre_visit", "consent", "sign_in", "time_out")
    story.at(1, "09:00").start()
    story.at(1, "09:30").complete()
    story.looked_at = story.owed
    assert "nurse/pia: collect ascites_cell_count by Tue 17 Nov 11:30" in story.owed
    story.at(1, "12:00").result("ascites_cell_count", **HARMLESS)
    assert story.news() == [
        "- nurse/pia: collect ascites_cell_count by Tue 17 Nov 11:30",
        "+ physician/pia: review final ascites_cell_count by Fri 20 Nov 12:00",
    ]
