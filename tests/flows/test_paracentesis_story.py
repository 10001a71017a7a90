"""Six litres are drained from a tense belly, and the fluid turns out to be infected."""

from __future__ import annotations

import pytest

from followups.domain.kinds import Kind
from followups.services.reviews import CriticalNeedsPlan
from procedures.services.records import NotComplete
from procedures.services.results import NeedsReadBack
from procedures.services.starts import gates
from tests.flows.story import Story

pytestmark = pytest.mark.django_db


def test_six_litres_from_the_request_to_the_last_question(story: Story) -> None:
    story.at(0, "09:00").request("paracentesis", "relief")
    assert story.news() == ["+ scheduler: book by Wed 18 Nov 09:00"]
    story.at(0, "09:20").book(1, "09:00")
    assert story.news() == [
        "- scheduler: book by Wed 18 Nov 09:00",
        "+ nurse/pia: sign pre_visit, consent by Tue 17 Nov 09:00",
        "+ nurse: carry out (scheduled) by Tue 17 Nov 12:00",
    ]
    story.order("ascites_cytology")
    story.at(0, "14:00").sign("pre_visit", "consent")
    assert story.news() == ["- nurse/pia: sign pre_visit, consent by Tue 17 Nov 09:00"]

    the_day_of_the_needle(story)
    the_alarm(story)
    the_other_results_of_the_day(story)
    the_days_after(story)

    assert story.is_closed
    assert story.why_ended(Kind.TELL_PATIENT) == {"kept"}
    assert not story.owed


def the_day_of_the_needle(story: Story) -> None:
    story.at(1, "08:45").arrive()
    with pytest.raises(gates.StartBlocked) as blocked:
        story.start()
    assert blocked.value.blockers == [
        "The checklist is not signed: Sign-in.",
        "The checklist is not signed: Time-out.",
    ]
    story.sign("sign_in", "time_out")
    story.at(1, "09:00").start()
    assert story.news() == [
        "- nurse: carry out (scheduled) by Tue 17 Nov 12:00",
        "+ physician/pia: carry out (in_progress) by Tue 17 Nov 12:00",
    ]
    story.at(1, "09:10").collect(accession="A-4711")
    assert story.news() == [
        "+ nurse/pia: receive ascites_bottles by Tue 17 Nov 11:10",
        "+ nurse/pia: receive ascites_cytology by Tue 17 Nov 11:10",
        "+ nurse/pia: receive ascites_edta by Tue 17 Nov 11:10",
        "+ nurse/pia: receive ascites_plain by Tue 17 Nov 11:10",
        "+ nurse/pia: receive serum_tube by Tue 17 Nov 13:10",
        "+ nurse/pia: await ascites_cell_count by Wed 18 Nov 09:10",
        "+ nurse/pia: await ascites_albumin, ascites_protein by Wed 18 Nov 09:10",
        "+ nurse/pia: await serum_albumin by Wed 18 Nov 09:10",
        "+ nurse/pia: await ascites_culture by Tue 24 Nov 09:10",
        "+ nurse/pia: await ascites_cytology by Tue 24 Nov 09:10",
    ]
    story.at(1, "09:40").deliver()
    assert story.news() == [
        "- nurse/pia: receive ascites_bottles by Tue 17 Nov 11:10",
        "- nurse/pia: receive ascites_cytology by Tue 17 Nov 11:10",
        "- nurse/pia: receive ascites_edta by Tue 17 Nov 11:10",
        "- nurse/pia: receive ascites_plain by Tue 17 Nov 11:10",
        "- nurse/pia: receive serum_tube by Tue 17 Nov 13:10",
    ]
    story.at(1, "10:20").complete()
    assert story.news() == [
        "- physician/pia: carry out (in_progress) by Tue 17 Nov 12:00",
        "+ physician/pia: sign the record by Wed 18 Nov 10:20",
        "+ nurse/pia: ask day_1 by Thu 19 Nov 09:00",
        "+ nurse/pia: ask day_2 by Fri 20 Nov 09:00",
        "+ nurse/pia: ask day_7 by Wed 25 Nov 09:00",
    ]

    story.record(volume_removed_ml=6000)
    with pytest.raises(NotComplete) as refused:
        story.sign_record()
    assert [problem.text for problem in refused.value.problems] == [
        "More than 5 L were removed: albumin in grams, or the reason why none was given. "
        "For 6 L, 6 to 8 g per litre is 36 to 48 g.",
    ]
    story.record(volume_removed_ml=6000, albumin_product="percent_25", albumin_given_g=48)
    story.sign_record()
    assert story.news() == [
        "- physician/pia: sign the record by Wed 18 Nov 10:20",
        "+ nurse/pia: take bloods_after_drainage by Tue 24 Nov 09:00",
    ]
    story.sign("sign_out")
    assert story.mailed() == []


