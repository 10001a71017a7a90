"""Texts that come in: stored as they came, commands carried out, everything else promised to a person.

Nobody is asked twice for the same text: the provider's number of it is unique. To agree to texts again needs a person,
because a word from a phone is no proof of whose phone it is now.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string

from clinic import audit, clock
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid, NotPermitted
from clinic.roles import Role
from followups.domain import gsm7, inbound_text
from followups.domain.inbound_text import MOST_LETTERS, Meaning
from followups.domain.kinds import Subject
from followups.models import TextMessage
from followups.selectors import texts as selector
from procedures.domain import languages
from procedures.events import facts_changed
from procedures.models import Patient
from procedures.services import consents

logger = logging.getLogger(__name__)

ACTOR = Actor(user_id=None, name="text message", via="sms")
#: A number that writes more often than this in an hour gets no answers any more: two machines must not talk for ever.
ANSWERS = 10
HOUR = timedelta(hours=1)
#: Words by which somebody of whom we know nothing shows which language they speak.
SPANISH = frozenset({"alto", "parar", "baja", "alta", "si", "ayuda"})


@dataclass(frozen=True)
class Received:
    """``new``: it was not given to us before. ``answer``: what goes back; empty for nothing."""

    text: TextMessage
    new: bool
    answer: str = ""


def receive(*, provider_id: str, number: str, body: str) -> Received:
    """One text from a provider. Given twice, it is one."""
    kept = body.replace("\0", "")[:MOST_LETTERS]
    now = clock.now()
    with transaction.atomic():
        people = selector.patients_with(number)
        patient = people[0] if len(people) == 1 else None
        row, new = TextMessage.objects.get_or_create(
            provider_id=provider_id,
            defaults={
                "number": number,
                "body": kept,
                "meaning": str(inbound_text.meaning(kept)),
                "patient": patient,
                "procedure": selector.case_of(patient) if patient is not None else None,
                "received_at": now,
            },
        )
        if new:
            _act(row)
    if not new:
        return Received(row, False)
    logger.info("text %s came in: %s", row.pk, row.meaning)
    return Received(row, True, _answer(row, people, now))


def _act(row: TextMessage) -> None:
    data = {"meaning": row.meaning, "known": row.patient_id is not None}
    audit.record(action="text.received", actor=ACTOR, subject=row, patient_id=row.patient_id, data=data)
    if row.meaning == Meaning.STOP:
        consents.stopped(number=row.number, actor=ACTOR)
    _plan(row)


def _plan(row: TextMessage) -> None:
    facts_changed.send(sender=TextMessage, subject_kind=str(Subject.TEXT), subject_id=row.pk, strict=False)


def _answer(row: TextMessage, people: list[Patient], now: datetime) -> str:
    """In the patient's language; where several have the number, in the one of the first."""
    lately = TextMessage.objects.filter(number=row.number, received_at__gt=now - HOUR).count()
    if lately > ANSWERS and row.meaning not in {Meaning.STOP, Meaning.EMERGENCY}:
        return ""
    spanish = inbound_text.plain(row.body) in SPANISH
    language = languages.of(people[0].language) if people else ("es" if spanish else languages.DEFAULT)
    context = {"clinic": settings.PATIENT_SENDER, "phone": settings.CLINIC_PHONE_24H}
    return gsm7.plain(render_to_string(f"messages/sms/{language}/answer_{row.meaning}.txt", context).strip())


@transaction.atomic
def read(*, actor: Actor, text: TextMessage, done: str) -> TextMessage:
    """A person has read it and says what was done. Raises Invalid without words, Conflict when somebody else has."""
    if not actor.has(Role.NURSE, Role.PHYSICIAN) or actor.user_id is None:
        raise NotPermitted
    if not done.strip():
        raise Invalid("Say what was done.", field="done")
    changes = {"read_at": clock.now(), "read_by_id": actor.user_id, "done": done.strip()}
    if not TextMessage.objects.filter(pk=text.pk, read_at__isnull=True).update(**changes):
        raise Conflict("Somebody has dealt with this text already.")
    text.refresh_from_db()
    audit.record(action="text.read", actor=actor, subject=text, patient_id=text.patient_id, data={})
    _plan(text)
    return text
