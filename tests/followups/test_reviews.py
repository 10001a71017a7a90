"""Reading results: bound to one version, with interpretation, plan and telling."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction

from clinic.actor import Actor
from clinic.errors import Conflict, Invalid, NotPermitted
from clinic.models import AuditEntry
from clinic.roles import Role
from followups import reconcile
from followups.domain.kinds import Kind
from followups.models import Action, FollowUp, Review
from followups.services import reviews
from procedures.models import Procedure, ResultVersion
from tests import make

pytestmark = pytest.mark.django_db

NORMAL = {"interpretation": "normal", "plan": "none", "tell": "with_all"}
CRITICAL = {
    "interpretation": "critical",
    "plan": "treat",
    "plan_detail": "Cefotaxime today",
    "tell": "now",
    "noticed": {"how": "here"},
}


def completed() -> Procedure:
    return make.procedure(status="completed")


def arrived(level: str = "normal", status: str = "final", procedure: Procedure | None = None) -> ResultVersion:
    return make.result(make.lab_test(procedure or completed()), level=level, status=status)


def physician() -> Actor:
    return make.actor(Role.PHYSICIAN)


def open_kinds(procedure: Procedure) -> set[str]:
    return set(FollowUp.objects.filter(procedure=procedure, closed_at__isnull=True).values_list("kind", flat=True))


def test_a_review_ends_the_promise_to_read_and_begins_the_one_to_tell() -> None:
    version = arrived()
    procedure = version.test.procedure
    reviews.review(version=version, actor=physician(), **NORMAL)
    assert Kind.REVIEW_RESULT not in open_kinds(procedure)
    assert Kind.TELL_PATIENT in open_kinds(procedure)
    assert AuditEntry.objects.filter(action="result.reviewed", patient_id=procedure.patient_id).count() == 1


@pytest.mark.parametrize("role", [Role.NURSE, Role.DIRECTOR, Role.SCHEDULER, Role.ADMINISTRATOR])
def test_only_a_physician_reads(role: Role) -> None:
    with pytest.raises(NotPermitted):
        reviews.review(version=arrived(), actor=make.actor(role), **NORMAL)


@pytest.mark.parametrize(
    "answer",
    [
        {"interpretation": "normal", "plan": "none", "tell": "now"},
        {"interpretation": "critical", "plan": "none", "tell": "now"},
        {"interpretation": "critical", "plan": "treat", "plan_detail": "x", "tell": "with_all"},
        {"interpretation": "abnormal", "plan": "treat", "plan_detail": "x", "tell": "not_this", "tell_reason": "y"},
    ],
)
def test_a_critical_result_is_never_waved_through(answer: dict[str, str]) -> None:
    version = arrived("critical")
    with pytest.raises(reviews.CriticalNeedsPlan):
        reviews.review(version=version, actor=physician(), **answer)
    assert not Review.objects.exists()


def test_a_critical_result_is_not_called_normal_without_saying_why() -> None:
    version = arrived("critical")
    answer = {**CRITICAL, "interpretation": "normal"}
    with pytest.raises(Invalid) as refused:
        reviews.review(version=version, actor=physician(), **answer)
    assert refused.value.field == "comment"
    assert reviews.review(version=version, actor=physician(), **answer, comment="known artefact, phoned the laboratory")


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        ({"interpretation": "abnormal", "plan": "refer", "tell": "now"}, "plan_detail"),
        ({"interpretation": "abnormal", "plan": "none", "tell": "not_this"}, "tell_reason"),
    ],
)
def test_what_needs_a_reason_gets_one(answer: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        reviews.review(version=arrived("abnormal"), actor=physician(), **answer)
    assert refused.value.field == field


def test_a_plan_becomes_an_action_with_an_owner_and_a_date_and_keeps_the_case_open() -> None:
    version = arrived("critical")
    reader = physician()
    reviews.review(version=version, actor=reader, **CRITICAL)
    action = Action.objects.get()
    assert action.responsible_id == reader.user_id
    limit = version.test.procedure.protocol_version.parsed.tell_hours["critical"]
    assert (action.due_at - action.created_at).total_seconds() == limit * 3600
    assert Kind.DO_ACTION in open_kinds(version.test.procedure)
    reviews.finish_action(action=action, actor=reader, note="Given at 14:10")
    assert Kind.DO_ACTION not in open_kinds(version.test.procedure)


def test_an_action_is_ended_once_and_in_words() -> None:
    reader = physician()
    reviews.review(version=arrived("critical"), actor=reader, **CRITICAL)
    action = Action.objects.get()
    with pytest.raises(Invalid):
        reviews.finish_action(action=action, actor=reader, note="  ")
    reviews.finish_action(action=action, actor=reader, note="decided otherwise", done=False)
    with pytest.raises(Conflict):
        reviews.finish_action(action=action, actor=reader, note="again")


def test_reading_the_preliminary_never_satisfies_the_final() -> None:
    version = arrived("abnormal", "preliminary")
    test = version.test
    reviews.review(version=version, actor=physician(), interpretation="abnormal", plan="none", tell="now")
    make.result(test, status="final")
    reconcile.procedure(test.procedure_id)
    assert Kind.REVIEW_RESULT in open_kinds(test.procedure)


def test_an_old_version_can_no_longer_be_signed() -> None:
    version = arrived()
    make.result(version.test, status="corrected")
    with pytest.raises(reviews.NewerVersion):
        reviews.review(version=version, actor=physician(), **NORMAL)
    assert not Review.objects.exists()


def test_a_second_reading_by_the_same_person_replaces_the_first_and_its_action() -> None:
    version = arrived("critical")
    reader = physician()
    first = reviews.review(version=version, actor=reader, **CRITICAL)
    second = reviews.review(version=version, actor=reader, **{**CRITICAL, "plan_detail": "Ceftriaxone today"})
    assert second.supersedes == first
    assert list(Action.objects.filter(done_at__isnull=True).values_list("what", flat=True)) == ["Ceftriaxone today"]


def test_a_review_cannot_be_changed_from_sql() -> None:
    row = reviews.review(version=arrived(), actor=physician(), **NORMAL)
    with pytest.raises(DatabaseError), transaction.atomic():
        Review.objects.filter(pk=row.pk).update(interpretation="critical")


def test_one_screen_signs_all_normal_finals_and_nothing_else() -> None:
    procedure = completed()
    codes = [t.code for t in procedure.protocol_version.parsed.tests[:6]]
    tests = [make.lab_test(procedure, code) for code in codes]
    normal = [make.result(tests[0]), make.result(tests[1])]
    make.result(tests[2], level="abnormal")
    make.result(tests[3], status="preliminary")
    make.result(tests[4], level="unknown")
    corrected = make.result(tests[5])
    reviews.review(version=corrected, actor=physician(), **NORMAL)
    make.result(tests[5], status="final")
    assert {v.pk for v in reviews.normals(procedure)} == {v.pk for v in normal}
    saved = reviews.review_normals(procedure=procedure, versions=[v.pk for v in normal], actor=physician())
    assert {r.version_id for r in saved} == {v.pk for v in normal}
    with pytest.raises(reviews.NewerVersion):
        reviews.review_normals(procedure=procedure, versions=[normal[0].pk], actor=physician())


def test_signing_nothing_is_refused() -> None:
    with pytest.raises(Invalid):
        reviews.review_normals(procedure=completed(), versions=[], actor=physician())
