"""What a patient said before the visit arrives in the checklist: as reported, never as confirmed.

It is written where nothing stands, or where only the patient's own earlier words stand. What somebody of the clinic
answered stays as it is; where the patient says otherwise, both are shown and the question waits to be asked again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from clinic import audit
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid
from procedures import events
from procedures.domain import reported
from procedures.domain.answers import ROWS, AnswerState
from procedures.domain.checklist_round import AnswerRow, Round
from procedures.domain.protocol import Question
from procedures.domain.reported import Given, Line
from procedures.domain.states import ProcedureStatus
from procedures.models import AllergyEntry, Checklist, MedicineEntry, PatientReport, Procedure
from procedures.models.checklists import AllergySeverity, MedicineStatus
from procedures.selectors import checklists as selectors
from procedures.services import checklists, medicine_lines, safety

#: While it is worth asking.
BEFORE = frozenset({ProcedureStatus.REQUESTED, ProcedureStatus.SCHEDULED, ProcedureStatus.ARRIVED})
STOPPED = " (stopped)"


class TooLate(Conflict):
    """The visit has begun, or it was cancelled. Please tell the people who care for you."""


@transaction.atomic
def arrive(
    *, actor: Actor, procedure: Procedure, given: Mapping[str, Given], language: str, answered_by: str, now: datetime
) -> PatientReport:
    """Keep the whole report, and write into the checklist what nobody there has answered. Raises TooLate."""
    locked = checklists.lock(procedure)
    if locked.state not in BEFORE:
        raise TooLate
    protocol = locked.protocol_version.parsed
    shown = {item.code for item in reported.asked(protocol, given)}
    given = {code: each for code, each in given.items() if code in shown and not each.is_empty}
    report = PatientReport.objects.create(
        procedure=locked, at=now, language=language, answered_by=answered_by, answers=reported.to_data(given)
    )
    opened = checklists.round_of(locked, actor=actor, now=now)
    found = selectors.rounds([locked])[locked.pk]
    written = [
        question.code
        for question in protocol.questions
        if question.code in given and _write(opened, question, given[question.code], found, actor=actor, now=now)
    ]
    Checklist.objects.filter(pk=opened.pk).update(report=report)
    audit.record(
        action="checklist.reported", actor=actor, subject=report, patient_id=locked.patient_id,
        data={"questions": written, "language": language},
    )  # fmt: skip
    safety.look(actor=actor, procedure=locked)
    events.changed(locked)
    return report


def _write(opened: Checklist, question: Question, given: Given, found: Round, *, actor: Actor, now: datetime) -> bool:
    """Whether it became an answer, still to be confirmed."""
    reading = reported.reading(question, given)
    current = found.answers.get(question.code)
    rows = found.rows(question.kind)
    if reading is None or (current is not None and not _is_own(current)):
        return False
    if rows and reading.state is not AnswerState.ANSWERED:
        return False  # lines are there: that there are none is shown beside them
    base = current.id if current is not None else None
    if not checklists.write(opened, question, reading, base=base, actor=actor, now=now, reported=True):
        raise Conflict
    if question.kind in ROWS:
        for line in reported.missing(given.lines, [row.named for row in rows]):
            _add(opened, question.kind, line, now)
    return True


def _is_own(answer: AnswerRow) -> bool:
    """The patient's own earlier words, which nobody has confirmed."""
    return answer.reported and not answer.confirmed


def _add(opened: Checklist, kind: str, line: Line, now: datetime) -> None:
    also: dict[str, Any] = {"checklist": opened, "recorded_at": now, "reported_by_patient": True, "confirmed": False}
    if kind == "medicines":
        MedicineEntry.objects.create(**_medicine(line, now), **also)
    else:
        AllergyEntry.objects.create(substance=line.name, reaction=line.more, severity=AllergySeverity.UNKNOWN, **also)


def _medicine(line: Line, now: datetime) -> dict[str, Any]:
    """A stopped one without a last dose is *unknown*: the nurse asks. What cannot be is kept as it was written."""
    status = MedicineStatus.ONGOING if line.still == "yes" else MedicineStatus.UNKNOWN
    dose = line.more + (STOPPED if line.still == "no" else "")
    try:
        return medicine_lines.values_of(line.name, status, medicine_lines.Details(dose=dose), now=now)
    except Invalid:
        return {"name": line.name, "dose": dose, "status": status}
