"""What an operator or a change of the code can get wrong about promises, said at the start and in words."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, register

from followups import receivers
from followups.domain.ladder import LadderError
from followups.services import ladders
from procedures.events import facts_changed


@register()
def ladders_are_valid(**_: Any) -> list[CheckMessage]:
    """Every kind of promise has a ladder that ends in a role and never falls silent."""
    try:
        ladders.load()
    except LadderError as error:
        return [Error(line, id="followups.E001") for line in str(error).splitlines()]
    return []


@register()
def facts_are_heard(**_: Any) -> list[CheckMessage]:
    """Without its receiver the signal reaches nobody, and no promise would follow from a fact."""
    connected, _asynchronous = facts_changed._live_receivers(sender=None)
    if receivers.reconcile_on_change in connected:
        return []
    return [Error("No receiver plans a case when its facts change.", id="followups.E002")]
