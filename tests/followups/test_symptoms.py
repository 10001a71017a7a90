"""Danger signs by phone: every question answered, graded on the server, and nothing filed without an act."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction

from clinic.errors import Conflict, Invalid
from followups import reconcile
from followups.domain.kinds import Kind
from followups.models import FollowUp, SymptomAnswer, SymptomCheck
from followups.services import symptoms
from procedures.models import Procedure
from tests import make

pytestmark = pytest.mark.django_db


def due_check(procedure: Procedure) -> str:
    """The first check that is promised for the case."""
    reconcile.procedure(procedure.pk)
    promise = FollowUp.objects.filter(procedure=procedure, kind=Kind.SYMPTOM_CHECK).order_by("start_at").first()
    assert promise is not None
    return promise.about["check"]


def calm(procedure: Procedure, code: str) -> dict[str, str]:
    """The least urgent answer to every question of the check."""
    protocol = procedure.protocol_version.parsed
    check = symptoms.check_of(protocol, code)
    assert check is not None
    order = {"": 0, "D": 1, "C": 2, "B": 3, "A": 4}
    return {q.code: min(q.answers, key=lambda a: order[a.tier]).code for q in symptoms.questions_of(protocol, check)}


def worst(procedure: Procedure, code: str) -> tuple[str, str]:
    """A question with an answer of tier A."""
    protocol = procedure.protocol_version.parsed
    check = symptoms.check_of(protocol, code)
    assert check is not None
    for question in symptoms.questions_of(protocol, check):
        for answer in question.answers:
            if answer.tier == "A" and not question.asked_if:
                return question.code, answer.code
    raise AssertionError("no danger sign in this check")


@pytest.fixture
def procedure() -> Procedure:
    return make.procedure(status="completed")


def asked(procedure: Procedure, code: str) -> bool:
    return not FollowUp.objects.filter(procedure=procedure, key=f"symptoms:{code}", closed_at__isnull=True).exists()


def test_all_answered_ends_the_check(procedure: Procedure) -> None:
    code = due_check(procedure)
    saved = symptoms.record(
        procedure=procedure,
        check_code=code,
        actor=make.actor(),
        outcome="answered",
        answers=calm(procedure, code),
        answered_by="patient",
    )
    assert saved.worst_tier in {"", "D"}
    assert asked(procedure, code)


def test_one_unanswered_question_is_refused_by_name(procedure: Procedure) -> None:
    code = due_check(procedure)
    answers = calm(procedure, code)
    missing = next(iter(answers))
    answers[missing] = ""
    with pytest.raises(Invalid) as refused:
        symptoms.record(
            procedure=procedure,
            check_code=code,
            actor=make.actor(),
            outcome="answered",
            answers=answers,
            answered_by="patient",
        )
    assert refused.value.field == missing
    assert not SymptomCheck.objects.exists()


def test_a_danger_sign_needs_what_was_done_and_is_stored_with_its_tier(procedure: Procedure) -> None:
    code = due_check(procedure)
    question, answer = worst(procedure, code)
    fields = {
        "procedure": procedure,
        "check_code": code,
        "actor": make.actor(),
        "outcome": "answered",
        "answers": {**calm(procedure, code), question: answer},
        "answered_by": "caregiver",
    }
    with pytest.raises(Invalid) as refused:
        symptoms.record(**fields)
    assert refused.value.field == "handled"
    saved = symptoms.record(**fields, handled="Sent to the emergency department by 911")
    assert saved.worst_tier == "A"
    assert SymptomAnswer.objects.get(check_row=saved, question=question).tier == "A"


def test_silence_is_not_well(procedure: Procedure) -> None:
    code = due_check(procedure)
    symptoms.record(procedure=procedure, check_code=code, actor=make.actor(), outcome="not_reached")
    assert not asked(procedure, code)


def test_not_needed_needs_a_reason(procedure: Procedure) -> None:
    code = due_check(procedure)
    with pytest.raises(Invalid):
        symptoms.record(procedure=procedure, check_code=code, actor=make.actor(), outcome="not_needed")
    symptoms.record(
        procedure=procedure, check_code=code, actor=make.actor(), outcome="not_needed", reason="seen on the ward"
    )
    assert asked(procedure, code)


def test_a_check_is_answered_once(procedure: Procedure) -> None:
    code = due_check(procedure)
    fields = {
        "procedure": procedure,
        "check_code": code,
        "actor": make.actor(),
        "outcome": "answered",
        "answers": calm(procedure, code),
        "answered_by": "patient",
    }
    symptoms.record(**fields)
    with pytest.raises(Conflict):
        symptoms.record(**fields)


def test_answers_cannot_be_changed_from_sql(procedure: Procedure) -> None:
    code = due_check(procedure)
    saved = symptoms.record(
        procedure=procedure,
        check_code=code,
        actor=make.actor(),
        outcome="answered",
        answers=calm(procedure, code),
        answered_by="patient",
    )
    with pytest.raises(DatabaseError), transaction.atomic():
        SymptomAnswer.objects.filter(check_row=saved).update(tier="")
