"""Everything of a person who leaves goes to others, in one transaction, each thing by its own service."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from clinic import audit, clock, covers, places
from clinic.access import require
from clinic.actor import Actor
from clinic.errors import DomainError, Invalid
from clinic.models import Absence, OnCall, User
from clinic.roles import Role
from followups.models import Action
from followups.selectors import holdings
from followups.selectors.holdings import Group, Item
from followups.services import promises, reviews
from procedures.models import Procedure, Series
from procedures.services import assignments

WHO = (Role.ADMINISTRATOR, Role.DIRECTOR)


def hand_over(*, actor: Actor, leaving: User, choices: Mapping[str, User | None]) -> int:
    """Give each thing to whom ``choices`` names by its key; returns how many. What is in other hands by now is left.

    ``None`` leaves a cover, a turn or the place of an operator to nobody. Raises Invalid, with the field of the thing,
    for whatever one of the services refuses; then nothing is given at all.
    """
    require(actor, *WHO)
    given = 0
    with transaction.atomic():
        for items in holdings.of(leaving, clock.now()).values():
            for item in items:
                if item.key not in choices:
                    continue
                try:
                    _give(actor, leaving, item, choices[item.key])
                except DomainError as error:
                    raise Invalid(error.message, field=item.key, **error.params) from error
                given += 1
        if given:
            audit.record(action="user.handed_over", actor=actor, subject=leaving, data={"items": given})
    return given


def _give(actor: Actor, leaving: User, item: Item, to: User | None) -> None:
    reason = f"{leaving.display_name} leaves"
    if to is None and item.group not in holdings.MAY_BE_NOBODYS:
        raise Invalid("Somebody must take this.")
    match item.group:
        case Group.OPERATES:
            case = Procedure.objects.get(pk=item.pk)
            assignments.change_operator(actor=actor, procedure=case, to=to, reason=reason)
        case Group.COVERS:
            covers.pass_on(actor=actor, absence=Absence.objects.get(pk=item.pk), to=to)
        case Group.TURNS:
            places.pass_turn(actor=actor, turn=OnCall.objects.get(pk=item.pk), to=to)
        case _ if to is not None:
            _give_to(actor, leaving, item, to, reason)


def _give_to(actor: Actor, leaving: User, item: Item, to: User, reason: str) -> None:
    if item.group is Group.CASES:
        case = Procedure.objects.get(pk=item.pk)
        assignments.change_responsible(actor=actor, procedure=case, to=to, reason=reason)
        # what the plan still leaves with the one who goes, as the record of what they did, goes with the case
        for left in holdings.all_promises(leaving).filter(procedure=case, taken_by__isnull=True):
            promises.give(actor=actor, follow_up=left, to=to, text=reason)
    elif item.group is Group.SERIES:
        row = Series.objects.get(pk=item.pk)
        assignments.change_series(actor=actor, series=row, leaving=leaving, to=to, reason=reason)
    elif item.group is Group.ACTIONS:
        reviews.reassign_action(actor=actor, action=Action.objects.get(pk=item.pk), to=to)
    else:
        # a promise may have closed or moved with its case in this same transaction
        held = holdings.all_promises(leaving).filter(pk=item.pk).first()
        if held is not None:
            promises.give(actor=actor, follow_up=held, to=to, text=reason)
