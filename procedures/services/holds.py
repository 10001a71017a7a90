"""Medicines held for the needle: one row each, and what became of it.

The promise to restart derives from these rows alone. Until the needle (or until it is clear that there will be none) a
hold is a plan and may be withdrawn; afterwards it stays until somebody says *restarted* or *not restarted, because*.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from clinic import access, audit, clock, row_locks
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid
from clinic.models import User
from clinic.roles import Role
from procedures import events
from procedures.domain.states import ProcedureStatus
from procedures.models import Hold, Procedure
from procedures.models.holds import RestartDecision
from procedures.selectors import restarts

#: The needle is in, or there will be none: what became of a hold must be said.
DECIDABLE = frozenset(
    {
        ProcedureStatus.IN_PROGRESS,
        ProcedureStatus.COMPLETED,
        ProcedureStatus.CANCELLED,
        ProcedureStatus.NO_SHOW,
        ProcedureStatus.ENTERED_IN_ERROR,
    }
)
#: The needle went in: a hold was real and can no longer be taken back.
NEEDLE = frozenset({ProcedureStatus.IN_PROGRESS, ProcedureStatus.COMPLETED})


@transaction.atomic
def hold(
    *,
    actor: Actor,
    procedure: Procedure,
    ingredient: str,
    decided_by: User,
    reason: str = "",
    agreed_with: str = "",
    planned_last_dose_at: datetime | None = None,
) -> Hold:
    """Record that a medicine is held; the row that is there already when it is held.

    ``decided_by`` is the physician who decided, ``agreed_with`` the prescriber (name, clinic, phone). Raises Invalid
    without a medicine or when somebody who is no physician is named as the one who decided.
    """
    access.require(actor, Role.NURSE, Role.PHYSICIAN)
    name = ingredient.strip()
    if not name:
        raise Invalid("Name the medicine.", field="ingredient")
    if not decided_by.has(Role.PHYSICIAN):
        raise Invalid("A physician decides on holding a medicine.", field="decided_by")
    locked = _lock(procedure)
    held = locked.holds.filter(ingredient__iexact=name, withdrawn_at__isnull=True, restart="").first()
    if held is not None:
        return held
    row = Hold.objects.create(
        procedure=locked,
        ingredient=name,
        restart_rule=restarts.rule_for(locked, name, clock.now()),
        reason=reason.strip(),
        decided_by=decided_by,
        decided_at=clock.now(),
        agreed_with=agreed_with.strip(),
        planned_last_dose_at=planned_last_dose_at,
    )
    _tell("hold.held", row, locked, actor, data={"decided_by": decided_by.pk})
    return row


def plan_last_dose(*, actor: Actor, hold: Hold, at: datetime, agreed_with: str = "") -> Hold:
    """When the last dose is taken, and with whom that was agreed. Another time than before must be told anew."""
    access.require(actor, Role.NURSE, Role.PHYSICIAN)
    values: dict[str, Any] = {"planned_last_dose_at": at}
    if agreed_with.strip():
        values["agreed_with"] = agreed_with.strip()
    if hold.planned_last_dose_at != at:
        values |= {"told_patient_at": None, "told_by_id": None, "teach_back": ""}
    return _write("hold.last_dose_planned", actor, hold, **values)


def told_patient(*, actor: Actor, hold: Hold, at: datetime | None = None, teach_back: str = "") -> Hold:
    """The patient knows when to take the last dose. ``at``: when they were told, now if not given.

    ``teach_back``: what the patient said back in their own words.
    """
    access.require(actor, Role.NURSE, Role.PHYSICIAN)
    moment = at or clock.now()
    _refuse_future(moment, "told_patient_at")
    told = {"told_patient_at": moment, "told_by_id": actor.user_id, "teach_back": teach_back.strip()}
    return _write("hold.told_patient", actor, hold, **told)


def set_restart_due(*, actor: Actor, hold: Hold, due_at: datetime) -> Hold:
    """When the medicine is to be taken again: a physician says so, before the patient leaves."""
    access.require(actor, Role.PHYSICIAN)
    return _write("hold.restart_due", actor, hold, restart_due_at=due_at)


def restart(*, actor: Actor, hold: Hold, at: datetime) -> Hold:
    """It was taken again at ``at``. Raises Invalid before the needle and for a moment in the future."""
    access.require(actor, Role.NURSE, Role.PHYSICIAN)
    _refuse_future(at, "restart_at")
    return _decide("hold.restarted", actor, hold, restart=RestartDecision.RESTARTED, restart_at=at)


def not_restart(*, actor: Actor, hold: Hold, reason: str) -> Hold:
    """It is not taken again, with the reason. Raises Invalid before the needle and without a reason."""
    access.require(actor, Role.NURSE, Role.PHYSICIAN)
    if not reason.strip():
        raise Invalid("Say why it is not restarted.", field="restart_reason")
    return _decide(
        "hold.not_restarted", actor, hold, restart=RestartDecision.NOT_RESTARTED, restart_reason=reason.strip()
    )


def withdraw(*, actor: Actor, hold: Hold, reason: str) -> Hold:
    """The medicine is not held after all. Raises Invalid after the needle, when only what became of it can be said."""
    access.require(actor, Role.NURSE, Role.PHYSICIAN)
    if not reason.strip():
        raise Invalid("Say why it is not held after all.", field="withdrawn_reason")

    def check(procedure: Procedure) -> None:
        if procedure.state in NEEDLE:
            raise Invalid("The needle is in: say whether the medicine was restarted, or why not.")

    return _write("hold.withdrawn", actor, hold, check=check, withdrawn_at=clock.now(), withdrawn_reason=reason.strip())


def _decide(action: str, actor: Actor, hold: Hold, **values: Any) -> Hold:
    def check(procedure: Procedure) -> None:
        if procedure.state not in DECIDABLE:
            raise Invalid("The needle is still to come. If the medicine is not held after all, withdraw it.")

    who = {"restart_by_id": actor.user_id, "restart_recorded_at": clock.now()}
    return _write(action, actor, hold, check=check, **values, **who)


@transaction.atomic
def _write(action: str, actor: Actor, hold: Hold, *, check: Any = None, **values: Any) -> Hold:
    """Compare and swap: only a hold that nobody has decided on or withdrawn can be changed."""
    locked = _lock(hold.procedure)
    if check is not None:
        check(locked)
    changed = Hold.objects.filter(pk=hold.pk, restart="", withdrawn_at__isnull=True).update(**values)
    row = Hold.objects.select_related("procedure", "restart_by").get(pk=hold.pk)
    if not changed:
        if _is_same(row, actor, values):  # a double click
            return row
        raise Conflict("Somebody else has already said what became of this medicine.")
    _tell(action, row, locked, actor, reason=values.get("restart_reason") or values.get("withdrawn_reason", ""))
    return row


def _is_same(row: Hold, actor: Actor, values: dict[str, Any]) -> bool:
    moments = {"restart_recorded_at", "withdrawn_at"}
    decided = "restart" in values or "withdrawn_reason" in values
    return decided and all(getattr(row, name) == value for name, value in values.items() if name not in moments)


def _lock(procedure: Procedure) -> Procedure:
    return row_locks.lock(Procedure, procedure.pk)


def _refuse_future(moment: datetime, field: str) -> None:
    if moment > clock.now():
        raise Invalid("This lies in the future.", field=field)


def _tell(
    action: str, row: Hold, procedure: Procedure, actor: Actor, *, reason: str = "", data: dict[str, Any] | None = None
) -> None:
    audit.record(
        action=action, actor=actor, subject=row, patient_id=procedure.patient_id, reason=reason, data=data or {}
    )
    events.changed(procedure)
