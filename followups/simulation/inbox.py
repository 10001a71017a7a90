"""The page of what a laboratory's message left open: attached as the page suggests, or rejected with a reason."""

from __future__ import annotations

from clinic.actor import Actor
from clinic.roles import Role
from followups.models import FollowUp
from followups.simulation.world import World
from procedures.domain.test_codes import Target
from procedures.interfaces.hl7 import processing
from procedures.models import InboundMessage
from procedures.models.inbound import InboundState
from procedures.selectors import unmatched
from procedures.selectors.unmatched import OTHER_RESULT, Asked
from procedures.services import inbound, inbound_decisions
from procedures.services.inbound_decisions import Choice


def place(world: World, row: FollowUp) -> None:
    """Whose name disagrees with whose tube it is: rejected, and the laboratory called. Else attached as suggested."""
    message = InboundMessage.objects.select_related("laboratory").get(pk=row.subject_id)
    if message.state != InboundState.WAITING:
        return
    actor = _nurse(world, row)
    report = processing.report_of(message)
    question = unmatched.question(message, report)
    suggested = [choice for asked in question.asked if (choice := _choice(asked)) is not None]
    sure = question.chosen is not None and not any(
        c.disagrees for c in question.candidates if c.patient.pk == question.chosen.patient_id
    )
    if sure and question.chosen is not None and len(suggested) == len(question.asked):
        inbound_decisions.attach(
            message=message,
            report=report,
            procedure=question.chosen,
            choices=suggested,
            actor=actor,
            remember=question.remember,
        )
        world.figures["inbox: attached"] += 1
        return
    inbound_decisions.reject(
        message=message,
        items=[asked.item.pk for asked in question.asked],
        reason="The laboratory was called: it sends it again",
        actor=actor,
    )
    world.figures["inbox: rejected"] += 1


def _choice(asked: Asked) -> Choice | None:
    """What the page suggests; for a code that nobody knows the one value that is called so."""
    if not asked.can_be_attached or asked.ask_standing:
        return None
    called = [value for value, label in asked.options if asked.item.label and label.endswith(asked.item.label)]
    value = asked.suggested or (called[0] if len(called) == 1 else "")
    if not value or value == OTHER_RESULT:
        return None
    test, _, component = value.partition(".")
    return Choice(item=asked.item.pk, target=Target(test, component))


def close_unreadable(world: World, row: FollowUp) -> None:
    message = InboundMessage.objects.get(pk=row.subject_id)
    inbound.close_unreadable(
        message=message, reason="The laboratory was called: a line that broke off", actor=_nurse(world, row)
    )
    world.figures["inbox: closed"] += 1


def _nurse(world: World, row: FollowUp) -> Actor:
    return world.clinic.cast.actor(world.staff.someone(Role.NURSE, world.now, row.subject_id))
