"""Making, finding and ending a patient's link.

The address is ``/p/<token>/``; the token is the row's random code and a signature made with the installation's secret
key, so neither a copy of the database nor a guess opens anything. Expiry runs on the clinic's clock.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from clinic import audit, clock, row_locks
from clinic.actor import Actor
from followups.models import PatientLink
from procedures import events
from procedures.domain.states import ProcedureStatus
from procedures.models import Procedure

CODE_BYTES = 16
SIGNATURE_BYTES = 16
VALID = timedelta(hours=72)
WRONG_TRIES = 10
SEPARATOR = "."
#: Whoever holds the link; with the right birth date the patient, or somebody who helps them.
READER = Actor(user_id=None, name="patient's link", via="link")


@transaction.atomic
def issue(*, procedure: Procedure, purpose: str, about: str = "", now: datetime | None = None) -> PatientLink:
    """A new link, good for 72 hours from ``now``."""
    at = now or clock.now()
    link = PatientLink.objects.create(
        code=secrets.token_urlsafe(CODE_BYTES),
        procedure=procedure,
        purpose=purpose,
        about=about,
        created_at=at,
        expires_at=at + VALID,
    )
    data = {"purpose": purpose, "about": about}
    audit.record(action="link.issued", actor=Actor.system(), subject=link, patient_id=procedure.patient_id, data=data)
    return link


def token(link: PatientLink) -> str:
    """What stands in the address. Never log or store it."""
    return f"{link.code}{SEPARATOR}{_signature(link.code)}"


def url(link: PatientLink) -> str:
    """The whole address, for a message."""
    return settings.SITE_URL + reverse("followups:patient_gate", args=[token(link)])


def find(token: str) -> PatientLink | None:
    """The link of a token, whatever state it is in; None for one that is altered or guessed."""
    code, _, signature = token.partition(SEPARATOR)
    if not constant_time_compare(signature, _signature(code)):
        return None
    found = PatientLink.objects.select_related("procedure__patient", "procedure__protocol_version").filter(code=code)
    return found.defer("procedure__protocol_version__data").first()


def is_open(link: PatientLink, now: datetime) -> bool:
    """Whether its address may still be used."""
    return now < link.expires_at and not link.spent_at and not link.locked_at and is_alive(link)


def is_alive(link: PatientLink) -> bool:
    """Nothing is asked of somebody who has died, by a link that we took back, nor about a case that was a mistake."""
    procedure = link.procedure
    ended = link.withdrawn_at or procedure.patient.deceased_at
    return not ended and procedure.status != ProcedureStatus.ENTERED_IN_ERROR


def _signature(code: str) -> str:
    digest = salted_hmac("followups.patient_link", code, algorithm="sha256").digest()[:SIGNATURE_BYTES]
    return urlsafe_b64encode(digest).decode().rstrip("=")


@transaction.atomic
def wrong_birth_date(link: PatientLink, now: datetime) -> PatientLink:
    """Count a wrong answer; the tenth locks the link, and somebody is asked to call."""
    procedure = row_locks.lock(Procedure, link.procedure_id)
    PatientLink.objects.filter(pk=link.pk).update(wrong_tries=F("wrong_tries") + 1)
    locked = PatientLink.objects.filter(pk=link.pk, wrong_tries__gte=WRONG_TRIES, locked_at__isnull=True).update(
        locked_at=now
    )
    link.refresh_from_db(fields=["wrong_tries", "locked_at"])
    _record("link.wrong_birth_date", link, tries=link.wrong_tries)
    if locked:
        events.changed(procedure)
    return link


@transaction.atomic
def opened(link: PatientLink, now: datetime) -> None:
    """The birth date was right: wrong tries before it no longer count."""
    PatientLink.objects.filter(pk=link.pk).update(wrong_tries=0)
    PatientLink.objects.filter(pk=link.pk, opened_at__isnull=True).update(opened_at=now)
    _record("link.opened", link)


def _record(action: str, link: PatientLink, **data: Any) -> None:
    audit.record(
        action=action,
        actor=READER,
        subject=link,
        patient_id=link.procedure.patient_id,
        data={"purpose": link.purpose, "about": link.about, **data},
    )


def spend(link: PatientLink, now: datetime) -> bool:
    """Use it up. False when it was spent, or ended in another way, in the meantime."""
    alive = PatientLink.objects.filter(
        pk=link.pk, spent_at__isnull=True, locked_at__isnull=True, withdrawn_at__isnull=True
    )
    return bool(alive.update(spent_at=now))


def withdraw(*, procedure: Procedure, now: datetime) -> int:
    """End every open link of a case: it was cancelled, or the patient has died. Returns how many."""
    return PatientLink.objects.filter(procedure=procedure, spent_at__isnull=True, withdrawn_at__isnull=True).update(
        withdrawn_at=now
    )
