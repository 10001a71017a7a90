"""The lines of the medicine and allergy lists: added, changed, withdrawn, each as a new row.

"Takes none" and "no known allergies" are answers by a named person. They are refused while there are lines, and a line
is refused while they stand, unless the person says that they were wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from clinic import access, audit, clock
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid
from clinic.roles import Role
from procedures import events
from procedures.domain.answers import AnswerState, Reading
from procedures.domain.protocol import Question
from procedures.models import AllergyEntry, Checklist, MedicineEntry, Procedure
from procedures.models.checklists import AllergySeverity
from procedures.selectors import checklists as selectors
from procedures.services import checklists, medicine_lines, safety


class RowConflict(Conflict):
    """Somebody else changed this line in the meantime. Nothing of yours was saved over it."""

    def __init__(self, mine: Mapping[str, Any], theirs: Any) -> None:
        self.mine = dict(mine)
        self.theirs = theirs  # the row that stands now; withdrawn when there is none any more
        super().__init__()


class NoneAsserted(Invalid):
    """It was answered that there are none. Say that this was wrong, then the line is added."""


@dataclass(frozen=True)
class List:
    """One of the two lists. ``kind`` is the kind of its question, ``name`` the column that names a line."""

    kind: str
    noun: str
    model: Any
    name: str


MEDICINES = List(kind="medicines", noun="medicine", model=MedicineEntry, name="name")
ALLERGIES = List(kind="allergies", noun="allergy", model=AllergyEntry, name="substance")


def add_medicine(
    *, actor: Actor, procedure: Procedure, name: str, status: str, instead_of_none: bool = False, **details: Any
) -> MedicineEntry:
    """Add a line to the medicine list; the line that is there already when an equal one is.

    ``details``: those of ``medicine_lines.Details``. Raises Invalid for what cannot be, for a list that nobody can
    check any more, and for a stopped one without its last dose; NoneAsserted while "takes none" stands and
    ``instead_of_none`` is not said.
    """
    values = medicine_lines.values_of(name, status, medicine_lines.Details(**details), now=clock.now())
    row: MedicineEntry = _add(MEDICINES, actor=actor, procedure=procedure, values=values, anyway=instead_of_none)
    return row


def change_medicine(
    *, actor: Actor, procedure: Procedure, pk: int, name: str, status: str, **details: Any
) -> MedicineEntry:
    """Replace line ``pk`` by what is said now. Raises RowConflict when somebody did so before."""
    values = medicine_lines.values_of(name, status, medicine_lines.Details(**details), now=clock.now())
    row: MedicineEntry = _change(MEDICINES, actor=actor, procedure=procedure, pk=pk, values=values)
    return row


def withdraw_medicine(*, actor: Actor, procedure: Procedure, pk: int, reason: str) -> None:
    """Take line ``pk`` off the list: it was never right. The row stays, and the reason is in the audit."""
    _withdraw(MEDICINES, actor=actor, procedure=procedure, pk=pk, reason=reason)


def add_allergy(
    *,
    actor: Actor,
    procedure: Procedure,
    substance: str,
    severity: str,
    category: str = "",
    reaction: str = "",
    instead_of_none: bool = False,
) -> AllergyEntry:
    """Add a line to the allergy list; as for medicines."""
    values = _allergy(substance, severity, category, reaction)
    row: AllergyEntry = _add(ALLERGIES, actor=actor, procedure=procedure, values=values, anyway=instead_of_none)
    return row


def change_allergy(
    *,
    actor: Actor,
    procedure: Procedure,
    pk: int,
    substance: str,
    severity: str,
    category: str = "",
    reaction: str = "",
) -> AllergyEntry:
    """Replace line ``pk`` by what is said now. Raises RowConflict when somebody did so before."""
    values = _allergy(substance, severity, category, reaction)
    row: AllergyEntry = _change(ALLERGIES, actor=actor, procedure=procedure, pk=pk, values=values)
    return row


def withdraw_allergy(*, actor: Actor, procedure: Procedure, pk: int, reason: str) -> None:
    """Take line ``pk`` off the list: it was never right."""
    _withdraw(ALLERGIES, actor=actor, procedure=procedure, pk=pk, reason=reason)


def _allergy(substance: str, severity: str, category: str, reaction: str) -> dict[str, Any]:
    if not substance.strip():
        raise Invalid("Name the substance.", field="substance")
    if severity not in AllergySeverity.values:
        raise Invalid("Say how severe it was. If nobody knows, choose “reaction unknown”.", field="severity")
    return {"substance": substance.strip(), "severity": severity, "category": category, "reaction": reaction.strip()}


def _question(procedure: Procedure, kind: str) -> Question:
    return next(q for q in procedure.protocol_version.parsed.questions if q.kind == kind)


@transaction.atomic
def _add(which: List, *, actor: Actor, procedure: Procedure, values: dict[str, Any], anyway: bool) -> Any:
    access.require(actor, Role.NURSE, Role.PHYSICIAN)
    locked, now = checklists.lock(procedure), clock.now()
    opened = checklists.round_of(locked, actor=actor, now=now)
    question = _question(locked, which.kind)
    answer = selectors.rounds([locked])[locked.pk].answers.get(question.code)
    if answer is not None and answer.state is AnswerState.NONE and not anyway:
        raise NoneAsserted(field=which.name)
    same = _current(which, opened).filter(**values).first()
    if same is not None:  # a double click
        return same
    if which is MEDICINES:
        medicine_lines.refuse_too_many(_current(which, opened).count() + 1)
    if answer is None or answer.state is AnswerState.NONE:
        reading = Reading(state=AnswerState.ANSWERED)
        base = answer.id if answer else None
        if not checklists.write(opened, question, reading, base=base, actor=actor, now=now):
            raise Conflict
    row = which.model.objects.create(checklist=opened, recorded_at=now, recorded_by_id=actor.user_id, **values)
    _tell(f"{which.noun}.added", locked, row, actor)
    return row


@transaction.atomic
def _change(which: List, *, actor: Actor, procedure: Procedure, pk: int, values: dict[str, Any]) -> Any:
    access.require(actor, Role.NURSE, Role.PHYSICIAN)
    locked, now = checklists.lock(procedure), clock.now()
    opened, row = _line(which, locked, pk)
    if row.confirmed and all(getattr(row, name) == value for name, value in values.items()):
        return row
    new = _replace(which, row, opened, values=values, actor=actor, now=now, confirmed=True, reported_by_patient=False)
    _tell(f"{which.noun}.changed", locked, new, actor)
    return new


@transaction.atomic
def _withdraw(which: List, *, actor: Actor, procedure: Procedure, pk: int, reason: str) -> None:
    access.require(actor, Role.NURSE, Role.PHYSICIAN)
    if not reason.strip():
        raise Invalid("Say why it is taken off the list.", field="reason")
    locked, now = checklists.lock(procedure), clock.now()
    opened, row = _line(which, locked, pk)
    new = _replace(which, row, opened, values={"withdrawn": True}, actor=actor, now=now)
    _tell(f"{which.noun}.withdrawn", locked, new, actor, reason=reason.strip())


def _line(which: List, procedure: Procedure, pk: int) -> tuple[Checklist, Any]:
    """A line of the newest round. Raises Conflict for one of an earlier round."""
    opened = procedure.checklists.order_by("-number").first()
    row = which.model.objects.filter(pk=pk, checklist=opened).first() if opened else None
    if opened is None or row is None:
        raise Conflict("This line belongs to an earlier round of the checklist.")
    return opened, row


def _replace(
    which: List, row: Any, opened: Checklist, *, values: dict[str, Any], actor: Actor, now: datetime, **also: Any
) -> Any:
    """The row that supersedes ``row``; the database lets only one do so."""
    try:
        with transaction.atomic():
            return checklists.copy_row(
                row, opened, supersedes=row, recorded_at=now, recorded_by_id=actor.user_id, **values, **also
            )
    except IntegrityError as error:
        if not checklists.constraint(error).endswith("_supersedes_id_key"):
            raise
        raise RowConflict(values, _standing(row)) from None


def _standing(row: Any) -> Any:
    """What became of a line in the end."""
    while (after := type(row).objects.filter(supersedes=row).select_related("recorded_by").first()) is not None:
        row = after
    return row


def _current(which: List, opened: Checklist) -> Any:
    return which.model.objects.filter(checklist=opened, superseded_by__isnull=True, withdrawn=False)


def _tell(action: str, procedure: Procedure, row: Any, actor: Actor, *, reason: str = "") -> None:
    audit.record(action=action, actor=actor, subject=row, patient_id=procedure.patient_id, reason=reason)
    safety.look(actor=actor, procedure=procedure)
    events.changed(procedure)
