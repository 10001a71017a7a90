"""What a patient agrees to now, and for which address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from clinic.ready_query import ReadyQuery
from procedures.models import Consent, Patient
from procedures.models.consents import ConsentChannel

OF_PATIENT = ReadyQuery(lambda patient: Consent.objects.filter(patient=patient).select_related("by").order_by("pk"))


@dataclass(frozen=True)
class Standing:
    """One channel: does the patient agree, and does that hold for the address of today?"""

    channel: str
    address: str
    agrees: bool
    newest: Consent | None

    @property
    def other_address(self) -> bool:
        """The number or address has changed since: the patient is asked again."""
        return self.agrees and self.newest is not None and self.newest.address != self.address

    @property
    def allowed(self) -> bool:
        return self.agrees and bool(self.address) and not self.other_address


def address_of(patient: Patient, channel: str) -> str:
    """The number (in its international form) or the e-mail address; empty when none is known."""
    if channel == ConsentChannel.EMAIL:
        return str(patient.email)
    return str(patient.phone.as_e164) if patient.phone else ""


def standing(patient: Patient) -> Mapping[str, Standing]:
    """By channel. One query."""
    newest: dict[str, Consent] = {}
    for row in OF_PATIENT.rows(patient.pk):
        newest[row.channel] = row
    agrees = {ConsentChannel.EMAIL: patient.consent_email, ConsentChannel.SMS: patient.consent_sms}
    return {
        str(channel): Standing(str(channel), address_of(patient, channel), agrees[channel], newest.get(channel))
        for channel in ConsentChannel
    }


def history(patient: Patient) -> list[Consent]:
    """Everything that was ever said, the newest first. One query."""
    return list(Consent.objects.filter(patient=patient).select_related("by").order_by("-pk"))
