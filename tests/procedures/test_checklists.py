"""Answers, lists, signatures and rounds of a checklist, on the real protocols."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from clinic import clock
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid, NotPermitted
from clinic.models import AuditEntry
from clinic.roles import Role
from procedures import events
from procedures.domain.answers import Entry
from procedures.domain.checklist import Status, Word
from procedures.models import AllergyEntry, Answer, Checklist, ChecklistDraft, MedicineEntry, Procedure, StageSignature
from procedures.selectors import checklists as selectors
from procedures.services import checklist_rows, checklists
from procedures.services.checklist_rows import NoneAsserted, RowConflict
from procedures.services.checklists import AnswerConflict, Unsignable
from tests import make
from tests.checklist_answers import fill, fill_and_sign

pytestmark = pytest.mark.django_db


@pytest.fixture
def case() -> Procedure:
    return make.procedure("paracentesis", status="scheduled")


@pytest.fixture
def nurse() -> Actor:
    return make.actor(Role.NURSE)


@pytest.fixture
def physician() -> Actor:
    return make.actor(Role.PHYSICIAN)


def save(case: Procedure, actor: Actor, **entries: Entry) -> checklists.Saved:
    return checklists.save_answers(actor=actor, procedure=case, entries=entries)


def status(case: Procedure, code: str) -> Status:
    state = selectors.state_of(case, clock.now())
    return next(q.status for q in state.questions if q.question.code == code)


def current(code: str) -> Answer:
    return Answer.objects.get(question=code, superseded_by__isnull=True)


def test_none_unknown_declined_and_does_not_apply_are_different_answers(case: Procedure, nurse: Actor) -> None:
    save(case, nurse, medicines=Entry(pick="none"), latex=Entry(pick="unknown"), liver_disease=Entry(pick="declined"))
    save(case, nurse, kidney_disease=Entry(pick="not_applicable", note="known from last week"))
    states = dict(Answer.objects.values_list("question", "state"))
    assert states == {
        "medicines": "none",
        "latex": "unknown",
        "liver_disease": "declined",
        "kidney_disease": "not_applicable",
    }
    assert status(case, "blood_disorder") is Status.MISSING


def test_does_not_apply_without_a_reason_stays_in_the_draft(case: Procedure, nurse: Actor) -> None:
    saved = save(case, nurse, kidney_disease=Entry(pick="not_applicable"), latex=Entry(pick="=no"))
    assert saved.written == ["latex"]
    assert list(saved.incomplete) == ["kidney_disease"]
    assert ChecklistDraft.objects.get().data["kidney_disease"]["pick"] == "not_applicable"
    save(case, nurse, kidney_disease=Entry(pick="not_applicable", note="dialysis is not asked here"))
    assert ChecklistDraft.objects.get().data == {}


def test_the_database_refuses_a_reason_that_is_missing(case: Procedure, nurse: Actor) -> None:
    opened = checklists.open_round(actor=nurse, procedure=case)
    with pytest.raises(IntegrityError), transaction.atomic():
        Answer.objects.create(checklist=opened, question="latex", state="not_applicable", answered_at=clock.now())


def test_a_draft_is_merged_and_is_no_fact(case: Procedure, nurse: Actor) -> None:
    before = AuditEntry.objects.count()
    checklists.save_draft(actor=nurse, procedure=case, entries={"inr": Entry(value="1.")})
    checklists.save_draft(actor=nurse, procedure=case, entries={"reach": Entry(note="asks later")})
    assert set(ChecklistDraft.objects.get().data) == {"inr", "reach"}
    assert not Answer.objects.exists()
    assert AuditEntry.objects.count() == before


def test_saving_the_same_again_writes_nothing_and_another_answer_supersedes(case: Procedure, nurse: Actor) -> None:
    save(case, nurse, latex=Entry(pick="=no"))
    first = current("latex")
    assert save(case, nurse, latex=Entry(pick="=no", base=first.pk)).written == []
    save(case, nurse, latex=Entry(pick="unknown", base=first.pk))
    assert current("latex").supersedes_id == first.pk
    assert Answer.objects.count() == 2


def test_an_answer_is_not_taken_back_to_nothing(case: Procedure, nurse: Actor) -> None:
    save(case, nurse, result_owner=Entry(value="Dr Lee"))
    saved = save(case, nurse, result_owner=Entry(base=current("result_owner").pk))
    assert list(saved.incomplete) == ["result_owner"]
    assert current("result_owner").value == "Dr Lee"


def test_answers_are_never_rewritten(case: Procedure, nurse: Actor) -> None:
    save(case, nurse, latex=Entry(pick="=no"))
    with pytest.raises(Exception, match="Cannot update or delete"), transaction.atomic():
        Answer.objects.update(value="yes")


def test_a_stale_answer_is_refused_with_both_values_and_the_rest_is_saved(case: Procedure, nurse: Actor) -> None:
    other = make.actor(Role.NURSE)
    save(case, other, latex=Entry(pick="=yes"))
    with pytest.raises(AnswerConflict) as refused:
        save(case, nurse, latex=Entry(pick="=no"), liver_disease=Entry(pick="=no"))
    clash = refused.value.saved.clashes[0]
    assert (clash.mine.value, clash.theirs.value, clash.theirs.answered_by) == ("no", "yes", other.name)
    assert current("latex").value == "yes"
    assert current("liver_disease").value == "no"


def test_two_people_who_give_the_same_answer_do_not_clash(case: Procedure, nurse: Actor) -> None:
    save(case, make.actor(Role.NURSE), latex=Entry(pick="=no"))
    assert save(case, nurse, latex=Entry(pick="=no")).clashes == []


def test_an_answer_over_another_questions_answer_is_refused(case: Procedure, nurse: Actor) -> None:
    save(case, nurse, latex=Entry(pick="=no"), liver_disease=Entry(pick="=no"))
    with pytest.raises(AnswerConflict):
        save(case, nurse, latex=Entry(pick="=yes", base=current("liver_disease").pk))


def test_takes_none_is_refused_while_there_are_lines_and_a_line_while_it_stands(case: Procedure, nurse: Actor) -> None:
    row = checklist_rows.add_medicine(actor=nurse, procedure=case, name="Aspirin", status="ongoing")
    assert current("medicines").state == "answered"
    saved = save(case, nurse, medicines=Entry(pick="none", base=current("medicines").pk))
    assert list(saved.incomplete) == ["medicines"]
    checklist_rows.withdraw_medicine(actor=nurse, procedure=case, pk=row.pk, reason="another patient's")
    assert status(case, "medicines") is Status.MISSING
    save(case, nurse, medicines=Entry(pick="none", base=current("medicines").pk))
    with pytest.raises(NoneAsserted):
        checklist_rows.add_medicine(actor=nurse, procedure=case, name="Warfarin", status="ongoing")
    checklist_rows.add_medicine(actor=nurse, procedure=case, name="Warfarin", status="ongoing", instead_of_none=True)
    assert current("medicines").state == "answered"
    assert status(case, "medicines") is Status.COMPLETE


def test_no_known_allergies_is_refused_while_there_are_lines(case: Procedure, nurse: Actor) -> None:
    checklist_rows.add_allergy(actor=nurse, procedure=case, substance="Latex", severity="unknown")
    saved = save(case, nurse, allergies=Entry(pick="none", base=current("allergies").pk))
    assert list(saved.incomplete) == ["allergies"]
    assert current("allergies").state == "answered"


def test_a_stopped_medicine_needs_its_last_dose_and_not_one_in_the_future(case: Procedure, nurse: Actor) -> None:
    add: Any = {"actor": nurse, "procedure": case, "name": "Apixaban", "status": "stopped"}
    with pytest.raises(Invalid) as refused:
        checklist_rows.add_medicine(**add)
    assert refused.value.field == "last_dose_at"
    with pytest.raises(Invalid):
        checklist_rows.add_medicine(**add, last_dose_at=clock.now() + timedelta(hours=1))
    assert checklist_rows.add_medicine(**add, last_dose_at=clock.now() - timedelta(hours=50)).pk
    with pytest.raises(IntegrityError), transaction.atomic():
        MedicineEntry.objects.create(
            checklist=case.checklists.get(), name="X", status="stopped", recorded_at=clock.now()
        )


def test_a_double_click_adds_one_line(case: Procedure, nurse: Actor) -> None:
    for _click in range(2):
        checklist_rows.add_medicine(actor=nurse, procedure=case, name="Aspirin", status="ongoing")
    assert MedicineEntry.objects.count() == 1


def test_a_line_that_somebody_changed_first_is_refused_with_what_stands(case: Procedure, nurse: Actor) -> None:
    row = checklist_rows.add_allergy(actor=nurse, procedure=case, substance="Latex", severity="unknown")
    change: Any = {"actor": nurse, "procedure": case, "pk": row.pk, "substance": "Latex"}
    checklist_rows.change_allergy(**change, severity="anaphylaxis")
    with pytest.raises(RowConflict) as refused:
        checklist_rows.change_allergy(**change, severity="intolerance")
    assert refused.value.mine["severity"] == "intolerance"
    assert refused.value.theirs.severity == "anaphylaxis"
    assert AllergyEntry.objects.filter(superseded_by__isnull=True).get().severity == "anaphylaxis"


def test_an_unsigned_checklist_names_its_stages_and_a_signed_one_none(case: Procedure, physician: Actor) -> None:
    assert selectors.unsigned_blocking_stages(case) == ["Before the visit", "Consent", "Sign-in", "Time-out"]
    assert selectors.unsigned_stage_codes(case) == ["pre_visit", "consent", "sign_in", "time_out"]
    fill_and_sign(case, physician, "pre_visit", "consent", "sign_in", "time_out")
    assert selectors.unsigned_blocking_stages(case) == []


def test_signing_is_refused_with_the_list_of_what_is_open(case: Procedure, nurse: Actor) -> None:
    fill(case, nurse, "pre_visit", liver_disease=Entry(pick="=no"))
    checklists.reopen(actor=nurse, procedure=case, reason="other day", number=1)
    with pytest.raises(Unsignable) as refused:
        checklists.sign(actor=nurse, procedure=case, stage="pre_visit")
    assert "Liver disease?" in refused.value.missing
    assert not StageSignature.objects.exists()


def test_a_stage_nobody_has_begun_cannot_be_signed(case: Procedure, nurse: Actor) -> None:
    with pytest.raises(Unsignable):
        checklists.sign(actor=nurse, procedure=case, stage="sign_out")


def test_a_nurse_records_consent_and_the_operator_signs_it(case: Procedure, nurse: Actor, physician: Actor) -> None:
    fill(case, nurse, "consent")
    with pytest.raises(NotPermitted):
        checklists.sign(actor=nurse, procedure=case, stage="consent")
    assert checklists.sign(actor=physician, procedure=case, stage="consent").signed_by_id == physician.user_id


def test_time_out_is_not_signed_before_sign_in(case: Procedure, physician: Actor) -> None:
    fill_and_sign(case, physician, "pre_visit")
    fill(case, physician, "time_out")
    with pytest.raises(Unsignable, match="Sign-in"):
        checklists.sign(actor=physician, procedure=case, stage="time_out")
    fill_and_sign(case, physician, "sign_in", "time_out")
    assert StageSignature.objects.filter(stage="time_out").exists()


def test_after_an_emergency_start_the_rest_is_signed_in_any_order(physician: Actor) -> None:
    now = clock.now()
    case = make.procedure(
        status="in_progress", started_at=now, emergency_start=True, emergency_reason="sepsis", arrived_at=now
    )
    fill_and_sign(case, physician, "time_out")
    assert "time_out" not in selectors.unsigned_stage_codes(case)
    assert "pre_visit" in selectors.unsigned_stage_codes(case)


def test_an_answer_that_changes_after_the_signature_asks_to_sign_again(case: Procedure, physician: Actor) -> None:
    fill_and_sign(case, physician, "pre_visit")
    save(case, physician, liver_disease=Entry(pick="unknown", base=current("liver_disease").pk))
    assert "Before the visit" in selectors.unsigned_blocking_stages(case)
    checklists.sign(actor=physician, procedure=case, stage="pre_visit")
    assert "Before the visit" not in selectors.unsigned_blocking_stages(case)
    assert StageSignature.objects.count() == 2


def test_a_medicine_that_is_added_after_the_signature_asks_to_sign_again(case: Procedure, physician: Actor) -> None:
    fill_and_sign(case, physician, "pre_visit")
    checklist_rows.add_medicine(
        actor=physician, procedure=case, name="Apixaban", status="ongoing", instead_of_none=True
    )
    assert "Before the visit" in selectors.unsigned_blocking_stages(case)


def test_signing_twice_is_one_signature(case: Procedure, physician: Actor) -> None:
    fill(case, physician, "pre_visit")
    first = checklists.sign(actor=physician, procedure=case, stage="pre_visit")
    assert checklists.sign(actor=physician, procedure=case, stage="pre_visit") == first


def test_one_signs_what_one_has_seen(case: Procedure, nurse: Actor) -> None:
    fill(case, nurse, "pre_visit")
    seen = selectors.state_of(case, clock.now()).stage("pre_visit").digest
    save(case, make.actor(Role.NURSE), liver_disease=Entry(pick="=yes", base=current("liver_disease").pk))
    with pytest.raises(Conflict):
        checklists.sign(actor=nurse, procedure=case, stage="pre_visit", seen=seen)


def test_an_expired_answer_blocks_until_it_is_given_again(case: Procedure, physician: Actor) -> None:
    fill_and_sign(case, physician, "pre_visit", "consent")
    week = timedelta(hours=169)
    with time_machine.travel(clock.now() + week, tick=False):
        assert "Before the visit" in selectors.unsigned_blocking_stages(case)
        assert status(case, "medicines") is Status.EXPIRED
        assert selectors.summary([case])[case.pk].word is Word.FLAGGED
        fill(case, physician, "pre_visit")
        assert "Before the visit" not in selectors.unsigned_blocking_stages(case)


def test_nothing_expires_once_the_needle_is_in(physician: Actor) -> None:
    now = clock.now()
    case = make.procedure(status="arrived", arrived_at=now)
    fill_and_sign(case, physician, "pre_visit", "consent", "sign_in", "time_out")
    Procedure.objects.filter(pk=case.pk).update(status="in_progress", started_at=clock.now())
    case.refresh_from_db()
    with time_machine.travel(now + timedelta(days=30), tick=False):
        assert selectors.unsigned_stage_codes(case) == []


def test_a_new_round_shows_old_answers_to_confirm_and_needs_new_signatures(case: Procedure, nurse: Actor) -> None:
    checklist_rows.add_medicine(actor=nurse, procedure=case, name="Aspirin", status="ongoing")
    fill_and_sign(case, nurse, "pre_visit")
    old = current("liver_disease")
    opened = checklists.reopen(actor=nurse, procedure=case, reason="moved by a week", number=1)
    copied = opened.answers.get(question="liver_disease")
    assert (copied.confirmed, copied.answered_at, copied.value) == (False, old.answered_at, old.value)
    assert opened.medicines.get().confirmed is False
    assert status(case, "liver_disease") is Status.TO_CONFIRM
    assert status(case, "medicines") is Status.TO_CONFIRM
    assert "Before the visit" in selectors.unsigned_blocking_stages(case)


def test_confirming_writes_a_new_answer_by_this_person_and_confirms_the_lines(case: Procedure, nurse: Actor) -> None:
    checklist_rows.add_medicine(actor=nurse, procedure=case, name="Aspirin", status="ongoing")
    checklists.reopen(actor=nurse, procedure=case, reason="next visit", number=1)
    other = make.actor(Role.NURSE)
    base = Answer.objects.get(question="medicines", checklist__number=2)
    assert checklists.confirm(actor=other, procedure=case, bases={"medicines": base.pk}) == ["medicines"]
    assert status(case, "medicines") is Status.COMPLETE
    row = MedicineEntry.objects.get(checklist__number=2, superseded_by__isnull=True)
    assert (row.confirmed, row.recorded_by_id) == (True, other.user_id)


def test_confirming_what_somebody_changed_is_refused(case: Procedure, nurse: Actor) -> None:
    save(case, nurse, latex=Entry(pick="=no"))
    base = current("latex").pk
    save(case, nurse, latex=Entry(pick="=yes", base=base))
    with pytest.raises(AnswerConflict):
        checklists.confirm(actor=nurse, procedure=case, bases={"latex": base})


@pytest.mark.parametrize(("reason", "number", "error"), [("", 1, Invalid), ("x", 2, Conflict)])
def test_a_new_round_needs_a_reason_and_the_round_that_was_seen(
    case: Procedure, nurse: Actor, reason: str, number: int, error: type[Exception]
) -> None:
    checklists.open_round(actor=nurse, procedure=case)
    with pytest.raises(error):
        checklists.reopen(actor=nurse, procedure=case, reason=reason, number=number)
    assert case.checklists.count() == 1


def test_the_minimum_of_an_emergency_is_six_questions_and_unknown_answers_one(
    case: Procedure, physician: Actor
) -> None:
    assert len(selectors.unanswered_minimum(case)) == 6
    save(case, physician, allergies=Entry(pick="unknown"), blood_thinner=Entry(pick="=not_known", note="unconscious"))
    assert len(selectors.unanswered_minimum(case)) == 4


@pytest.mark.parametrize("role", [Role.SCHEDULER, Role.DIRECTOR, Role.ADMINISTRATOR])
def test_only_nurses_and_physicians_answer(case: Procedure, role: Role) -> None:
    actor = make.actor(role)
    with pytest.raises(NotPermitted):
        save(case, actor, latex=Entry(pick="=no"))
    with pytest.raises(NotPermitted):
        checklist_rows.add_medicine(actor=actor, procedure=case, name="Aspirin", status="ongoing")
    assert not Answer.objects.exists()


def test_nothing_is_added_to_a_case_entered_in_error(nurse: Actor) -> None:
    case = make.procedure(status="entered_in_error")
    with pytest.raises(Conflict):
        save(case, nurse, latex=Entry(pick="=no"))


def test_only_signing_rolls_back_with_a_failing_plan(case: Procedure, physician: Actor) -> None:
    seen: list[bool] = []

    def listen(*, strict: bool, **_: Any) -> None:
        seen.append(strict)

    events.facts_changed.connect(listen)
    try:
        fill(case, physician, "pre_visit")
        assert not any(seen)
        checklists.sign(actor=physician, procedure=case, stage="pre_visit")
    finally:
        events.facts_changed.disconnect(listen)
    assert seen[-1] is True


def test_the_audit_names_questions_and_never_their_answers(case: Procedure, nurse: Actor) -> None:
    save(case, nurse, pregnancy_status=Entry(pick="=pregnant"))
    entry = AuditEntry.objects.get(action="checklist.answered")
    assert entry.data == {"questions": ["pregnancy_status"]}
    assert entry.patient_id == case.patient_id


def test_a_list_reads_the_same_number_of_queries_however_long_it_is(case: Procedure, nurse: Actor) -> None:
    others = [make.procedure("lumbar_puncture") for _ in range(3)]
    for one in (case, *others):
        fill(one, nurse, "pre_visit")
    counts = []
    for cases in (others[:2], [case, *others]):
        fresh = list(Procedure.objects.filter(pk__in=[c.pk for c in cases]))
        with CaptureQueriesContext(connection) as queries:
            found = selectors.summary(fresh)
        assert {s.word for s in found.values()} == {Word.UNANSWERED}  # consent
        counts.append(len(queries))
    assert counts == [6, 6]


def test_one_case_alone_is_asked_only_for_what_it_has(case: Procedure, nurse: Actor) -> None:
    fill(case, nurse, "pre_visit")
    with CaptureQueriesContext(connection) as bare:
        assert not selectors.rounds([case])[case.pk].signatures
    opened = Checklist.objects.get(procedure=case)
    AllergyEntry.objects.create(
        checklist=opened, substance="latex", severity="reaction", recorded_at=clock.now(), recorded_by_id=nurse.user_id
    )
    StageSignature.objects.create(
        checklist=opened, stage="pre_visit", signed_at=clock.now(), signed_by_id=nurse.user_id, digest="0" * 64
    )
    with CaptureQueriesContext(connection) as full:
        found = selectors.rounds([case])[case.pk]
    assert [line.substance for line in found.allergies] == ["latex"]
    assert [signature.stage for signature in found.signatures] == ["pre_visit"]
    assert (len(bare), len(full)) == (2, 5)


def test_both_protocols_can_be_filled_and_signed_to_the_end(physician: Actor) -> None:
    for code in ("paracentesis", "lumbar_puncture"):
        case = make.procedure(code, status="arrived", arrived_at=clock.now())
        fill_and_sign(case, physician, "pre_visit", "consent", "sign_in", "time_out", "sign_out")
        assert selectors.unsigned_blocking_stages(case) == []
        assert selectors.unanswered_minimum(case) == []
