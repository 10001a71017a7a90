"""The words of a message to a patient, in the language that it was queued in.

They say that there is a message, where, whom to call, and what to do in an emergency: no name, no procedure, no test,
no medicine, no result, and no word of why. An appointment is a date and an hour.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.dateformat import format as date_format

from followups.channels.base import OutgoingMessage
from followups.domain import gsm7, kinds
from followups.domain.kinds import Kind
from followups.domain.reach import SMS
from followups.models import Message
from followups.selectors import reach
from followups.services import links
from procedures.domain import languages
from procedures.models import Procedure

#: How a day and an hour are written.
MOMENT = {"en": "D M j, g:i A", "es": "D j M, H:i"}


def render(message: Message) -> OutgoingMessage:
    """Subject (of an e-mail) and words. ``message`` carries ``patient``, ``link`` and ``follow_up__procedure``."""
    spec = kinds.of(Kind(message.kind))
    assert message.patient is not None and message.follow_up is not None and spec.writes is not None
    language = message.language if message.language in languages.NAMES else languages.DEFAULT
    folder = f"messages/{message.channel}/{language}"
    context = {
        "clinic": settings.PATIENT_SENDER,
        "phone": settings.CLINIC_PHONE_24H,
        "link": links.url(message.link) if message.link is not None else "",
        "when": when(message.follow_up.procedure, language),
    }
    body = render_to_string(f"{folder}/{spec.writes(message.follow_up.about).words}.txt", context).strip()
    to = reach.address(message.patient, message.channel)
    if message.channel == SMS:
        return OutgoingMessage(key=message.key, to=to, subject="", body=gsm7.plain(body))
    subject = render_to_string(f"{folder}/subject.txt", context).strip()
    return OutgoingMessage(key=message.key, to=to, subject=subject, body=body + "\n")


def when(procedure: Procedure | None, language: str) -> str:
    """The slot in the clinic's time; empty without one."""
    if procedure is None or procedure.stay is None:
        return ""
    local = procedure.stay.lower.astimezone(ZoneInfo(settings.CLINIC_ZONE))
    with translation.override(language):
        return date_format(local, MOMENT[language])
