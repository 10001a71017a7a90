"""A patient's form arrives in the checklist as reported; it overwrites nothing and is confirmed by a person."""

from __future__ import annotations

import pytest

from clinic import clock
from clinic.actor import Actor
from clinic.models import AuditEntry
from clinic.roles import Role
from procedures.domain.answers import AnswerState, Entry
from procedures.domain.checklist import Status
from procedures.domain.reported import Given, Line
from procedures.models import AllergyEntry, Answer, MedicineEntry, PatientReport, Procedure
from procedures.selectors import banner
from procedures.selectors import checklists as selectors
from procedures.services import checklist_rows, checklists, reported
from procedures.services.reported import TooLate
from tests import make

pytestmark = pytest.mark.django_db
PATIENT = Actor(user_id=None, name="patient's link", via="link")


@pytest.fixture
def case() -> Procedure:
    return make.procedure("lumbar_puncture", status="scheduled")


@pytest.fixture
def nurse() -> Actor:
    return make.actor(Role.NURSE)


def arrive(case: Procedure, **given: Given) -> PatientReport:
    return reported.arrive(actor=PATIENT, procedure=case, given=given, language="es", answered_by="", now=clock.now())


def status(case: Procedure, code: str) -> Status:
    return next(q.status for q in selectors.state_of(case, clock.now()).questions if q.question.code == code)


def current(code: str) -> Answer:
    return Answer.objects.get(question=code, superseded_by__isnull=True)


def test_it_arrives_as_reported_and_never_as_confirmed(case: Procedure) -> None:
    arrive(
        case,
        latex=Given(pick="yes"),
        kidney_disease=Given(pick="unknown"),
        medicines=Given(pick="some", lines=(Line(name="Eliquis", more="5 mg twice a day", still="yes"),)),
        allergies=Given(pick="some", lines=(Line(name="Penicillin", more="hives"),)),
    )
    answers = Answer.objects.all()
    assert {a.question for a in answers} == {"latex", "kidney_disease", "medicines", "allergies"}
    assert all(a.reported_by_patient and not a.confirmed and a.answered_by is None for a in answers)
    assert current("kidney_disease").state == AnswerState.UNKNOWN
    medicine, allergy = MedicineEntry.objects.get(), AllergyEntry.objects.get()
    assert (medicine.name, medicine.status, medicine.confirmed) == ("Eliquis", "ongoing", False)
    assert (allergy.substance, allergy.severity, allergy.confirmed) == ("Penicillin", "unknown", False)
    assert status(case, "latex") is status(case, "medicines") is Status.TO_CONFIRM
    assert AuditEntry.objects.get(action="checklist.reported").data["questions"]


def test_a_nurse_confirms_it_one_by_one(case: Procedure, nurse: Actor) -> None:
    arrive(case, medicines=Given(pick="some", lines=(Line(name="Eliquis", still="yes"),)))
    checklists.confirm(actor=nurse, procedure=case, bases={"medicines": current("medicines").pk})
    assert status(case, "medicines") is Status.COMPLETE
    assert MedicineEntry.objects.get(superseded_by__isnull=True).confirmed


def test_what_a_nurse_has_confirmed_is_not_overwritten(case: Procedure, nurse: Actor) -> None:
    checklists.save_answers(
        actor=nurse, procedure=case, entries={"latex": Entry(pick="=no"), "medicines": Entry(pick="none")}
    )
    arrive(case, latex=Given(pick="yes"), medicines=Given(pick="some", lines=(Line(name="Warfarin"),)))
    assert current("latex").value == "no" and current("latex").confirmed
    assert not MedicineEntry.objects.exists()
    assert status(case, "latex") is status(case, "medicines") is Status.TO_CONFIRM
    checklists.confirm(actor=nurse, procedure=case, bases={"latex": current("latex").pk})
    checklist_rows.add_medicine(actor=nurse, procedure=case, name="Warfarin", status="ongoing", instead_of_none=True)
    assert status(case, "latex") is status(case, "medicines") is Status.COMPLETE


def test_a_second_form_replaces_the_patient_s_own_words_alone(case: Procedure) -> None:
    arrive(case, latex=Given(pick="no"))
    arrive(case, latex=Given(pick="yes"))
    assert current("latex").value == "yes" and not current("latex").confirmed
    assert Answer.objects.filter(question="latex").count() == 2


def test_a_medicine_that_cannot_be_is_kept_as_it_was_written(case: Procedure) -> None:
    arrive(case, medicines=Given(pick="some", lines=(Line(name="the pink one", more="90000 mg", still="no"),)))
    row = MedicineEntry.objects.get()
    assert (row.name, row.status) == ("the pink one", "unknown")
    assert row.dose == "90000 mg (stopped)"


def test_a_question_that_was_not_asked_of_this_patient_is_not_answered(case: Procedure) -> None:
    arrive(case, bleeding_history=Given(pick="no"), bleeding_detail=Given(words="from an answer that was changed"))
    assert not Answer.objects.filter(question="bleeding_detail").exists()


def test_no_known_allergies_stands_in_no_banner_before_a_nurse_has_asked(case: Procedure, nurse: Actor) -> None:
    arrive(case, allergies=Given(pick="none"))
    assert banner.of_procedure(case)["allergies_state"] == "not_asked"
    checklists.confirm(actor=nurse, procedure=case, bases={"allergies": current("allergies").pk})
    assert banner.of_procedure(case)["allergies_state"] == "none"


def test_once_the_visit_has_begun_nothing_is_written(case: Procedure) -> None:
    Procedure.objects.filter(pk=case.pk).update(status="cancelled")
    with pytest.raises(TooLate):
        arrive(case, latex=Given(pick="yes"))
    assert not PatientReport.objects.exists()
