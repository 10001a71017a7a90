"""What a patient agreed to, per channel. The two columns of the patient are derived from the newest rows here."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from clinic import audit, clock, row_locks
from clinic.actor import Actor
from clinic.errors import Invalid
from procedures import events
from procedures.models import Consent, Patient
from procedures.models.consents import ConsentChannel, ConsentHow
from procedures.selectors import consents as selector

#: Channel → the patient's column that says what holds now.
COLUMNS = {ConsentChannel.EMAIL: "consent_email", ConsentChannel.SMS: "consent_sms"}
NO_ADDRESS = "First enter the number or the address."
NOT_WARNED = "Tell the patient first that such a message is not encrypted, then tick this."


@transaction.atomic
def record(
    *,
    actor: Actor,
    patient: Patient,
    channel: str,
    given: bool,
    how: str = ConsentHow.SPOKEN,
    warned: bool = False,
    note: str = "",
) -> Consent:
    """Given for the number or address that stands in the chart now, or withdrawn. Counts from this moment.

    Raises Invalid when there is no such address, or the patient was not told that it is not encrypted.
    """
    channel = ConsentChannel(channel)
    locked = row_locks.lock(Patient, patient.pk)
    address = selector.address_of(locked, channel)
    if given and not address:
        raise Invalid(NO_ADDRESS, field="channel")
    if given and not warned:
        raise Invalid(NOT_WARNED, field="warned")
    row = _add(actor, locked, channel, given=given, how=how, warned=warned, note=note.strip())
    column = COLUMNS[channel]
    if getattr(locked, column) != given:
        setattr(locked, column, given)
        locked.save(update_fields=[column])
    events.patient_changed(locked)
    return row


def ticked(*, actor: Actor, patient: Patient, changed: Iterable[str]) -> None:
    """The patient's details were written down, and with them what the patient agrees to."""
    for channel, column in COLUMNS.items():
        if column in set(changed):
            _add(actor, patient, channel, given=getattr(patient, column), how=ConsentHow.CHART)


def given_of(patient: Patient) -> list[str]:
    """The columns of a new patient that say yes."""
    return [column for column in COLUMNS.values() if getattr(patient, column)]


@transaction.atomic
def stopped(*, number: str, how: str = ConsentHow.TEXT, actor: Actor) -> list[Patient]:
    """Whoever has this number wants no texts: everybody who is reached by it. Said twice, it is recorded once."""
    found = list(Patient.objects.filter(phone=number, consent_sms=True).order_by("pk")) if number else []
    for patient in found:
        record(actor=actor, patient=patient, channel=ConsentChannel.SMS, given=False, how=how)
    return found


def _add(
    actor: Actor, patient: Patient, channel: str, *, given: bool, how: str, warned: bool = False, note: str = ""
) -> Consent:
    row = Consent.objects.create(
        patient=patient,
        channel=channel,
        given=given,
        how=how,
        address=selector.address_of(patient, channel),
        warned=warned,
        note=note,
        at=clock.now(),
        by_id=actor.user_id,
    )
    audit.record(
        action="consent.given" if given else "consent.withdrawn",
        actor=actor,
        subject=row,
        patient_id=patient.pk,
        data={"channel": str(channel), "how": str(how)},
    )
    return row