def the_alarm(story: Story) -> None:
    count = {"nucleated_cells": 520, "pmn_percent": 60}
    story.at(1, "12:40")
    with pytest.raises(NeedsReadBack):
        story.result("ascites_cell_count", "preliminary", **count)
    alarm = story.result("ascites_cell_count", "preliminary", again="520", **count)
    assert (alarm.level, alarm.calculated["ascites_pmn"]["value"]) == ("critical", 312)
    assert story.news() == ["+ physician/pia: review critical preliminary ascites_cell_count by Tue 17 Nov 13:40"]
    story.at(1, "12:41")
    assert story.mailed() == ["pia: review_result"]
    story.at(1, "12:56")
    assert story.mailed() == [
        "pia: review_result",
        "carl: review_result",
    ]

    with pytest.raises(CriticalNeedsPlan):
        story.review("ascites_cell_count", "critical")
    story.review("ascites_cell_count", "critical", plan="treat", plan_detail="Ceftriaxone 2 g i.v. now", tell="now")
    assert story.news() == [
        "- physician/pia: review critical preliminary ascites_cell_count by Tue 17 Nov 13:40",
        "+ physician/pia: treat by Tue 17 Nov 20:56",
        "+ nurse/pia: tell now ascites_cell_count by Tue 17 Nov 20:56",
    ]
    story.at(1, "13:20").act("First dose given at 13:15")
    assert story.news() == ["- physician/pia: treat by Tue 17 Nov 20:56"]
    story.at(1, "13:30").tell()
    assert story.news() == ["- nurse/pia: tell now ascites_cell_count by Tue 17 Nov 20:56"]

    # a review of a preliminary never stands for the final, and what was told before is told again
    story.at(1, "15:00").result("ascites_cell_count", again="520", **count)
    assert story.news() == [
        "- nurse/pia: await ascites_cell_count by Wed 18 Nov 09:10",
        "+ physician/pia: review critical final ascites_cell_count by Tue 17 Nov 16:00",
    ]
    story.review("ascites_cell_count", "critical", plan="treat", plan_detail="Ceftriaxone for five days", tell="now")
    story.act("Prescribed until Saturday")
    assert story.news() == [
        "- physician/pia: review critical final ascites_cell_count by Tue 17 Nov 16:00",
        "+ nurse/pia: tell now ascites_cell_count by Tue 17 Nov 23:00",
    ]
    story.at(1, "15:30").tell("ascites_cell_count")
    assert story.news() == ["- nurse/pia: tell now ascites_cell_count by Tue 17 Nov 23:00"]


def the_other_results_of_the_day(story: Story) -> None:
    story.at(1, "15:40").result("ascites_protein", protein=1.2)
    waiting = story.result("ascites_albumin", albumin=1.1)
    assert waiting.calculated["saag"]["refused"] == "missing"
    partner = story.at(1, "15:50").result("serum_albumin", albumin=2.9)
    assert partner.calculated["saag"]["value"] == 1.8
    assert story.news() == [
        "- nurse/pia: await ascites_albumin, ascites_protein by Wed 18 Nov 09:10",
        "- nurse/pia: await serum_albumin by Wed 18 Nov 09:10",
        "+ physician/pia: review final ascites_protein by Fri 20 Nov 15:40",
        "+ physician/pia: review final ascites_albumin by Fri 20 Nov 15:40",
        "+ physician/pia: review final serum_albumin by Fri 20 Nov 15:50",
    ]
    story.at(1, "16:30").review_normals()
    assert story.news() == [
        "- physician/pia: review final ascites_protein by Fri 20 Nov 15:40",
        "- physician/pia: review final ascites_albumin by Fri 20 Nov 15:40",
        "- physician/pia: review final serum_albumin by Fri 20 Nov 15:50",
        "+ nurse/pia: tell ascites_albumin, ascites_protein, serum_albumin by Tue 01 Dec 16:30",
    ]


