"""The buttons of the case page: what is owed comes first, what is unusual comes last."""

from __future__ import annotations

import pytest

from clinic import clock
from clinic.roles import Role
from followups.domain.kinds import Kind
from followups.selectors import case, steps
from procedures.models import Procedure, ProcedureRecord
from tests import make
from tests.factories import promises

pytestmark = pytest.mark.django_db


def labels(procedure: Procedure, role: Role) -> list[str]:
    return [str(step.label) for step in steps.of(case.load(procedure, clock.now()), make.actor(role))]


def done(*, record: bool = False, tell: bool = False) -> Procedure:
    procedure = make.procedure(status="completed")
    if record:
        physician = make.user(Role.PHYSICIAN)
        ProcedureRecord.objects.create(
            procedure=procedure, saved_at=clock.now(), signed_at=clock.now(), signed_by=physician, no_complications=True
        )
    if tell:
        promises.promise(
            Kind.TELL_PATIENT, procedure=procedure, due=clock.now(), about={"versions": [1]}, key="tell:results"
        )
    return procedure


def test_a_record_that_is_owed_comes_first() -> None:
    assert labels(done(), Role.PHYSICIAN)[0] == "Procedure record"


def test_a_patient_who_waits_to_be_told_comes_before_the_amendment_of_a_signed_record() -> None:
    found = labels(done(record=True, tell=True), Role.PHYSICIAN)
    assert found[0] == "Tell the patient"
    assert found.index("Amend the record") > found.index("Held medicines")
    assert found.count("Tell the patient") == 1


def test_with_nothing_to_tell_the_specimens_come_first_and_telling_is_still_there() -> None:
    found = labels(done(record=True), Role.NURSE)
    assert found[0] == "Specimens and tests"
    assert "Tell the patient" in found


def test_an_actor_without_clinical_role_gets_no_clinical_step() -> None:
    assert not {"Tell the patient", "Specimens and tests", "Checklist"} & set(labels(done(tell=True), Role.SCHEDULER))
