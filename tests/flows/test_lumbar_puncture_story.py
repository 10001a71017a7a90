"""Suspected multiple sclerosis: apixaban is held, ten results come within days, the bands on day 7."""

from __future__ import annotations

import pytest

from clinic.actor import Actor
from followups.domain.kinds import Kind
from procedures.domain.answers import Entry
from procedures.services import checklist_rows
from tests.flows.story import Story, moment

pytestmark = pytest.mark.django_db

#: What most laboratories report on the day itself.
SAME_DAY = {
    "csf_cell_count": {"white_cells": 3, "red_cells": 12},
    "serum_glucose": {"glucose": 95},
    "csf_glucose": {"glucose": 62},
    "csf_protein": {"protein": 38},
    "csf_gram": {"result": "none_seen"},
    "serum_albumin": {"albumin": 4200},
}


def test_suspected_multiple_sclerosis_from_the_request_to_the_bands(story: Story) -> None:
    story.at(0, "08:10").request("lumbar_puncture", "multiple_sclerosis")
    assert story.news() == ["+ scheduler: book by Wed 18 Nov 08:10"]
    story.at(0, "08:30").book(3, "10:00")
    assert story.news() == [
        "- scheduler: book by Wed 18 Nov 08:10",
        "+ nurse/pia: sign pre_visit, consent by Wed 18 Nov 08:10",
        "+ nurse: carry out (scheduled) by Thu 19 Nov 11:30",
    ]

    the_blood_thinner(story)
    the_needle(story)
    the_results_of_a_day(story)
    the_headache(story)
    the_late_results(story)
    the_last_questions(story)

    assert story.is_closed
    assert story.why_ended(Kind.RESTART_MEDICINE) == {"kept"}
    assert story.why_ended(Kind.AWAITED_RESULT) == {"kept"}


def the_blood_thinner(story: Story) -> None:
    story.at(0, "09:00").hold("Apixaban", last_dose=moment(0, "08:00"), agreed_with="Dr. Okonjo, cardiology, 555-0142")
    assert story.news() == ["+ physician/pia: restart Apixaban by Thu 19 Nov 11:30"]
    checklist_rows.add_medicine(
        actor=Actor.person(story.cast.nora),
        procedure=story.case,
        name="Apixaban",
        dose="5 mg twice a day",
        status="stopped",
        last_dose_at=moment(0, "08:00"),
        thins_blood=True,
    )
    story.at(2, "09:00").sign("pre_visit")
    assert story.news() == [
        "- nurse/pia: sign pre_visit, consent by Wed 18 Nov 08:10",
        "+ nurse/pia: sign consent by Wed 18 Nov 08:10",
    ]


def the_needle(story: Story) -> None:
    story.at(3, "09:30").arrive()
    story.sign("consent")
    last_dose = {
        "blood_thinner": Entry(pick="=last_dose_known"),
        "blood_thinner_name": Entry(value="Apixaban"),
        "blood_thinner_last_dose": Entry(value="2026-11-16T08:00"),
    }
    story.answer_checklist("sign_in", **last_dose)
    story.sign("sign_in", "time_out")
    story.at(3, "10:00").start()
    story.at(3, "10:20").collect()
    assert story.news() == [
        "- nurse/pia: sign consent by Wed 18 Nov 08:10",
        "- nurse: carry out (scheduled) by Thu 19 Nov 11:30",
        "+ physician/pia: carry out (in_progress) by Thu 19 Nov 11:30",
        "+ nurse/pia: receive csf_tube_1 by Thu 19 Nov 12:20",
        "+ nurse/pia: receive csf_tube_2 by Thu 19 Nov 12:20",
        "+ nurse/pia: receive csf_tube_3 by Thu 19 Nov 12:20",
        "+ nurse/pia: receive csf_tube_4 by Thu 19 Nov 12:20",
        "+ nurse/pia: receive serum_tube by Thu 19 Nov 14:20",
        "+ nurse/pia: await csf_glucose, csf_protein by Fri 20 Nov 10:20",
        "+ nurse/pia: await csf_gram by Fri 20 Nov 10:20",
        "+ nurse/pia: await csf_cell_count by Fri 20 Nov 10:20",
        "+ nurse/pia: await serum_albumin, serum_glucose by Fri 20 Nov 10:20",
        "+ nurse/pia: await csf_culture by Thu 26 Nov 10:20",
        "+ nurse/pia: await igg_index, oligoclonal_bands by Thu 26 Nov 10:20",
        "+ nurse/pia: await serum_igg, serum_oligoclonal_bands by Thu 26 Nov 10:20",
    ]
    story.at(3, "10:35").deliver()
    story.record(appearance="clear", traumatic_tap="no")
    story.sign_record()
    story.at(3, "11:20").restart_planned(4, "10:00")
    story.complete()
    assert story.news() == [
        "- physician/pia: carry out (in_progress) by Thu 19 Nov 11:30",
        "- physician/pia: restart Apixaban by Thu 19 Nov 11:30",
        "- nurse/pia: receive csf_tube_1 by Thu 19 Nov 12:20",
        "- nurse/pia: receive csf_tube_2 by Thu 19 Nov 12:20",
        "- nurse/pia: receive csf_tube_3 by Thu 19 Nov 12:20",
        "- nurse/pia: receive csf_tube_4 by Thu 19 Nov 12:20",
        "- nurse/pia: receive serum_tube by Thu 19 Nov 14:20",
        "+ nurse/pia: ask evening by Thu 19 Nov 19:00",
        "+ physician/pia: restart Apixaban by Fri 20 Nov 10:00",
        "+ nurse/pia: ask day_1 by Sat 21 Nov 10:00",
        "+ nurse/pia: ask day_2 by Sun 22 Nov 10:00",
        "+ nurse/pia: ask day_7 by Fri 27 Nov 10:00",
    ]


