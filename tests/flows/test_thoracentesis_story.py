"""A third kind of procedure is one file: this one is carried from the request to the end with no code of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from procedures.services import protocols
from procedures.services.records import NotComplete
from tests.flows.story import Story

pytestmark = pytest.mark.django_db

TEST_DATA = Path(__file__).resolve().parent.parent / "data" / "protocols"
SAME_DAY = {
    "pleural_ph": {"ph": 7.41},
    "pleural_cell_count": {"nucleated_cells": 900, "pmn_percent": 30},
    "pleural_gram": {"result": "none_seen"},
    "serum_protein": {"protein": 6.4},
    "pleural_protein": {"protein": 4.1},
    "serum_ldh": {"ldh": 210},
    "pleural_ldh": {"ldh": 250},
    "pleural_glucose": {"glucose": 88},
}


def test_a_new_effusion_from_the_request_to_the_end(story: Story) -> None:
    assert not (protocols.PROTOCOL_DIR / "thoracentesis.toml").exists()
    assert [path.name for path in protocols.files(TEST_DATA)] == ["thoracentesis.toml"]

    story.at(0, "09:00").request("thoracentesis", "new_effusion")
    story.book(1, "11:00")
    assert story.news() == [
        "+ nurse/pia: sign pre_visit, consent by Tue 17 Nov 11:00",
        "+ nurse: carry out (scheduled) by Tue 17 Nov 12:15",
    ]
    story.at(1, "10:30").arrive()
    story.sign("pre_visit", "consent", "sign_in", "time_out")
    story.at(1, "11:00").start()
    story.at(1, "11:10").collect()
    assert story.news() == [
        "- nurse/pia: sign pre_visit, consent by Tue 17 Nov 11:00",
        "- nurse: carry out (scheduled) by Tue 17 Nov 12:15",
        "+ nurse/pia: receive pleural_gas by Tue 17 Nov 12:10",
        "+ physician/pia: carry out (in_progress) by Tue 17 Nov 12:15",
        "+ nurse/pia: receive pleural_cytology by Tue 17 Nov 13:10",
        "+ nurse/pia: receive pleural_edta by Tue 17 Nov 13:10",
        "+ nurse/pia: receive pleural_plain by Tue 17 Nov 13:10",
        "+ nurse/pia: receive pleural_sterile by Tue 17 Nov 13:10",
        "+ nurse/pia: await pleural_ph by Tue 17 Nov 15:10",
        "+ nurse/pia: receive serum_tube by Tue 17 Nov 15:10",
        "+ nurse/pia: await pleural_cell_count by Wed 18 Nov 11:10",
        "+ nurse/pia: await pleural_glucose, pleural_ldh, pleural_protein by Wed 18 Nov 11:10",
        "+ nurse/pia: await pleural_gram by Wed 18 Nov 11:10",
        "+ nurse/pia: await serum_ldh, serum_protein by Wed 18 Nov 11:10",
        "+ nurse/pia: await pleural_cytology by Tue 24 Nov 11:10",
        "+ nurse/pia: await pleural_culture by Tue 24 Nov 11:10",
    ]
    story.at(1, "11:20").deliver()
    story.at(1, "11:50").complete()
    story.record(site="left", volume_removed_ml=1800, appearance="clear", film_after="no_air")
    with pytest.raises(NotComplete) as refused:
        story.sign_record()
    assert [problem.field for problem in refused.value.problems] == ["large_volume_reason"]
    story.record(
        site="left", volume_removed_ml=1800, large_volume_reason="Still short of breath at 1.5 L", appearance="clear"
    )
    story.sign_record()
    story.sign("sign_out")
    assert story.news() == [
        "- nurse/pia: receive pleural_gas by Tue 17 Nov 12:10",
        "- physician/pia: carry out (in_progress) by Tue 17 Nov 12:15",
        "- nurse/pia: receive pleural_cytology by Tue 17 Nov 13:10",
        "- nurse/pia: receive pleural_edta by Tue 17 Nov 13:10",
        "- nurse/pia: receive pleural_plain by Tue 17 Nov 13:10",
        "- nurse/pia: receive pleural_sterile by Tue 17 Nov 13:10",
        "- nurse/pia: receive serum_tube by Tue 17 Nov 15:10",
        "+ nurse/pia: ask day_1 by Thu 19 Nov 11:00",
    ]

    story.at(1, "16:00").normal_results(SAME_DAY)
    ratio = story.current("pleural_protein").calculated["pleural_serum_protein_ratio"]["value"]
    assert round(ratio, 2) == 0.64
    story.review_normals()
    assert story.news() == [
        "- nurse/pia: await pleural_ph by Tue 17 Nov 15:10",
        "- nurse/pia: await pleural_cell_count by Wed 18 Nov 11:10",
        "- nurse/pia: await pleural_glucose, pleural_ldh, pleural_protein by Wed 18 Nov 11:10",
        "- nurse/pia: await pleural_gram by Wed 18 Nov 11:10",
        "- nurse/pia: await serum_ldh, serum_protein by Wed 18 Nov 11:10",
        "+ nurse/pia: tell 8 tests by Tue 01 Dec 16:00",
    ]
    assert story.at(2, "12:00").ask_symptoms("day_1") == ""
    cytology = story.at(4, "12:00").result("pleural_cytology", result="malignant")
    assert cytology.level == "abnormal"
    assert story.news() == [
        "- nurse/pia: ask day_1 by Thu 19 Nov 11:00",
        "- nurse/pia: await pleural_cytology by Tue 24 Nov 11:10",
        "+ physician/pia: review abnormal final pleural_cytology by Sat 21 Nov 12:00",
    ]
    story.review("pleural_cytology", "abnormal", plan="refer", plan_detail="Thoracic oncology this week", tell="now")
    story.at(4, "14:00").tell("pleural_cytology", spoke_with="the patient and her daughter", channel="in_person")
    story.act("Seen on Monday at ten")
    assert story.news() == ["- physician/pia: review abnormal final pleural_cytology by Sat 21 Nov 12:00"]
    story.at(6, "09:00").result("pleural_culture", growth="no_growth")
    story.at(7, "09:00").review_normals()
    assert not story.is_closed
    story.tell()
    assert story.news() == [
        "- nurse/pia: await pleural_culture by Tue 24 Nov 11:10",
        "- nurse/pia: tell 8 tests by Tue 01 Dec 16:00",
    ]
    assert story.is_closed
