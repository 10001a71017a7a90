"""What a patient answers by a link: kept at once, graded at once, safe twice, late and out of order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from clinic import clock
from clinic.errors import Invalid, NotPermitted
from clinic.roles import Role
from followups.domain.kinds import Kind
from followups.models import FollowUp, PatientLink, SymptomAnswer, SymptomCheck
from followups.selectors import worklists
from followups.selectors.groups import CHASE
from followups.services import links, symptom_reports, symptoms, triage
from procedures.domain import symptoms as rules
from procedures.models import Procedure
from tests import make

pytestmark = pytest.mark.django_db


def link_for(code: str = "lumbar_puncture", about: str = "day_1", hours: float = 24, **extra: Any) -> PatientLink:
    procedure = make.procedure(code, status="completed", starts=clock.now() - timedelta(hours=hours), **extra)
    return links.issue(procedure=procedure, purpose="symptoms", about=about)


def say(link: PatientLink, **answers: str) -> list[SymptomAnswer]:
    return [symptom_reports.answer(link=link, question=q, answer=a, now=clock.now()) for q, a in answers.items()]


def say_all(link: PatientLink, **signs: str) -> None:
    """Answer whatever is asked, with no sign but those."""
    protocol = link.procedure.protocol_version.parsed
    check = symptom_reports.check_of(protocol, link)
    for question in symptoms.questions_of(protocol, check):
        given = symptom_reports.answers_of(symptom_reports.latest(link))
        if rules.is_asked(question, given):
            say(link, **{question.code: signs.get(question.code, question.answers[0].code)})


def finish(link: PatientLink, words: str = "") -> Any:
    return symptom_reports.finish(link=link, words=words, now=clock.now())


def owed(procedure: Procedure, kind: Kind) -> list[FollowUp]:
    return list(FollowUp.objects.filter(procedure=procedure, kind=kind, closed_at__isnull=True))


def test_the_clinic_is_alarmed_with_the_first_answer_and_before_the_form_is_finished() -> None:
    link = link_for()
    (answer,) = say(link, legs="weak_or_numb")
    assert answer.tier == "A"
    (promise,) = owed(link.procedure, Kind.DANGER_SIGN)
    assert (promise.level, promise.due_at - promise.start_at) == ("critical", timedelta(minutes=15))
    assert symptom_reports.latest(link).outcome == "begun"


def test_a_sign_that_is_taken_back_stays_until_somebody_has_spoken_with_the_patient() -> None:
    link = link_for()
    say(link, legs="weak_or_numb")
    say(link, legs="normal")
    report = symptom_reports.latest(link)
    assert [(a.number, a.answer, a.tier) for a in report.answers.order_by("number")] == [
        (1, "weak_or_numb", "A"),
        (2, "normal", ""),
    ]
    assert (report.worst_tier, owed(link.procedure, Kind.DANGER_SIGN)[0].level) == ("A", "critical")
    triage.record(
        report=report, actor=make.actor(), outcome="advised", done="Typed by mistake", spoke_with="the patient"
    )
    assert owed(link.procedure, Kind.DANGER_SIGN) == []
    say(link, bladder_bowel="yes")  # a sign after the call begins anew
    assert len(owed(link.procedure, Kind.DANGER_SIGN)) == 1


def test_the_same_answer_twice_is_one_and_out_of_order_is_all_the_same() -> None:
    link = link_for()
    say(link, back="fine", legs="normal")
    say(link, legs="normal")
    assert SymptomAnswer.objects.count() == 2
    protocol = link.procedure.protocol_version.parsed
    check = symptom_reports.check_of(protocol, link)
    answers = symptom_reports.answers_of(symptom_reports.latest(link))
    assert symptom_reports.next_question(protocol, check, answers, "legs").code == "bladder_bowel"


def test_answers_that_mean_more_together_are_graded_together() -> None:
    link = link_for()
    assert [a.tier for a in say(link, temperature="high", neck="yes")] == ["B", "A"]
    assert symptom_reports.latest(link).answers.get(question="neck").combination == "fever_and_stiff_neck"


def test_the_hour_of_the_answer_counts_and_not_that_of_the_message() -> None:
    early, late = link_for("paracentesis", "day_1", 24), link_for("paracentesis", "day_1", 49)
    assert [say(link, leak="clear")[0].tier for link in (early, late)] == ["D", "C"]


@pytest.mark.parametrize(("question", "answer"), [("legs", "maybe"), ("legs", ""), ("senses; --", "no"), ("leak", "x")])
def test_what_the_check_does_not_ask_is_refused(question: str, answer: str) -> None:
    with pytest.raises(Invalid):
        symptom_reports.answer(link=link_for(), question=question, answer=answer, now=clock.now())
    assert not SymptomAnswer.objects.exists()


def test_silence_after_three_questions_is_not_an_answer() -> None:
    link = link_for()
    say(link, legs="normal", bladder_bowel="no", sudden="no")
    assert finish(link, "I am tired").code == "fever_with"
    assert "day_1" in [p.about["check"] for p in owed(link.procedure, Kind.SYMPTOM_CHECK)]
    link.refresh_from_db()
    assert link.spent_at is None
    # what was written is kept all the same
    assert symptom_reports.latest(link).note == "I am tired"
    assert len(owed(link.procedure, Kind.READ_WORDS)) == 1


def test_the_end_uses_the_link_up_and_answers_the_check() -> None:
    link = link_for()
    say_all(link)
    assert finish(link) is None
    link.refresh_from_db()
    report = symptom_reports.latest(link)
    assert link.spent_at is not None
    assert (report.outcome, report.worst_tier, report.channel, report.by_id) == ("answered", "", "link", None)
    assert "day_1" not in [p.about["check"] for p in owed(link.procedure, Kind.SYMPTOM_CHECK)]
    assert owed(link.procedure, Kind.DANGER_SIGN) == []


def test_what_is_said_after_the_end_begins_a_report_of_its_own() -> None:
    link = link_for()
    say_all(link)
    finish(link)
    say(link, legs="weak_or_numb")
    assert [r.outcome for r in SymptomCheck.objects.order_by("pk")] == ["answered", "begun"]
    assert len(owed(link.procedure, Kind.DANGER_SIGN)) == 1


def test_a_closed_case_and_one_that_a_nurse_has_asked_about_still_listen() -> None:
    link = link_for("paracentesis", "day_1", 200)
    symptoms.record(
        procedure=link.procedure, check_code="day_1", actor=make.actor(), outcome="not_needed", reason="hospice"
    )
    Procedure.objects.filter(pk=link.procedure_id).update(closed_at=clock.now())
    say(link, belly_pain="severe")
    link.procedure.refresh_from_db()
    assert link.procedure.closed_at is None
    assert len(owed(link.procedure, Kind.DANGER_SIGN)) == 1


def test_ten_thousand_letters_are_kept_whole_and_more_are_refused_in_words() -> None:
    link = link_for()
    say_all(link)
    words = "<b>hurts</b> " + "x" * 9_900
    with pytest.raises(Invalid, match="at most"):
        finish(link, "y" * 10_001)
    assert finish(link, words) is None
    assert symptom_reports.latest(link).note == words


def test_an_appointment_is_offered_to_whom_the_fluid_comes_back() -> None:
    link = link_for("paracentesis", "day_7", 170)
    say(link, fluid_back="yes")
    assert [p.role for p in owed(link.procedure, Kind.BOOK_AGAIN)] == [Role.SCHEDULER]
    say(link, fluid_back="no")
    assert owed(link.procedure, Kind.BOOK_AGAIN) == []


def test_not_reached_is_written_down_and_ends_nothing() -> None:
    link = link_for()
    say(link, site="inflamed")
    report = symptom_reports.latest(link)
    triage.record(report=report, actor=make.actor(), outcome="not_reached")
    assert len(owed(link.procedure, Kind.DANGER_SIGN)) == 1
    with pytest.raises(Invalid, match="sign"):
        triage.record(report=report, actor=make.actor(), outcome="read")
    for missing in ({"spoke_with": "wife"}, {"done": "to the emergency department"}):
        with pytest.raises(Invalid):
            triage.record(report=report, actor=make.actor(), outcome="emergency", **missing)
    with pytest.raises(NotPermitted):
        triage.record(report=report, actor=make.actor(Role.SCHEDULER), outcome="not_reached")


def test_an_answer_that_arrived_while_the_nurse_was_writing_is_not_closed_unread() -> None:
    link = link_for()
    say(link, site="inflamed")
    seen = triage.fingerprint(symptom_reports.latest(link))
    say(link, legs="weak_or_numb")
    with pytest.raises(Invalid, match="answered more"):
        triage.record(
            report=symptom_reports.latest(link),
            actor=make.actor(),
            outcome="advised",
            done="Come in",
            spoke_with="her",
            seen=seen,
        )
    assert owed(link.procedure, Kind.DANGER_SIGN)[0].level == "critical"


def test_words_are_owed_a_reader_and_reading_is_enough() -> None:
    link = link_for()
    say_all(link)
    finish(link, "Thank you for everything")
    report = symptom_reports.latest(link)
    assert len(owed(link.procedure, Kind.READ_WORDS)) == 1
    triage.record(report=report, actor=make.actor(), outcome="read")
    assert owed(link.procedure, Kind.READ_WORDS) == []


def test_who_is_asked_by_a_link_stands_once_on_the_list() -> None:
    link = link_for(patient=make.patient(email="ada@home.test", consent_email=True))
    say(link, legs="normal")
    assert [p.about["check"] for p in owed(link.procedure, Kind.CALL_SILENT)] == ["day_1"]
    page = worklists.load(page=CHASE, actor=make.actor(), of=worklists.Of.ALL, now=clock.now())
    shown = {row.follow_up.kind for row in (*(r for s in page.sections for r in s.rows), *page.parked)}
    assert Kind.CALL_SILENT in shown and Kind.SYMPTOM_CHECK not in shown


def test_postgresql_refuses_to_change_what_was_said() -> None:
    link = link_for()
    say_all(link, legs="ache_only")
    finish(link)
    report = symptom_reports.latest(link)
    for change in ({"outcome": "begun"}, {"worst_tier": ""}, {"note": "nothing"}):
        with pytest.raises(DatabaseError), transaction.atomic():
            SymptomCheck.objects.filter(pk=report.pk).update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        SymptomAnswer.objects.filter(check_row=report).delete()
    say(link, legs="normal")
    with pytest.raises(DatabaseError), transaction.atomic():
        SymptomCheck.objects.filter(outcome="begun").update(relation="ward")