def the_results_of_a_day(story: Story) -> None:
    story.at(3, "14:30").normal_results(SAME_DAY)
    assert round(story.current("csf_glucose").calculated["csf_serum_glucose_ratio"]["value"], 2) == 0.65
    assert story.news() == [
        "- nurse/pia: await csf_glucose, csf_protein by Fri 20 Nov 10:20",
        "- nurse/pia: await csf_gram by Fri 20 Nov 10:20",
        "- nurse/pia: await csf_cell_count by Fri 20 Nov 10:20",
        "- nurse/pia: await serum_albumin, serum_glucose by Fri 20 Nov 10:20",
        "+ physician/pia: review final csf_cell_count by Sun 22 Nov 14:30",
        "+ physician/pia: review final serum_glucose by Sun 22 Nov 14:30",
        "+ physician/pia: review final csf_glucose by Sun 22 Nov 14:30",
        "+ physician/pia: review final csf_protein by Sun 22 Nov 14:30",
        "+ physician/pia: review final csf_gram by Sun 22 Nov 14:30",
        "+ physician/pia: review final serum_albumin by Sun 22 Nov 14:30",
    ]
    story.at(3, "16:00").review_normals()
    assert story.news() == [
        "- physician/pia: review final csf_cell_count by Sun 22 Nov 14:30",
        "- physician/pia: review final serum_glucose by Sun 22 Nov 14:30",
        "- physician/pia: review final csf_glucose by Sun 22 Nov 14:30",
        "- physician/pia: review final csf_protein by Sun 22 Nov 14:30",
        "- physician/pia: review final csf_gram by Sun 22 Nov 14:30",
        "- physician/pia: review final serum_albumin by Sun 22 Nov 14:30",
        "+ nurse/pia: tell 6 tests by Thu 03 Dec 16:00",
    ]
    assert story.at(3, "17:00").ask_symptoms("evening") == ""
    assert story.news() == ["- nurse/pia: ask evening by Thu 19 Nov 19:00"]


def the_headache(story: Story) -> None:
    """A headache on day 2 is asked about every day; the medicine is restarted when the physician said."""
    assert story.at(4, "10:10").ask_symptoms("day_1", restarted="yes", back="mild") == "D"
    assert story.news() == ["- nurse/pia: ask day_1 by Sat 21 Nov 10:00"]
    story.at(4, "10:15").restart()
    assert story.news() == ["- physician/pia: restart Apixaban by Fri 20 Nov 10:00"]
    story.result("serum_igg", igg=980)
    story.result("csf_culture", "preliminary", growth="no_growth_so_far")
    assert story.news() == [
        "- nurse/pia: await serum_igg, serum_oligoclonal_bands by Thu 26 Nov 10:20",
        "+ physician/pia: review final serum_igg by Mon 23 Nov 10:15",
        "+ nurse/pia: await serum_oligoclonal_bands by Thu 26 Nov 10:20",
    ]
    worst = story.at(5, "11:00").ask_symptoms(
        "day_2", headache="postural", handled="Rest, fluids, paracetamol; calls again if it gets worse"
    )
    assert worst == "C"
    assert story.news() == [
        "- nurse/pia: ask day_2 by Sun 22 Nov 10:00",
        # every day until it is gone
        "+ nurse/pia: ask day_3 by Mon 23 Nov 10:00",
        "+ nurse/pia: ask day_4 by Tue 24 Nov 10:00",
        "+ nurse/pia: ask day_5 by Wed 25 Nov 10:00",
        "+ nurse/pia: ask day_6 by Thu 26 Nov 10:00",
        "+ nurse/pia: ask day_8 by Sat 28 Nov 10:00",
        "+ nurse/pia: ask day_9 by Sun 29 Nov 10:00",
        "+ nurse/pia: ask day_10 by Mon 30 Nov 10:00",
        "+ nurse/pia: ask day_11 by Tue 01 Dec 10:00",
        "+ nurse/pia: ask day_12 by Wed 02 Dec 10:00",
        "+ nurse/pia: ask day_13 by Thu 03 Dec 10:00",
        "+ nurse/pia: ask day_14 by Fri 04 Dec 10:00",
    ]


