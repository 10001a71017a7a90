"""Tests that the protocol asks for days after the needle and that are not taken here: read elsewhere, or not needed."""

from __future__ import annotations

from datetime import date

from django.utils import timezone

from clinic import audit, clock
from clinic.access import require
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid, NotPermitted
from clinic.roles import Role
from procedures import events
from procedures.domain.states import TestStatus
from procedures.models import LaterDecision, Procedure
from procedures.models.later_tests import LaterChoice, LaterFinding
from procedures.services import lab_rows, labs


@events.together()
def not_needed(*, actor: Actor, procedure: Procedure, item: str, reason: str) -> LaterDecision:
    """A physician's reason why they are not taken. What was ordered for it is cancelled with the same reason."""
    if not reason.strip():
        raise Invalid("Say why it is not needed.", field="reason")
    return _decide(actor, procedure, item, LaterChoice.NOT_NEEDED, {"reason": reason.strip()})


@events.together()
def read_elsewhere(
    *,
    actor: Actor,
    procedure: Procedure,
    item: str,
    place: str,
    sampled_on: date | None,
    finding: str,
    interpretation: str,
    reason: str = "",
) -> LaterDecision:
    """Taken elsewhere and read there by the actor, in one line. ``reason``: what is done about something abnormal.

    Raises Invalid beside the field that is missing, and for a sample from before the needle or the future.
    """
    for field, value, words in (
        ("place", place, "Say where you read it."),
        ("interpretation", interpretation, "Say in one line what it means."),
    ):
        if not value.strip():
            raise Invalid(words, field=field)
    if finding not in LaterFinding.values:
        raise Invalid("Choose what was found.", field="finding")
    if finding == LaterFinding.ABNORMAL and not reason.strip():
        raise Invalid("Say what is done about it, and by whom.", field="reason")
    _check_day(procedure, sampled_on)
    values: dict[str, object] = {
        "place": place.strip(),
        "sampled_on": sampled_on,
        "finding": finding,
        "interpretation": interpretation.strip(),
        "reason": reason.strip(),
    }
    return _decide(actor, procedure, item, LaterChoice.ELSEWHERE, values)


def _check_day(procedure: Procedure, sampled_on: date | None) -> None:
    if sampled_on is None:
        raise Invalid("Say on which day it was taken.", field="sampled_on")
    if sampled_on > timezone.localdate(clock.now()):
        raise Invalid("This day has not come yet.", field="sampled_on")
    if procedure.started_at is not None and sampled_on < timezone.localdate(procedure.started_at):
        raise Invalid("This is before the needle.", field="sampled_on")


def _decide(
    actor: Actor, procedure: Procedure, item: str, choice: LaterChoice, values: dict[str, object]
) -> LaterDecision:
    require(actor, Role.PHYSICIAN)
    if actor.user_id is None:
        raise NotPermitted
    locked = lab_rows.locked_case(procedure)
    data = locked.protocol_version.parsed
    if item not in {later.code for later in data.later_tests}:
        raise Invalid("This protocol asks for no such tests.")
    earlier = locked.later_decisions.filter(code=item).first()
    if earlier is not None:
        if earlier.by_id == actor.user_id and earlier.decision == choice and _says(earlier, values):  # a second click
            return earlier
        raise Conflict("Somebody has decided on these tests already.")
    row = LaterDecision.objects.create(
        procedure=locked, code=item, decision=str(choice), by_id=actor.user_id, at=clock.now(), **values
    )
    audit.record(
        action=f"later_tests.{choice}",
        actor=actor,
        subject=row,
        patient_id=locked.patient_id,
        reason=str(values.get("reason", "")),
        data={"item": item},
    )
    why = f"{row.get_decision_display()}: {row.reason or row.interpretation}"
    _cancel_ordered(locked, data.panel(data.later(item).panel).tests, why[: lab_rows.REASON_LENGTH], actor)
    events.changed(locked)
    return row


def _says(row: LaterDecision, values: dict[str, object]) -> bool:
    return all(getattr(row, name) == value for name, value in values.items())


def _cancel_ordered(procedure: Procedure, codes: tuple[str, ...], why: str, actor: Actor) -> None:
    """Nobody will collect what was ordered for it."""
    for test in lab_rows.locked_tests(procedure).filter(code__in=codes, status=TestStatus.ORDERED):
        labs.cancel_test(test=test, reason=why, actor=actor)
