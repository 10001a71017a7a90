"""Who is responsible for a case, and who operates: given to somebody else, and never to somebody who is away.

Away means away: a case that is given to somebody in their absence would wait in a closed inbox. A new case goes to
whoever has accepted to cover, who stays responsible for it; an operator is chosen for a time at which they are there.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from clinic import audit, clock, covers, users
from clinic.access import require
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid
from clinic.models import Absence, User
from clinic.roles import Role
from procedures import events
from procedures.domain.slots import AWAY, Reason, Resource
from procedures.domain.states import ProcedureStatus, SeriesStatus
from procedures.models import Procedure, Series
from procedures.selectors import slots as calendar
from procedures.services import slots

#: Before the needle: afterwards who operated is a fact.
BEFORE_THE_NEEDLE = frozenset({ProcedureStatus.REQUESTED, ProcedureStatus.SCHEDULED, ProcedureStatus.ARRIVED})
#: Who may give a case to somebody else; an administrator, when somebody leaves.
ASSIGN = (Role.PHYSICIAN, Role.NURSE, Role.SCHEDULER, Role.DIRECTOR, Role.ADMINISTRATOR)


def routed(responsible: User) -> User:
    """The physician who gets a case that is meant for ``responsible`` now: they themselves, or who covers for them.

    Raises Invalid for somebody who is away and whom no physician covers.
    """
    found = covers.stand_in(responsible, clock.now())
    if found is not None and found.has(Role.PHYSICIAN):
        return found
    raise Invalid(
        "%(name)s is away, and no physician has accepted to cover. Choose somebody else.",
        field="responsible",
        name=responsible.display_name,
    )


def refuse_away(reasons: Iterable[Reason]) -> None:
    """Raises Invalid beside the operator for a time at which they are away; no reason lifts that."""
    for reason in reasons:
        if reason.kind == AWAY:
            raise Invalid(reason.message, field="operator", **reason.params)


def change_responsible(*, actor: Actor, procedure: Procedure, to: User, reason: str = "") -> Procedure:
    """Somebody else answers for the case: reads its results, until the patient has been told.

    Raises Invalid for somebody who is no physician, is away uncovered or has it already; Conflict for one who has left,
    and for a case that is closed.
    """
    require(actor, *ASSIGN)
    if not to.has(Role.PHYSICIAN):
        raise Invalid("The responsible clinician must be a physician who works here.", field="to")
    with transaction.atomic():
        users.working(to)
        if actor.user_id != to.pk:  # whoever takes it themselves is there
            _there_or_covered(to, clock.now())
        locked = slots.lock_case(procedure)
        if locked.closed_at is not None:
            raise Conflict("This case is closed: nothing is left to answer for.")
        if locked.responsible_id == to.pk:
            raise Invalid("This person is responsible already.", field="to")
        if locked.responsible_id != procedure.responsible_id:
            raise Conflict("Somebody else gave this case to another clinician in the meantime.")
        _write(actor, locked, "responsible", to, reason)
    return locked


def change_operator(*, actor: Actor, procedure: Procedure, to: User | None, reason: str = "") -> Procedure:
    """Somebody else does it; ``None``: named on the day. The slot stays.

    Raises SlotTaken for one who is busy then, Invalid for one who is away then or is no physician.
    """
    require(actor, *ASSIGN)
    if to is not None and not to.has(Role.PHYSICIAN):
        raise Invalid("The operator must be a physician who works here.", field="to")
    start = procedure.stay.lower if procedure.stay else clock.now()
    return slots.taking(procedure, lambda: _change_operator(actor, procedure, to, reason), start=start, operator=to)


@transaction.atomic
def change_series(*, actor: Actor, series: Series, leaving: User, to: User, reason: str = "") -> Series:
    """Where ``leaving`` answers for a series, or operates in it, somebody else does; each case is given on its own."""
    require(actor, *ASSIGN)
    if not to.has(Role.PHYSICIAN):
        raise Invalid("The responsible clinician must be a physician who works here.", field="to")
    users.working(to)
    locked = Series.objects.select_for_update(of=("self",), no_key=True).get(pk=series.pk)
    columns = [name for name in ("responsible", "operator") if getattr(locked, f"{name}_id") == leaving.pk]
    if locked.status != SeriesStatus.ACTIVE or not columns:
        raise Conflict("Somebody else changed this series in the meantime.")
    Series.objects.filter(pk=locked.pk).update(**dict.fromkeys(columns, to))  # the row is locked
    data = {"from": leaving.pk, "to": to.pk, "fields": columns}
    audit.record(
        action="series.handed_over",
        actor=actor,
        subject=locked,
        patient_id=locked.patient_id,
        reason=reason,
        data=data,
    )
    events.series_changed(locked)
    return locked


def _change_operator(actor: Actor, procedure: Procedure, to: User | None, reason: str) -> Procedure:
    locked = slots.lock(procedure, operator=to)
    if locked.operator_id != procedure.operator_id:
        raise Conflict("Somebody else named another operator in the meantime.")
    if locked.state not in BEFORE_THE_NEEDLE:
        raise Conflict("This case has begun or ended: its operator is a fact.")
    if to is not None:
        users.working(to)
        if locked.operator_time is not None:
            _free(locked, to)
    _write(actor, locked, "operator", to, reason, operator_overbooked=False)
    return locked


def _free(locked: Procedure, to: User) -> None:
    """There, and not busy. The constraint does not see a case that was itself overbooked, so it is looked for here."""
    start = locked.operator_time.lower
    try:
        refuse_away(calendar.reasons(procedure=locked, start=start, room=None, operator=to, now=clock.now()))
    except Invalid as error:
        raise Invalid(error.message, field="to", **error.params) from None
    if Procedure.objects.filter(slots.others(locked, Resource.OPERATOR, to.pk, locked.operator_time)).exists():
        raise slots.SlotTaken(Resource.OPERATOR)


def _there_or_covered(to: User, now: datetime) -> None:
    """What is given to somebody who is away reaches whoever covers; without anybody it is not given."""
    absence = Absence.objects.filter(user=to, starts_at__lte=now, ends_at__gt=now).first()
    if absence is not None and not absence.is_covered:
        raise Invalid("%(name)s is away, and nobody has accepted to cover.", field="to", name=to.display_name)


def _write(actor: Actor, locked: Procedure, column: str, to: User | None, reason: str, **also: Any) -> None:
    before = getattr(locked, f"{column}_id")
    Procedure.objects.filter(pk=locked.pk).update(**{column: to}, **also)  # the row is locked
    setattr(locked, column, to)
    audit.record(
        action=f"procedure.{column}_changed",
        actor=actor,
        subject=locked,
        patient_id=locked.patient_id,
        reason=reason,
        data={"from": before, "to": to.pk if to else None},
    )
    events.changed(locked)