def the_late_results(story: Story) -> None:
    story.at(6, "10:20").result("csf_culture", growth="no_growth")
    story.at(7, "11:00").result("igg_index", csf_igg=5.1, csf_albumin=24, reported_index=0.91)
    assert story.news() == [
        "- nurse/pia: await csf_culture by Thu 26 Nov 10:20",
        "- nurse/pia: await igg_index, oligoclonal_bands by Thu 26 Nov 10:20",
        "+ physician/pia: review abnormal final igg_index by Tue 24 Nov 11:00",
        "+ physician/pia: review final csf_culture by Wed 25 Nov 10:20",
        "+ nurse/pia: await oligoclonal_bands by Thu 26 Nov 10:20",
    ]
    story.at(7, "12:00").review_normals()
    story.review("igg_index", "abnormal", comment="Raised; fits, together with the bands to come", tell="with_all")
    assert story.news() == [
        "- physician/pia: review final serum_igg by Mon 23 Nov 10:15",
        "- physician/pia: review abnormal final igg_index by Tue 24 Nov 11:00",
        "- physician/pia: review final csf_culture by Wed 25 Nov 10:20",
        "- nurse/pia: tell 6 tests by Thu 03 Dec 16:00",
        "+ nurse/pia: tell now igg_index by Mon 30 Nov 12:00",
        "+ nurse/pia: tell 8 tests by Thu 03 Dec 16:00",
    ]
    assert story.at(8, "10:00").ask_symptoms("day_5") == ""

    # the bands: awaited to the last hour of their seventh day, and never overdue
    story.at(10, "09:50").result("serum_oligoclonal_bands", serum_bands=0)
    bands = story.result("oligoclonal_bands", csf_only_bands=4)
    assert bands.level == "abnormal"
    assert story.why_ended(Kind.AWAITED_RESULT) == {"kept"}
    assert story.news() == [
        # the headache is gone; the days before were silent and are answered with this one
        "- nurse/pia: ask day_3 by Mon 23 Nov 10:00",
        "- nurse/pia: ask day_4 by Tue 24 Nov 10:00",
        "- nurse/pia: ask day_5 by Wed 25 Nov 10:00",
        "- nurse/pia: ask day_6 by Thu 26 Nov 10:00",
        "- nurse/pia: await oligoclonal_bands by Thu 26 Nov 10:20",
        "- nurse/pia: await serum_oligoclonal_bands by Thu 26 Nov 10:20",
        "- nurse/pia: ask day_8 by Sat 28 Nov 10:00",
        "- nurse/pia: ask day_9 by Sun 29 Nov 10:00",
        "- nurse/pia: ask day_10 by Mon 30 Nov 10:00",
        "- nurse/pia: ask day_11 by Tue 01 Dec 10:00",
        "- nurse/pia: ask day_12 by Wed 02 Dec 10:00",
        "- nurse/pia: ask day_13 by Thu 03 Dec 10:00",
        "+ physician/pia: review abnormal final oligoclonal_bands by Fri 27 Nov 09:50",
        "+ physician/pia: review final serum_oligoclonal_bands by Sun 29 Nov 09:50",
    ]
    story.at(10, "13:00").review_normals()
    story.review(
        "oligoclonal_bands",
        "abnormal",
        comment="Four bands in the fluid alone",
        plan="refer",
        plan_detail="Neurology, MS clinic, within two weeks",
        tell="now",
        patient_message="The spinal fluid shows signs of inflammation. The MS clinic will see you.",
    )
    assert story.news() == [
        "- physician/pia: review abnormal final oligoclonal_bands by Fri 27 Nov 09:50",
        "- physician/pia: review final serum_oligoclonal_bands by Sun 29 Nov 09:50",
        "- nurse/pia: tell now igg_index by Mon 30 Nov 12:00",
        "- nurse/pia: tell 8 tests by Thu 03 Dec 16:00",
        "+ nurse/pia: tell now igg_index, oligoclonal_bands by Mon 30 Nov 12:00",
        "+ physician/pia: refer by Thu 03 Dec 13:00",
        "+ nurse/pia: tell 9 tests by Thu 03 Dec 16:00",
    ]
    story.at(10, "14:00").tell()
    assert story.news() == [
        "- nurse/pia: tell now igg_index, oligoclonal_bands by Mon 30 Nov 12:00",
        "- nurse/pia: tell 9 tests by Thu 03 Dec 16:00",
    ]
    story.at(11, "09:00").act("Referred; appointment on 9 December")
    assert story.news() == ["- physician/pia: refer by Thu 03 Dec 13:00"]


def the_last_questions(story: Story) -> None:
    assert story.at(11, "10:00").ask_symptoms("day_7") == ""
    assert story.news() == ["- nurse/pia: ask day_7 by Fri 27 Nov 10:00"]
    assert not story.is_closed
    assert story.at(17, "10:30").ask_symptoms("day_14") == ""
    assert story.news() == ["- nurse/pia: ask day_14 by Fri 04 Dec 10:00"]
