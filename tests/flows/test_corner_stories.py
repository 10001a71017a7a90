"""What goes otherwise than planned, and that nothing of it is lost."""

from __future__ import annotations

import pytest

from clinic import clock
from clinic.actor import Actor
from followups.domain.kinds import Kind
from procedures.domain.states import Disposition, EncounterClass, Outcome
from procedures.services import bookings, checklists, endings, moves, patients
from procedures.services.gates import StartBlocked
from tests import checklist_answers, make
from tests.flows.story import Story, moment

pytestmark = pytest.mark.django_db

HARMLESS = {"nucleated_cells": 180, "pmn_percent": 10}


# --- cancelled, not come, tried again ---------------------------------------------------------


def test_cancelled_with_a_held_medicine_and_an_untold_patient_stays_open(story: Story) -> None:
    story.at(0, "08:10").request("lumbar_puncture", "multiple_sclerosis")
    story.book(3, "10:00")
    story.hold("Apixaban", last_dose=moment(0, "08:00"))
    story.looked_at = story.owed
    story.at(1, "15:00").cancel("The referring neurologist no longer needs it")
    assert story.news() == [
        "- nurse/pia: sign pre_visit, consent by Wed 18 Nov 08:10",
        "- nurse: carry out (scheduled) by Thu 19 Nov 11:30",
        "- physician/pia: restart Apixaban by Thu 19 Nov 11:30",
        "+ physician/pia: restart Apixaban by Tue 17 Nov 15:00",
        "+ nurse/pia: tell that there is no result by Thu 19 Nov 10:00",
    ]
    assert not story.is_closed

    # every hour without the medicine counts: the physician, four hours later the second one, then the director
    story.mailed()
    story.at(1, "15:01")
    assert story.mailed() == ["pia: restart_medicine"]
    story.at(1, "19:01")
    # in the evening, nobody being on call: the owner gets a copy
    assert sorted(story.mailed()) == ["carl: restart_medicine", "pia: restart_medicine"]

    story.at(1, "19:10").tell_no_result("voicemail")
    story.restart()
    assert story.news() == ["- physician/pia: restart Apixaban by Tue 17 Nov 15:00"]
    assert not story.is_closed
    story.at(2, "09:00").tell_no_result()
    assert story.news() == ["- nurse/pia: tell that there is no result by Thu 19 Nov 10:00"]
    assert story.is_closed


def test_a_patient_who_was_never_told_of_a_cancellation_is_left_only_by_the_whole_protocol(story: Story) -> None:
    story.at(0, "09:00").request("paracentesis", "new_ascites")
    story.cancel("Treated elsewhere")
    story.looked_at = story.owed
    for day, channel in ((0, "phone"), (1, "phone"), (2, "caregiver")):
        assert story.news() == []
        story.at(day, "10:00").contact("cancellation", "no_answer", channel)
        assert not story.is_closed
    assert story.news() == ["+ nurse/pia: letter by Thu 19 Nov 10:00"]
    story.at(3, "09:00").contact("cancellation", "letter_sent", "letter")
    assert story.why_ended(Kind.UNREACHABLE_PATIENT) == {"kept"}
    assert story.is_closed


def test_a_no_show_is_rebooked_and_its_medicine_is_asked_about_at_once(story: Story) -> None:
    story.at(0, "08:10").request("lumbar_puncture", "multiple_sclerosis")
    story.book(3, "10:00")
    story.hold("Apixaban", last_dose=moment(0, "08:00"))
    story.looked_at = story.owed
    story.at(3, "11:00").no_show()
    assert story.news() == [
        "- nurse/pia: sign pre_visit, consent by Wed 18 Nov 08:10",
        "- nurse: carry out (scheduled) by Thu 19 Nov 11:30",
        "- physician/pia: restart Apixaban by Thu 19 Nov 11:30",
        "+ physician/pia: restart Apixaban by Thu 19 Nov 11:00",
        "+ scheduler: rebook or end by Fri 20 Nov 11:00",
    ]
    moves.reopen(actor=Actor.person(story.cast.sam), procedure=story.case, reason="Had the wrong date")
    assert story.news() == [
        "- scheduler: rebook or end by Fri 20 Nov 11:00",
        "+ scheduler: book by Sat 21 Nov 11:00",
    ]
    story.book(4, "10:00")
    assert story.news() == [
        "- physician/pia: restart Apixaban by Thu 19 Nov 11:00",
        "- scheduler: book by Sat 21 Nov 11:00",
        "+ nurse/pia: sign pre_visit, consent by Wed 18 Nov 10:00",  # it is late, and somebody hears of it at once
        "+ nurse: carry out (scheduled) by Fri 20 Nov 11:30",
        "+ physician/pia: restart Apixaban by Fri 20 Nov 11:30",
    ]
    assert story.why_ended(Kind.REBOOK_NO_SHOW) == {"kept"}


