"""A stored message to its end: read, matched, applied. The one way for everything that came in."""

from __future__ import annotations

from django.conf import settings

from clinic.actor import Actor
from procedures.domain import taking_back
from procedures.domain.report import Report, Standing
from procedures.interfaces.hl7 import reading
from procedures.interfaces.hl7.header import NotAMessage, header
from procedures.models import InboundMessage
from procedures.selectors import inbound_messages, matching
from procedures.services import inbound
from procedures.services.inbound import Outcome

#: No result of a tap has so many; what is longer is a person's as a whole.
MOST_SEGMENTS = 20_000
#: Later messages of one order that are looked through.
MOST_LATER = 20


def process(message_pk: int) -> None:
    """Read the stored message and apply it. Again: the same outcome, nothing twice.

    Never raises for what is in a message: what cannot be read or entered is kept and waits for a person. What is our
    fault, the database's or the machine's is raised and leaves the message *to be read*: the caller counts the tries.
    """
    message = InboundMessage.objects.get(pk=message_pk)
    if message.closed_by_id is None:
        replay(message)


def replay(message: InboundMessage, *, actor: Actor | None = None) -> Outcome | None:
    """The same, on a person's wish; None when nothing can be read from it."""
    try:
        report = report_of(message)
    except NotAMessage as error:
        inbound.unreadable(message=message, problem=error.words, actor=actor)
        return None
    return inbound.apply(message, report, actor=actor)


def report_of(message: InboundMessage) -> Report:
    """What the message says, its times in its laboratory's zone. Raises NotAMessage."""
    raw = bytes(message.raw)
    sender = header(raw).sender
    laboratory = matching.laboratory_of(sender.application, sender.facility)
    zone = laboratory.zone if laboratory else settings.CLINIC_ZONE
    return reading.read(raw, zone=zone, most_segments=MOST_SEGMENTS)


def taken_back(message: InboundMessage, report: Report) -> dict[str, tuple[int, Standing]]:
    """What later messages of the same sender take back of this one: by place, which message says it, and what."""
    found: dict[str, tuple[int, Standing]] = {}
    for later in inbound_messages.later_with(message, taking_back.numbers(report), most=MOST_LATER):
        try:
            said = taking_back.taken_back(report, report_of(later))
        except NotAMessage:
            continue
        found |= {place: (later.pk, standing) for place, standing in said.items()}
    return found
