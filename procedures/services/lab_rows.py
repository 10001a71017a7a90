"""Rows of the laboratory, locked in the one order (case, then test or tube) and moved through the one door."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Model, QuerySet

from clinic import audit, clock, row_locks, transitions
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid
from procedures.domain.lab_content import Test
from procedures.domain.states import LAB_TEST, ProcedureStatus, TestStatus
from procedures.models import LabTest, Procedure, Specimen

REASON_LENGTH = 200


def locked_case(procedure: Procedure, *, dead: bool = False) -> Procedure:
    """The case's row, locked first as everywhere. ``dead``: also when it was entered in error."""
    # the protocol's data is large, and parsed once per process
    row = row_locks.lock(Procedure, procedure.pk, "protocol_version", without=("protocol_version__data",))
    if row.status == ProcedureStatus.ENTERED_IN_ERROR and not dead:
        raise Conflict("This case was entered in error: nothing more is recorded in it.")
    return row


def locked_test(test: LabTest) -> LabTest:
    """The test's row, locked after its case."""
    return row_locks.lock(LabTest, test.pk)


def locked_tests(procedure: Procedure) -> QuerySet[LabTest]:
    """The case's tests, locked when they are read."""
    return procedure.tests.select_for_update(of=("self",), no_key=True).order_by("pk")


def locked_specimens(procedure: Procedure, pks: Sequence[int]) -> list[Specimen]:
    """These tubes of the case, locked. Raises Invalid when there is none or one belongs elsewhere."""
    rows = list(procedure.specimens.select_for_update(of=("self",), no_key=True).filter(pk__in=set(pks)).order_by("pk"))
    if not rows or len(rows) != len(set(pks)):
        raise Invalid("Tick at least one tube of this case.", field="specimens")
    return rows


def move(
    test: LabTest, procedure: Procedure, to: TestStatus, action: str, actor: Actor, reason: str = "", **also: Any
) -> None:
    """One legal move of a test, with the columns that go with it."""
    transitions.apply(
        test,
        machine=LAB_TEST,
        to=to,
        action=action,
        actor=actor,
        patient_id=procedure.patient_id,
        reason=reason,
        data={"test": test.code},
        also=also,
    )


def columns(test: Test) -> dict[str, Any]:
    """What a row keeps of its protocol's test."""
    return {
        "code": test.code,
        "label": test.label,
        "loinc": test.loinc,
        "container": test.container,
        "usual_hours": test.usual_hours,
        "outer_hours": test.outer_hours,
        "extended": test.extended,
        "has_preliminary": test.preliminary,
    }


def order_number(procedure: Procedure, place: int) -> str:
    """By what the laboratory names this order: the case's code and the place of the test in it."""
    return f"{procedure.code}-{place:02d}"


def note(
    action: str, procedure: Procedure, actor: Actor, data: dict[str, Any], row: Model | None = None, reason: str = ""
) -> None:
    """The audit line beside a change."""
    audit.record(
        action=action, actor=actor, subject=row or procedure, patient_id=procedure.patient_id, data=data, reason=reason
    )


def given_reason(text: str) -> str:
    """The reason without blanks around it. Raises Invalid when there is none or it is too long to keep."""
    if not text.strip():
        raise Invalid("Say why.", field="reason")
    if len(text.strip()) > REASON_LENGTH:
        raise Invalid("Say it in at most %(length)s signs.", field="reason", length=REASON_LENGTH)
    return text.strip()


def check_not_future(at: datetime, field: str = "at") -> None:
    """Raise Invalid for a moment that has not come."""
    if at > clock.now():
        raise Invalid("This time is in the future.", field=field)