def test_a_slot_that_is_given_back_starts_the_time_to_book_anew(story: Story) -> None:
    story.at(0, "08:10").request("lumbar_puncture", "multiple_sclerosis")
    story.hold("Apixaban", last_dose=moment(16, "08:00"))
    assert story.owed == [
        "scheduler: book by Wed 18 Nov 08:10",
        "physician/pia: restart Apixaban by Wed 18 Nov 08:10",
    ]
    story.book(18, "10:00")
    assert story.owed == [
        "nurse/pia: sign pre_visit, consent by Wed 02 Dec 10:00",
        "nurse: carry out (scheduled) by Fri 04 Dec 11:30",
        "physician/pia: restart Apixaban by Fri 04 Dec 11:30",
    ]
    # four days later, when the first two would long be over
    story.at(4, "09:00")
    bookings.unschedule(actor=Actor.person(story.cast.sam), procedure=story.case, reason="Scanner is booked")
    assert story.owed == [
        "physician/pia: restart Apixaban by Fri 20 Nov 09:00",
        "scheduler: book by Sun 22 Nov 09:00",
    ]


def test_a_no_show_that_comes_late_is_done_all_the_same(story: Story) -> None:
    story.at(0, "09:00").request("paracentesis", "serial_relief")
    story.book(1, "09:00")
    story.at(1, "10:00").no_show()
    story.at(1, "10:20").arrive()
    assert story.owed == [
        "nurse/pia: sign pre_visit, consent by Tue 17 Nov 09:00",
        "nurse: carry out (arrived) by Tue 17 Nov 12:00",
    ]


def test_a_needle_without_fluid_cancels_the_tests_and_keeps_asking_and_telling(story: Story) -> None:
    story.at(0, "09:00").request("paracentesis", "new_ascites")
    story.book(1, "09:00")
    story.at(1, "08:30").arrive()
    story.sign("pre_visit", "consent", "sign_in", "time_out")
    story.at(1, "09:00").start()
    story.at(1, "09:30").complete(Outcome.NO_FLUID, reason="Three passes, no fluid")
    assert set(story.case.tests.values_list("status", flat=True)) == {"cancelled"}
    assert story.owed == [
        "physician/pia: sign the record by Wed 18 Nov 09:30",
        "nurse/pia: ask day_1 by Thu 19 Nov 09:00",
        "nurse/pia: ask day_2 by Fri 20 Nov 09:00",
        "nurse/pia: tell that there is no result by Tue 24 Nov 09:30",
        "nurse/pia: ask day_7 by Wed 25 Nov 09:00",
    ]
    story.record(appearance="none", volume_removed_ml=0)
    story.sign_record()
    story.tell_no_result()
    for day, check in ((2, "day_1"), (3, "day_2"), (8, "day_7")):
        assert not story.is_closed
        story.at(day, "09:30").ask_symptoms(check)
    assert story.is_closed


