"""The procedure record: saved, signed, frozen, amended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from clinic import clock
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid, NotPermitted
from clinic.models import AuditEntry
from clinic.roles import Role
from procedures.models import Procedure, ProcedureRecord
from procedures.selectors import records as selectors
from procedures.services import records
from procedures.services.records import Content
from tests import make

pytestmark = pytest.mark.django_db


def case(code: str = "paracentesis") -> Procedure:
    return make.procedure(code, status="completed", starts=clock.now() - timedelta(hours=3))


def content(procedure: Procedure, **changes: Any) -> Content:
    """Everything that signing needs, with the first answer of each required field."""
    fields: dict[str, Any] = {}
    for item in procedure.protocol_version.parsed.record_fields:
        if item.required:
            low = int(item.minimum or 0) or 1
            fields[item.code] = item.choices[0].code if item.choices else low if "number" in item.kind else "text"
            if item.kind == "integer":
                fields[item.code] = low
            if item.kind == "yes_no":
                fields[item.code] = "no"
    fields.update(changes.pop("fields", {}))
    start = clock.now() - timedelta(hours=2)
    values: dict[str, Any] = {
        "started_at": start,
        "ended_at": start + timedelta(minutes=30),
        "operator_id": procedure.responsible_id,
        "no_complications": True,
        "fields": fields,
    }
    return Content(**{**values, **changes})


def physician(procedure: Procedure) -> Actor:
    return Actor.person(procedure.responsible)


def signed(procedure: Procedure, **changes: Any) -> ProcedureRecord:
    actor = physician(procedure)
    draft = records.save(procedure=procedure, actor=actor, content=content(procedure, **changes), seen=None)
    return records.sign(procedure=procedure, actor=actor, seen=draft.saved_at)


def test_an_empty_draft_is_saved_by_a_nurse() -> None:
    procedure = case()
    draft = records.save(procedure=procedure, actor=make.actor(Role.NURSE), content=Content(), seen=None)
    assert draft.signed_at is None and draft.fields == {} and draft.number == 1


def test_text_in_a_number_saves_nothing_and_names_the_field() -> None:
    procedure = case()
    with pytest.raises(records.Unreadable) as refused:
        wrong = content(procedure, fields={"volume_removed_ml": "six"})
        records.save(procedure=procedure, actor=physician(procedure), content=wrong, seen=None)
    assert [problem.field for problem in refused.value.problems] == ["volume_removed_ml"]
    assert not procedure.records.exists()


def test_a_stale_save_is_refused_and_shows_what_stands() -> None:
    procedure = case()
    nurse, doctor = make.actor(Role.NURSE), physician(procedure)
    first = records.save(procedure=procedure, actor=nurse, content=Content(assistant="A"), seen=None)
    second = records.save(procedure=procedure, actor=doctor, content=Content(assistant="B"), seen=first.saved_at)
    with pytest.raises(records.Stale) as refused:
        records.save(procedure=procedure, actor=nurse, content=Content(assistant="C"), seen=first.saved_at)
    assert refused.value.stands.pk == second.pk and refused.value.stands.assistant == "B"
    assert procedure.records.get().assistant == "B"


def test_the_second_click_of_the_same_content_is_no_conflict() -> None:
    procedure = case()
    actor = physician(procedure)
    first = records.save(procedure=procedure, actor=actor, content=content(procedure), seen=None)
    again = records.save(procedure=procedure, actor=actor, content=content(procedure, started_at=first.started_at,
                         ended_at=first.ended_at), seen=None)  # fmt: skip
    assert again.pk == first.pk and again.saved_at == first.saved_at


def test_signing_lists_everything_that_is_missing() -> None:
    procedure = case()
    actor = physician(procedure)
    draft = records.save(procedure=procedure, actor=actor, content=Content(), seen=None)
    with pytest.raises(records.NotComplete) as refused:
        records.sign(procedure=procedure, actor=actor, seen=draft.saved_at)
    named = {problem.field for problem in refused.value.problems}
    assert {"started_at", "ended_at", "operator", "complications", "volume_removed_ml", "site"} <= named
    draft.refresh_from_db()
    assert draft.signed_at is None


@pytest.mark.parametrize(("volume", "refused"), [(5000, False), (5001, True)])
def test_above_five_litres_signing_needs_albumin_or_a_reason(volume: int, refused: bool) -> None:
    procedure = case()
    if not refused:
        assert signed(procedure, fields={"volume_removed_ml": volume}).signed_at is not None
        return
    with pytest.raises(records.NotComplete) as error:
        signed(procedure, fields={"volume_removed_ml": volume})
    assert [problem.field for problem in error.value.problems] == ["albumin_given_g"]
    assert "30 to 40 g" in error.value.problems[0].text


def test_six_litres_with_albumin_is_signed_and_its_case_is_planned() -> None:
    procedure = case()
    record = signed(procedure, fields={"volume_removed_ml": 6000, "albumin_given_g": 48})
    procedure.refresh_from_db()
    assert record.signed_by_id == procedure.responsible_id
    assert procedure.planned_version == procedure.facts_version > 1
    assert not procedure.follow_ups.filter(kind="sign_record", closed_at__isnull=True).exists()
    assert AuditEntry.objects.filter(action="record.signed", subject_id=record.pk).count() == 1


def test_both_procedures_can_be_signed() -> None:
    assert signed(case("lumbar_puncture")).signed_at is not None


def test_a_nurse_may_not_sign_and_the_operator_may() -> None:
    procedure = case()
    nurse = make.user(Role.NURSE)
    written = content(procedure, operator_id=procedure.responsible_id)
    draft = records.save(procedure=procedure, actor=physician(procedure), content=written, seen=None)
    with pytest.raises(NotPermitted):
        records.sign(procedure=procedure, actor=Actor.person(nurse), seen=draft.saved_at)
    handed = records.save(
        procedure=procedure, actor=physician(procedure), content=content(procedure, operator_id=nurse.pk),
        seen=draft.saved_at,
    )  # fmt: skip
    assert records.sign(procedure=procedure, actor=Actor.person(nurse), seen=handed.saved_at).signed_by_id == nurse.pk


def test_what_was_changed_after_reading_is_not_signed() -> None:
    procedure = case()
    actor = physician(procedure)
    read = records.save(procedure=procedure, actor=actor, content=content(procedure), seen=None)
    records.save(
        procedure=procedure, actor=make.actor(Role.NURSE), content=content(procedure, assistant="N"), seen=read.saved_at
    )
    with pytest.raises(records.Stale):
        records.sign(procedure=procedure, actor=actor, seen=read.saved_at)
    assert not procedure.records.filter(signed_at__isnull=False).exists()


def test_a_case_that_was_not_started_is_not_signed_and_keeps_its_draft() -> None:
    procedure = make.procedure(status="scheduled")
    actor = physician(procedure)
    draft = records.save(procedure=procedure, actor=actor, content=content(procedure), seen=None)
    with pytest.raises(Conflict, match="not been started"):
        records.sign(procedure=procedure, actor=actor, seen=draft.saved_at)
    assert procedure.records.filter(signed_at__isnull=True).exists()


def test_signing_twice_signs_once() -> None:
    procedure = case()
    record = signed(procedure)
    again = records.sign(procedure=procedure, actor=physician(procedure), seen=record.saved_at)
    assert again.pk == record.pk and again.signed_at == record.signed_at
    assert AuditEntry.objects.filter(action="record.signed").count() == 1


def test_a_plan_that_cannot_be_made_leaves_the_record_unsigned(monkeypatch: pytest.MonkeyPatch) -> None:
    from followups.domain import planner

    def broken(*_args: object) -> None:
        raise RuntimeError("no plan")

    procedure = case()
    actor = physician(procedure)
    draft = records.save(procedure=procedure, actor=actor, content=content(procedure), seen=None)
    monkeypatch.setattr(planner, "plan", broken)
    with pytest.raises(RuntimeError, match="no plan"), transaction.atomic():
        records.sign(procedure=procedure, actor=actor, seen=draft.saved_at)
    draft.refresh_from_db()
    assert draft.signed_at is None


# --- frozen, and amended --------------------------------------------------------------------


def test_a_signed_record_is_frozen_for_everybody_also_from_sql() -> None:
    record = signed(case())
    for statement in (
        "UPDATE procedures_procedurerecord SET assistant = 'x' WHERE id = %s",
        "UPDATE procedures_procedurerecord SET signed_at = NULL, signed_by_id = NULL WHERE id = %s",
        "DELETE FROM procedures_procedurerecord WHERE id = %s",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, [record.pk])
    record.refresh_from_db()
    assert record.assistant == "" and record.signed_at is not None


def test_saving_over_a_signed_record_is_a_conflict_that_shows_it() -> None:
    procedure = case()
    record = signed(procedure)
    with pytest.raises(records.Stale) as refused:
        records.save(
            procedure=procedure, actor=physician(procedure), content=Content(assistant="late"), seen=record.saved_at
        )
    assert refused.value.stands.pk == record.pk


def test_an_amendment_is_a_new_version_with_a_reason_and_shows_what_changed() -> None:
    procedure = case()
    actor = physician(procedure)
    first = signed(procedure, fields={"volume_removed_ml": 4000})
    draft = records.amend(procedure=procedure, actor=actor, reason="volume was misread")
    assert (draft.number, draft.supersedes_id, draft.fields) == (2, first.pk, first.fields)
    changed = content(
        procedure, started_at=first.started_at, ended_at=first.ended_at, fields={"volume_removed_ml": 4200}
    )
    saved = records.save(procedure=procedure, actor=actor, content=changed, seen=draft.saved_at)
    second = records.sign(procedure=procedure, actor=actor, seen=saved.saved_at)
    newest, oldest = selectors.versions_of(procedure)
    assert (newest.record.pk, oldest.record.pk) == (second.pk, first.pk)
    assert [(c.old, c.new) for c in newest.changes] == [("4000 mL", "4200 mL")]
    first.refresh_from_db()
    assert first.fields["volume_removed_ml"] == 4000


def test_an_amendment_needs_a_signed_record_and_a_reason() -> None:
    procedure = case()
    with pytest.raises(Conflict):
        records.amend(procedure=procedure, actor=physician(procedure), reason="because")
    signed(procedure)
    with pytest.raises(Invalid):
        records.amend(procedure=procedure, actor=physician(procedure), reason="  ")
    assert procedure.records.count() == 1


def test_there_is_one_open_amendment_at_a_time() -> None:
    procedure = case()
    signed(procedure)
    first = records.amend(procedure=procedure, actor=physician(procedure), reason="one")
    assert records.amend(procedure=procedure, actor=physician(procedure), reason="two").pk == first.pk
    with pytest.raises(IntegrityError), transaction.atomic():
        ProcedureRecord.objects.create(
            procedure=procedure, number=3, saved_at=clock.now(), supersedes=first, amendment_reason="x"
        )


def test_the_note_says_what_was_done_in_words_with_units() -> None:
    procedure = case()
    record = signed(procedure, fields={"volume_removed_ml": 6000, "albumin_reason": "not_cirrhosis"})
    text = selectors.note(procedure, record)
    assert procedure.patient.name in text and procedure.patient.mrn in text
    assert "6000 mL" in text and "Not cirrhosis" in text and "Complications: none" in text
    assert "Signed by" in text and "DRAFT" not in text


def test_a_case_entered_in_error_takes_no_record() -> None:
    procedure = make.procedure(status="entered_in_error")
    with pytest.raises(Conflict):
        records.save(procedure=procedure, actor=physician(procedure), content=Content(), seen=None)
