"""Delivery reports that come back later: a mail that the server took and could not deliver after all."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _

from clinic.actor import Actor
from clinic.errors import Conflict
from followups.channels import email as email_channel
from followups.domain import delivery_report
from followups.domain.delivery_report import DeliveryReport
from followups.models import Message
from followups.services import messages

logger = logging.getLogger(__name__)

ACTOR = Actor(user_id=None, name="delivery report", via="mail")


class Became(StrEnum):
    FAILED = "failed"  # now on the engine's page
    KNOWN = "known"  # failed, or in the queue again, already
    NO_FAILURE = "no_failure"  # the report says that it is late, or has arrived
    NOT_OURS = "not_ours"  # about a mail that is not in the outbox


@dataclass(frozen=True)
class Recorded:
    became: Became
    action: str
    message: Message | None = None


def record(*, raw: bytes) -> Recorded:
    """Take one report. Read twice, it changes nothing the second time. Raises Unreadable with what is missing."""
    report = delivery_report.parse(raw)
    message = _about(report)
    if message is None:
        digest = hashlib.sha256(report.message_ids[0].encode()).hexdigest()[:12]
        logger.warning("delivery report: no such message in the outbox (sha256 of its id %s…)", digest)
        return Recorded(Became.NOT_OURS, report.action)
    if not report.failed:
        logger.info("message %s: delivery report says %s", message.pk, report.action)
        return Recorded(Became.NO_FAILURE, report.action, message)
    try:
        messages.came_back(actor=ACTOR, message=message, outcome=_words(report))
    except Conflict:
        return Recorded(Became.KNOWN, report.action, message)
    logger.error("message %s came back: %s", message.pk, report.status or "no status")
    return Recorded(Became.FAILED, report.action, message)


def _about(report: DeliveryReport) -> Message | None:
    keys = [key for message_id in report.message_ids if (key := email_channel.key_of(message_id))]
    rows = {row.key: row for row in Message.objects.filter(key__in=keys).select_related("follow_up__procedure")}
    return next((rows[key] for key in keys if key in rows), None)


def _words(report: DeliveryReport) -> str:
    if not report.status:
        return _("came back undelivered")
    return _("came back undelivered: %(status)s") % {"status": report.status}