def test_what_failed_by_landmarks_goes_on_under_fluoroscopy_as_a_linked_case(story: Story) -> None:
    story.at(0, "09:00").request("lumbar_puncture", "multiple_sclerosis")
    story.book(1, "09:00")
    story.at(1, "08:30").arrive()
    story.sign("pre_visit", "consent", "sign_in", "time_out")
    story.at(1, "09:00").start()
    story.at(1, "09:40").complete(Outcome.NO_FLUID, to=Disposition.WARD, reason="Spine fused")
    first = story.code
    second = endings.continue_as(
        actor=Actor.person(story.cast.pia), procedure=story.case, location="radiology", variant="fluoroscopic"
    )
    story.code = second.code
    story.book(1, "11:00", operator=story.cast.carl)
    assert story.case.continues_id is not None
    assert story.owed == [
        "nurse/pia: sign pre_visit, consent by Tue 17 Nov 11:00",
        "nurse: carry out (scheduled) by Tue 17 Nov 13:00",
    ]
    assert {t.status for t in story.case.tests.all()} == {"ordered"}
    story.code = first
    assert story.owed == [
        "physician/pia: name who accepts (ward) by Tue 17 Nov 13:40",
        "physician/pia: sign the record by Wed 18 Nov 09:40",
        "nurse/pia: ask day_1 by Thu 19 Nov 09:00",
        "nurse/pia: ask day_2 by Fri 20 Nov 09:00",
        "nurse/pia: tell that there is no result by Tue 24 Nov 09:40",
        "nurse/pia: ask day_7 by Wed 25 Nov 09:00",
    ]


def test_not_attempted_promises_no_questions_and_no_record_but_tells_the_patient(story: Story) -> None:
    story.at(0, "09:00").request("paracentesis", "new_ascites")
    story.book(1, "09:00")
    story.at(1, "08:30").arrive()
    story.sign("pre_visit", "consent", "sign_in", "time_out")
    story.at(1, "09:00").start()
    story.complete(Outcome.NOT_ATTEMPTED, reason="Too little fluid on ultrasound")
    assert story.owed == ["nurse/pia: tell that there is no result by Tue 24 Nov 09:00"]
    story.tell_no_result()
    assert story.is_closed


# --- the emergency ----------------------------------------------------------------------------


def test_an_emergency_at_night_starts_on_six_answers_and_owes_the_rest(story: Story) -> None:
    carl = story.cast.carl
    story.at(1, "02:40").request("lumbar_puncture", "meningitis", urgency="emergency", location="bedside")
    assert story.owed == ["physician/pia: book by Tue 17 Nov 03:40"]
    with pytest.raises(StartBlocked) as blocked:
        story.emergency_start("Stiff neck, 40 °C, drowsy", operator=carl)
    assert len(blocked.value.blockers) == 6
    minimum = [q.code for q in story.case.protocol_version.parsed.questions if q.minimum and not q.asked_if]
    entries = {code: checklist_answers.harmless(story.case.protocol_version.parsed.question(code)) for code in minimum}
    checklists.save_answers(actor=Actor.person(carl), procedure=story.case, entries=entries)
    story.at(1, "02:50").emergency_start("Stiff neck, 40 °C, drowsy", operator=carl)
    assert story.case.emergency_start
    assert story.owed == [
        "physician/carl: carry out (in_progress) by Tue 17 Nov 04:20",
        "nurse/pia: checklist pre_visit, consent, sign_in, time_out by Wed 18 Nov 02:50",
        "physician/pia: countersign by Wed 18 Nov 02:50",
    ]
    story.at(1, "03:05").collect()
    story.at(1, "03:20").complete(to=Disposition.ADMITTED)
    story.looked_at = story.owed
    assert [line for line in story.owed if "checklist" in line] == [
        "nurse/pia: checklist pre_visit, consent, sign_in, time_out by Wed 18 Nov 02:50",
    ]

    # the day team does what was skipped; each stage that is signed is owed no more
    story.at(1, "09:00").sign("pre_visit", "consent", "sign_in", "time_out")
    assert story.news() == ["- nurse/pia: checklist pre_visit, consent, sign_in, time_out by Wed 18 Nov 02:50"]
    assert story.why_ended(Kind.CHECKLIST_AFTER_EMERGENCY) == {"kept"}


# --- death, wards, wrong charts ---------------------------------------------------------------