def blood_of_the_third_day(story: Story) -> None:
    """More than five litres: creatinine, sodium and potassium within day three to seven."""
    story.at(4, "10:30").order_panel("bloods_after_drainage")
    assert story.news() == []  # ordered is not taken
    story.collect()
    assert story.news() == [
        "- nurse/pia: take bloods_after_drainage by Tue 24 Nov 09:00",
        "+ nurse/pia: receive serum_tube by Fri 20 Nov 14:30",
        "+ nurse/pia: await later_creatinine, later_potassium, later_sodium by Sat 21 Nov 10:30",
    ]
    assert story.why_ended(Kind.LATER_TESTS) == {"kept"}
    story.deliver()
    story.at(4, "15:00").result("later_creatinine", creatinine=1.1)
    story.result("later_sodium", sodium=134)
    story.result("later_potassium", potassium=4.4)
    story.looked_at = story.owed


def the_days_after(story: Story) -> None:
    assert story.at(2, "09:30").ask_symptoms("day_1", leak="clear") == "D"
    assert story.news() == ["- nurse/pia: ask day_1 by Thu 19 Nov 09:00"]
    # no growth so far is listed, and asks nobody
    story.at(3, "09:15").result("ascites_culture", "preliminary", growth="no_growth_so_far")
    story.ask_symptoms("day_2")
    assert story.news() == ["- nurse/pia: ask day_2 by Fri 20 Nov 09:00"]
    story.at(4, "10:00").result("ascites_cytology", result="negative")
    assert story.news() == [
        "- nurse/pia: await ascites_cytology by Tue 24 Nov 09:10",
        "+ physician/pia: review final ascites_cytology by Mon 23 Nov 10:00",
    ]
    blood_of_the_third_day(story)
    story.at(4, "16:00").review_normals()
    assert story.news() == [
        "- physician/pia: review final ascites_cytology by Mon 23 Nov 10:00",
        "- physician/pia: review final later_creatinine by Mon 23 Nov 15:00",
        "- physician/pia: review final later_sodium by Mon 23 Nov 15:00",
        "- physician/pia: review final later_potassium by Mon 23 Nov 15:00",
        "- nurse/pia: tell ascites_albumin, ascites_protein, serum_albumin by Tue 01 Dec 16:30",
        "+ nurse/pia: tell 7 tests by Tue 01 Dec 16:30",
    ]
    story.at(6, "11:00").result("ascites_culture", growth="no_growth")
    assert story.news() == [
        "- nurse/pia: await ascites_culture by Tue 24 Nov 09:10",
        "+ physician/pia: review final ascites_culture by Wed 25 Nov 11:00",
    ]
    story.at(7, "09:00").review_normals()
    assert story.news() == [
        "- physician/pia: review final ascites_culture by Wed 25 Nov 11:00",
        "- nurse/pia: tell 7 tests by Tue 01 Dec 16:30",
        "+ nurse/pia: tell 8 tests by Tue 01 Dec 16:30",
    ]
    story.at(7, "09:30").tell()
    assert story.news() == ["- nurse/pia: tell 8 tests by Tue 01 Dec 16:30"]
    assert not story.is_closed
    story.at(8, "09:30").ask_symptoms("day_7", fluid_back="yes")
    assert story.news() == [
        "- nurse/pia: ask day_7 by Wed 25 Nov 09:00",
        "+ scheduler: offer an appointment by Wed 25 Nov 09:30",
    ]
    code, patient = story.code, story.case.patient
    story.at(8, "10:00").request("paracentesis", "serial_relief", patient=patient)
    story.code = code
    assert story.owed == []
