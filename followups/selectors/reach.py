"""How a patient may be written to now: what they agreed to, for the number and address of today."""

from __future__ import annotations

from django.conf import settings

from followups.domain.reach import Reach
from procedures.models import Patient
from procedures.models.consents import ConsentChannel
from procedures.selectors import consents

OFF = "off"


def of(patient: Patient) -> Reach:
    """One query, none for who has agreed to nothing."""
    allowed = dict.fromkeys(ConsentChannel, False)
    if patient.consent_email or patient.consent_sms:
        standing = consents.standing(patient)
        allowed = {channel: standing[channel].allowed for channel in ConsentChannel}
    return Reach(
        reach_by=patient.reach_by,
        sms=allowed[ConsentChannel.SMS] and settings.SMS_GATEWAY != OFF,
        email=allowed[ConsentChannel.EMAIL],
        inpatient=patient.is_inpatient,
        deceased=patient.deceased_at is not None,
    )


def address(patient: Patient, channel: str) -> str:
    """Where a message on this channel goes. Never log or store it."""
    return consents.address_of(patient, ConsentChannel.SMS if channel == "sms" else ConsentChannel.EMAIL)