def test_after_a_death_nobody_is_called_any_more_but_every_result_is_read(story: Story) -> None:
    story.drained(indication="malignancy")
    story.at(1, "14:00").result("ascites_cell_count", **HARMLESS)
    story.review("ascites_cell_count")
    story.looked_at = story.owed
    patients.set_deceased(actor=Actor.person(story.cast.pia), patient=story.case.patient, at=clock.now())
    assert story.news() == [
        "- nurse/pia: ask day_1 by Thu 19 Nov 09:00",
        "- nurse/pia: ask day_2 by Fri 20 Nov 09:00",
        "- nurse/pia: ask day_7 by Wed 25 Nov 09:00",
        "- nurse/pia: tell ascites_cell_count by Tue 01 Dec 14:00",
    ]
    assert story.why_ended(Kind.TELL_PATIENT) == {"no_longer_needed"}
    story.at(4, "10:00").result("ascites_cytology", result="malignant")
    story.review("ascites_cytology", "abnormal", plan="refer", plan_detail="Tell the family doctor", tell="now")
    story.act("Letter to the family doctor")
    assert not [line for line in story.owed if "tell" in line or "ask" in line]
    for code, values in {
        "serum_albumin": {"albumin": 3.1},
        "ascites_albumin": {"albumin": 2.4},
        "ascites_protein": {"protein": 3.0},
        "ascites_culture": {"growth": "no_growth"},
    }.items():
        assert not story.is_closed
        story.result(code, **values)
    assert {p.kind for p in story.promises} == {Kind.REVIEW_RESULT}
    story.review_normals()
    assert story.is_closed


def test_who_dies_on_the_table_gets_no_message_and_the_record_is_still_owed(story: Story) -> None:
    story.at(0, "09:00").request("paracentesis", "serial_relief")
    story.book(1, "09:00")
    story.at(1, "08:30").arrive()
    story.sign("pre_visit", "consent", "sign_in", "time_out")
    story.at(1, "09:00").start()
    story.at(1, "09:30").complete(Outcome.PARTIAL, to=Disposition.DIED, reason="Cardiac arrest")
    assert story.case.patient.deceased_at is not None
    assert story.owed == [
        "nurse/pia: collect ascites_cell_count by Tue 17 Nov 11:30",
        "physician/pia: sign the record by Wed 18 Nov 09:30",
    ]


def test_an_inpatient_is_asked_and_told_through_the_ward(story: Story) -> None:
    patient = make.patient(encounter_class=str(EncounterClass.INPATIENT))
    story.drained(patient=patient, location="bedside")
    asked = [p for p in story.promises if p.kind == Kind.SYMPTOM_CHECK]
    assert {p.about["encounter"] for p in asked} == {"inpatient"}
    story.at(1, "14:00").result("ascites_cell_count", **HARMLESS)
    story.review("ascites_cell_count")
    story.tell(channel="ward_team", spoke_with="Ward 4, Dr. Haddad")
    assert story.why_ended(Kind.TELL_PATIENT) == {"kept"}

    # discharged before the last questions: from now on they are asked at home
    patients.set_encounter_class(
        actor=Actor.person(story.cast.nora), patient=patient, encounter_class=EncounterClass.OUTPATIENT
    )
    asked = [p for p in story.promises if p.kind == Kind.SYMPTOM_CHECK]
    assert {p.about["encounter"] for p in asked} == {"outpatient"}


def test_a_case_entered_in_error_owes_only_what_is_really_in_flight(story: Story) -> None:
    story.at(0, "09:00").request("paracentesis", "new_ascites")
    story.book(1, "09:00")
    story.entered_in_error("Wrong patient")
    assert story.is_closed

    story.drained(patient=make.patient("Amina", "Diallo"))
    story.entered_in_error("Wrong patient: this fluid is Mr. Diallo's")
    assert story.news() == [
        "- nurse/pia: ask day_1 by Thu 19 Nov 09:00",
        "- nurse/pia: ask day_2 by Fri 20 Nov 09:00",
        "- nurse/pia: ask day_7 by Wed 25 Nov 09:00",
    ]
    assert not story.is_closed
    story.at(1, "12:00").result("ascites_cell_count", **HARMLESS)
    assert story.owed == ["physician/pia: review final ascites_cell_count by Fri 20 Nov 12:00"]
    story.review("ascites_cell_count", tell="not_this", tell_reason="Another patient's fluid")
    assert story.is_closed
