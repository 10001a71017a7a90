"""A stored message to its end: read, matched, applied. The one way for everything that came in."""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.db.models import F

from clinic.actor import Actor
from procedures.domain.report import Report
from procedures.interfaces.hl7 import reading
from procedures.interfaces.hl7.header import NotAMessage, header
from procedures.models import InboundMessage
from procedures.models.inbound import InboundState
from procedures.selectors import matching
from procedures.services import inbound
from procedures.services.inbound import Outcome

logger = logging.getLogger(__name__)
#: So often a message is tried whose fault is ours, before a person is asked.
TRIES = 3
BROKEN = "It could not be entered, for a fault of this program."


def process(message_pk: int) -> None:
    """Read the stored message and apply it. Again: the same outcome, nothing twice.

    Never raises for what is in a message: what cannot be read or applied is kept and waits for a person. What the
    database or the machine does (a lost connection, a stopped process) is raised and leaves the message *to be read*.
    """
    message = InboundMessage.objects.get(pk=message_pk)
    if message.closed_by_id is None:
        replay(message)


def replay(message: InboundMessage, *, actor: Actor | None = None) -> Outcome | None:
    """The same, on a person's wish; None when nothing can be read from it."""
    try:
        report = report_of(message)
    except NotAMessage as exc:
        inbound.unreadable(message=message, problem=str(exc), actor=actor)
        return None
    except Exception:
        logger.exception("inbound message %s: cannot be read", message.pk)
        _failed(message, actor)
        return None
    try:
        return inbound.apply(message, report, actor=actor)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("inbound message %s: cannot be applied", message.pk)
        _failed(message, actor)
        return None


def report_of(message: InboundMessage) -> Report:
    """What the message says, its times in its laboratory's zone. Raises NotAMessage."""
    raw = bytes(message.raw)
    sender = header(raw).sender
    laboratory = matching.laboratory_of(sender.application, sender.facility)
    return reading.read(raw, zone=laboratory.zone if laboratory else settings.CLINIC_ZONE)


def _failed(message: InboundMessage, actor: Actor | None) -> None:
    InboundMessage.objects.filter(pk=message.pk).update(tries=F("tries") + 1)
    message.refresh_from_db(fields=["tries", "state"])
    if message.tries >= TRIES and message.state == InboundState.STORED:
        inbound.unreadable(message=message, problem=BROKEN, actor=actor)
