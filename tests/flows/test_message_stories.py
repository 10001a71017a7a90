"""Results that arrive by themselves: what messages do to a case, a few steps each, through the real path."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from procedures.interfaces.hl7 import processing
from procedures.models import InboundItem, ResultVersion
from tests.factories import hl7, inbound
from tests.factories.inbound import Chart, moreau, owed, send, tapped, waiting
from tests.flows.words import moment

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def noon(time_machine: Any) -> Any:
    """The day of the tap at noon, and a laboratory that the clinic knows."""
    time_machine.move_to(moment(7, "12:00"), tick=False)
    inbound.laboratory()
    return time_machine


def test_a_panel_in_three_messages_becomes_one_result_that_keeps_every_piece() -> None:
    chart = Chart(tapped())
    count = hl7.csf_cell_count()
    pieces = [replace(count, observations=[one], status="P") for one in count.observations]
    assert send(hl7.csf_oru(pieces[0], hl7.csf_glucose())).state == "done"
    assert chart.values("csf_cell_count") == {"white_cells": 3}
    assert chart.values("csf_glucose") == {"glucose": 62}
    send(hl7.csf_oru(replace(pieces[1], reported="20261123103000")))
    send(hl7.csf_oru(replace(pieces[2], reported="20261123110000", status="F")))
    assert chart.values("csf_cell_count") == {"white_cells": 3, "red_cells": 12, "pmn_percent": 2}
    # the order was called final only at the end: until then the whole was preliminary
    assert [v.status for v in chart.test("csf_cell_count").versions.order_by("number")] == [
        "preliminary", "preliminary", "final",
    ]  # fmt: skip
    assert "review_result:csf_cell_count" in chart.promised()


def test_any_result_implies_receipt_also_of_the_tube() -> None:
    case = tapped(accession="S1001")
    send(hl7.csf_oru(hl7.csf_protein()))
    tube = case.specimens.get()
    assert tube.received_at is not None
    assert case.tests.get(code="csf_glucose").status == "received"


# --- versions -----------------------------------------------------------------------------------


def culture(text: str, status: str, reported: str, **more: Any) -> hl7.Oru:
    return hl7.csf_oru(hl7.csf_culture(text, status=status, reported=reported, **more))


def test_a_culture_stays_open_until_final_and_unchanged_negatives_ask_nobody(noon: Any) -> None:
    chart = Chart(tapped("csf_culture"))
    send(culture("No growth at 24 hours", "P", "20261123090000"))
    send(culture("No growth at 48 hours", "P", "20261123100000"))
    assert [v.status for v in chart.test("csf_culture").versions.all()] == ["preliminary", "preliminary"]
    assert chart.values("csf_culture") == {"growth": "no_growth_so_far"}
    assert "awaited_result" in chart.promised()
    assert not [p for p in chart.promised() if p.startswith("review_result")]
    send(culture("No growth", "F", "20261123110000"))
    assert chart.values("csf_culture") == {"growth": "no_growth"}
    assert "review_result:csf_culture" in chart.promised()
    # a preliminary that comes late is on the chart, counts for nothing and asks nobody
    send(culture("No growth at 36 hours", "P", "20261123093000"))
    assert chart.test("csf_culture").versions.count() == 4
    assert chart.status("csf_culture") == "final"


def test_a_correction_of_what_was_told_is_read_and_told_again(story: Any) -> None:
    story.at(0, "09:00").request("lumbar_puncture", "meningitis", patient=moreau())
    story.book(1, "09:00")
    story.at(1, "08:30").arrive()
    story.sign("pre_visit", "consent", "sign_in", "time_out")
    story.at(1, "09:00").start()
    story.at(1, "09:10").collect(accession="S1001")
    story.at(1, "09:40").deliver()
    story.at(1, "10:00").complete()
    tube = story.test("csf_glucose").specimen.accession
    told = {"specimen": tube, "collected": "20261117091000", "received": "20261117094000"}
    story.at(1, "11:00")
    send(hl7.csf_oru(hl7.csf_protein("38", reported="20261117103000", **told)), sent="20261117103000")
    assert story.current("csf_protein").entered_by is None
    story.review("csf_protein")
    story.tell()
    story.looked_at = story.owed
    corrected = hl7.csf_protein("640", status="C", reported="20261117130000", **told)
    note = "Protein corrected from '38' to '640' at 13:00"
    corrected = replace(corrected, observations=[replace(corrected.observations[0], notes=[note])])
    story.at(1, "13:30")
    send(hl7.csf_oru(corrected, control_id="MSG00001"), sent="20261117130000")
    assert story.current("csf_protein").change_reason == note
    assert any("read again csf_protein" in line for line in story.news())
    story.mailed()
    story.at(1, "13:31")
    assert {line for line in story.mailed() if "reread" in line} == {
        "nora: reread_correction",
        "pia: reread_correction",
    }
    story.review("csf_protein", "abnormal", plan="repeat", plan_detail="Again tomorrow", tell="now")
    assert any("tell now csf_protein" in line for line in story.news())


def test_a_result_of_another_patient_leaves_the_chart_at_once_and_alarms() -> None:
    chart = Chart(tapped("csf_glucose", "csf_protein"))
    send(hl7.csf_oru(hl7.csf_glucose("20"), hl7.csf_protein()))
    wrong = hl7.csf_glucose("20", status="W", reported="20261123110000")
    send(hl7.csf_oru(wrong, sent="20261123110000"))
    assert chart.current("csf_glucose") is None
    assert chart.values("csf_protein") == {"protein": 38}
    assert chart.test("csf_glucose").versions.count() == 2  # kept for the audit
    assert chart.test("csf_glucose").status == "received"  # and awaited again
    assert "result_taken_back:csf_glucose" in chart.promised()
    chart.case.refresh_from_db()
    assert chart.case.closed_at is None
    # what was reported before it and comes later does not come back
    send(hl7.csf_oru(hl7.csf_glucose("20", filler="A2")))
    assert chart.current("csf_glucose") is None


def test_one_value_of_a_panel_is_taken_back_and_the_others_stay() -> None:
    chart = Chart(tapped("csf_cell_count"))
    send(hl7.csf_oru(hl7.csf_cell_count()))
    count = hl7.csf_cell_count(reported="20261123110000")
    gone = replace(count, observations=[replace(count.observations[1], status="W")])
    send(hl7.csf_oru(gone, sent="20261123110000"))
    assert chart.values("csf_cell_count") == {"white_cells": 3, "pmn_percent": 2}
    assert "result_taken_back:csf_cell_count" in chart.promised()


def test_one_control_number_corrects_and_then_deletes() -> None:
    chart = Chart(tapped("csf_glucose"))
    send(hl7.csf_oru(hl7.csf_glucose("62")))
    send(hl7.csf_oru(hl7.csf_glucose("60", status="C")))
    assert (chart.status("csf_glucose"), chart.values("csf_glucose")) == ("corrected", {"glucose": 60})
    deleted = hl7.csf_glucose("60", status="D", control="CA")
    send(hl7.csf_oru(deleted))
    assert chart.current("csf_glucose") is None
    assert "result_taken_back:csf_glucose" not in chart.promised()  # nobody had read it


def test_a_final_that_a_later_final_changes_is_a_correction_whatever_it_is_called() -> None:
    chart = Chart(tapped("csf_protein"))
    send(hl7.csf_oru(hl7.csf_protein("38")))
    send(hl7.csf_oru(hl7.csf_protein("38", filler="again")))  # repeated word for word: no news
    assert chart.test("csf_protein").versions.count() == 1
    send(hl7.csf_oru(hl7.csf_protein("61", reported="20261123113000")))
    assert (chart.status("csf_protein"), chart.values("csf_protein")) == ("corrected", {"protein": 61})


def test_a_cancelled_test_is_decided_on_like_a_rejected_one() -> None:
    chart = Chart(tapped("csf_protein", "csf_glucose", accession="S1001"))
    cancelled = hl7.csf_protein("", status="X")
    note = ["Quantity not sufficient"]
    cancelled = replace(cancelled, observations=[replace(cancelled.observations[0], notes=note)])
    send(hl7.csf_oru(cancelled))
    assert chart.test("csf_protein").status == "rejected"
    assert "Quantity not sufficient" in chart.test("csf_protein").ended_reason
    assert chart.test("csf_glucose").status == "collected"  # of the same tube, and not spoken of
    assert "specimen_lost" in chart.promised()


def test_a_tube_that_the_laboratory_rejects_is_lost_for_all_its_tests() -> None:
    chart = Chart(tapped("csf_protein", "csf_glucose", accession="S1001"))
    send(hl7.csf_oru(hl7.csf_protein("", status="X", reject="RH^Specimen hemolyzed^HL70490")))
    tube = chart.case.specimens.get()
    assert (tube.loss, tube.received_at) == ("rejected", None)
    assert {t.status for t in chart.case.tests.all()} == {"rejected"}


# --- criticals ----------------------------------------------------------------------------------


def test_an_organism_without_a_flag_is_critical() -> None:
    chart = Chart(tapped("csf_gram"))
    send(hl7.csf_oru(hl7.csf_gram("Gram negative diplococci")))
    current = chart.current("csf_gram")
    assert current is not None
    assert current.level == "critical"
    assert current.entered_by is None


def test_the_rules_grade_what_the_laboratory_does_not_flag_also_on_a_preliminary() -> None:
    chart = Chart(tapped(protocol="paracentesis"))
    send(hl7.ascites_oru(hl7.ascites_cell_count(nucleated="520", pmn="60", status="P")))
    current = chart.current("ascites_cell_count")
    assert current is not None
    assert (current.status, current.level) == ("preliminary", "critical")


def test_an_unknown_unit_is_kept_as_said_and_never_normal() -> None:
    chart = Chart(tapped("csf_protein"))
    send(hl7.csf_oru(hl7.csf_protein("38", unit="furlong")))
    current = chart.current("csf_protein")
    assert current is not None
    assert (current.level, current.values["protein"]["unit"]) == ("unknown", "furlong")


# --- what is not certain ------------------------------------------------------------------------


def test_a_code_for_blood_on_spinal_fluid_is_a_question() -> None:
    chart = Chart(tapped("csf_glucose"))
    order = hl7.csf_glucose("20")
    blood = replace(order, observations=[replace(order.observations[0], code="2345-7^Glucose^LN")])
    message = send(hl7.csf_oru(blood))
    assert message.state == "waiting"
    assert waiting(message) == {"OBR[1]/OBX[1]": ["code_of_another_fluid"]}
    assert chart.current("csf_glucose") is None
    assert list(owed(message)) == ["match_result"]


def test_the_number_of_one_patient_on_the_tube_of_another_is_a_question_and_an_alarm() -> None:
    mine = Chart(tapped("csf_protein"))
    other = Chart(tapped("csf_protein", patient=inbound.moreau(family="Okafor", mrn="777"), accession="S1001"))
    message = send(hl7.csf_oru(hl7.csf_protein("61")))
    assert waiting(message) == {"OBR[1]/OBX[1]": ["another_patients_specimen"]}
    assert owed(message) == {"match_result": "critical"}
    assert (mine.current("csf_protein"), other.current("csf_protein")) == (None, None)


@pytest.mark.parametrize(
    ("patient", "reason"),
    [
        (hl7.Patient(numbers=(("12345", "EXAMPLE HOSPITAL", "MR"),)), "unknown_number"),  # leading zeros say something
        (hl7.Patient(numbers=(("", "EXAMPLE HOSPITAL", "MR"),)), "no_number"),
        (hl7.Patient(numbers=(("00012345", "ANOTHER HOSPITAL", "MR"),)), "no_number"),
        (hl7.Patient(born="19610305"), "birth_date_differs"),
        (hl7.Patient(born="", family="Okafor"), "name_differs"),
        (hl7.Patient(born="", family="", given=""), "only_the_number"),
    ],
)
def test_who_is_not_certain_waits(patient: hl7.Patient, reason: str) -> None:
    chart = Chart(tapped("csf_protein"))
    message = send(hl7.csf_oru(hl7.csf_protein(), patient=patient))
    assert reason in waiting(message)["OBR[1]/OBX[1]"]
    assert chart.current("csf_protein") is None


def test_a_result_that_looks_critical_does_not_wait_for_the_morning() -> None:
    tapped("csf_gram")
    nobody = hl7.Patient(numbers=(("9", "EXAMPLE HOSPITAL", "MR"),))
    assert owed(send(hl7.csf_oru(hl7.csf_gram("Gram negative diplococci"), patient=nobody))) == {
        "match_result": "critical"
    }
    assert owed(send(hl7.csf_oru(hl7.csf_cell_count(white="900"), patient=nobody))) == {"match_result": "critical"}
    assert owed(send(hl7.csf_oru(hl7.csf_protein(), patient=nobody))) == {"match_result": "normal"}
    # a code that nobody knows, in a service that is known, with a number that would be critical there
    order = hl7.csf_cell_count(white="900")
    odd = replace(order, observations=[replace(order.observations[0], code="LEUK^Leukocytes^L")])
    assert owed(send(hl7.csf_oru(odd))) == {"match_result": "critical"}


def test_two_cases_near_the_time_are_a_question_and_the_order_number_answers_it() -> None:
    patient = moreau()
    first = tapped("csf_protein", patient=patient)
    second = tapped("csf_protein", patient=patient, at=moment(6, "20:00"))
    message = send(hl7.csf_oru(hl7.csf_protein()))
    assert waiting(message) == {"OBR[1]/OBX[1]": ["several_cases"]}
    number = second.tests.get().order_number
    assert send(hl7.csf_oru(hl7.csf_protein(placer=number))).state == "done"
    assert (Chart(first).status("csf_protein"), Chart(second).status("csf_protein")) == ("", "final")


def test_a_test_that_nobody_ordered_joins_the_case_and_is_read_like_any_other() -> None:
    chart = Chart(tapped("csf_glucose"))
    assert send(hl7.csf_oru(hl7.csf_protein("61"))).state == "done"
    test = chart.test("csf_protein")
    assert (test.not_ordered, test.ordered_by) == (True, None)
    assert "review_result:csf_protein" in chart.promised()


def test_what_is_no_message_is_kept_and_owned() -> None:
    message = send(b"\x00\x01 this is no message")
    assert message.state == "unreadable"
    assert owed(message) == {"unreadable_message": "abnormal"}


# --- again --------------------------------------------------------------------------------------


def test_reading_a_message_again_enters_nothing_twice() -> None:
    tapped()
    message = send(hl7.csf_oru())
    before = (ResultVersion.objects.count(), list(InboundItem.objects.values_list("place", "state", "version")))
    processing.replay(message)
    processing.process(message.pk)
    assert before == (
        ResultVersion.objects.count(),
        list(InboundItem.objects.values_list("place", "state", "version")),
    )


def test_a_part_that_fails_waits_and_does_not_lose_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    from procedures.services import arrivals

    chart = Chart(tapped("csf_glucose", "csf_protein"))
    real = arrivals.arrive

    def arrive(**given: Any) -> Any:
        if given["test"].code == "csf_glucose":
            raise ValueError("not today")
        return real(**given)

    monkeypatch.setattr(arrivals, "arrive", arrive)
    message = send(hl7.csf_oru(hl7.csf_glucose(), hl7.csf_protein()))
    assert waiting(message) == {"OBR[1]/OBX[1]": ["failed"]}
    assert chart.status("csf_protein") == "final"
    monkeypatch.undo()
    processing.replay(message)
    assert (waiting(message), owed(message)) == ({}, {})
    assert chart.status("csf_glucose") == "final"


def test_a_plan_that_fails_loses_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    from followups.domain import planner

    chart = Chart(tapped("csf_protein"))

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("no plan today")

    monkeypatch.setattr(planner, "plan", broken)
    message = send(hl7.csf_oru(hl7.csf_protein()))
    assert (message.state, chart.status("csf_protein")) == ("done", "final")
    assert "plan_failed" in chart.promised()
