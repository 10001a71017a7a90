"""A laboratory, a patient after a tap, and messages that come by the real way."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from clinic import clock
from clinic.models import User
from clinic.roles import Role
from followups.models import FollowUp
from procedures import events
from procedures.domain import versions
from procedures.interfaces.hl7 import processing
from procedures.models import InboundItem, InboundMessage, Laboratory, LabTest, Patient, Procedure, ResultVersion
from tests import make
from tests.factories import hl7
from tests.flows.words import moment

MOREAU = hl7.Patient()
CSF = ("csf_cell_count", "csf_glucose", "csf_protein", "csf_gram", "csf_culture")
ASCITES = ("ascites_cell_count", "ascites_albumin", "ascites_protein", "ascites_culture")
#: The Monday after the story's week, as the messages have it.
TAKEN = moment(7, "08:30")


def laboratory(**extra: Any) -> Laboratory:
    fields = {
        "name": "Example laboratory",
        "sending_application": "EXAMPLELIS",
        "sending_facility": "EXAMPLE LAB",
        "zone": "America/New_York",
        "authorities": {"EXAMPLE HOSPITAL": "CLINIC"},
    }
    return Laboratory.objects.create(**{**fields, **extra})


def moreau(**extra: Any) -> Patient:
    """Whom the messages speak of."""
    fields: dict[str, Any] = {"given": "Ada", "family": "Moreau", "born": date(1961, 3, 4), "mrn": "00012345"}
    return make.patient(**{**fields, **extra})


def tapped(
    *codes: str,
    patient: Patient | None = None,
    protocol: str = "lumbar_puncture",
    accession: str = "",
    at: datetime = TAKEN,
    responsible: User | None = None,
) -> Procedure:
    """A case after its needle, its tests on their way."""
    case = make.procedure(
        protocol,
        status="completed",
        starts=at,
        patient=patient or moreau(),
        responsible=responsible or make.user(Role.PHYSICIAN),
    )
    tube = None
    if accession:
        tube = case.specimens.create(
            container=case.protocol_version.parsed.containers[0].code,
            accession=accession,
            collected_at=at,
            receipt_due_at=at,
        )
    wanted = codes or (CSF if protocol == "lumbar_puncture" else ASCITES)
    for place, code in enumerate(wanted, start=1):
        make.lab_test(case, code, collected_at=at, specimen=tube, order_number=f"{case.code}-{place:02d}")
    events.changed(case)
    return case


def send(message: hl7.Oru | bytes, *, sent: str = "", **more: Any) -> InboundMessage:
    """Stored as it came, then read, matched and applied."""
    if isinstance(message, hl7.Oru):
        message = replace(message, **({"sent": sent} if sent else {}), **more).raw()
    row = InboundMessage.objects.create(
        source="command",
        sender="EXAMPLELIS|EXAMPLE LAB",
        control_id=hashlib.sha256(message).hexdigest()[:20],
        digest=hashlib.sha256(message).hexdigest(),
        raw=message,
        received_at=clock.now(),
    )
    processing.process(row.pk)
    row.refresh_from_db()
    return row


@dataclass
class Chart:
    """What the case shows now."""

    case: Procedure
    seen: list[str] = field(default_factory=list)

    def test(self, code: str) -> LabTest:
        return self.case.tests.filter(code=code).latest("pk")

    def current(self, code: str) -> ResultVersion | None:
        return versions.current(list(self.test(code).versions.order_by("number")))

    def status(self, code: str) -> str:
        current = self.current(code)
        return current.status if current else ""

    def values(self, code: str) -> dict[str, Any]:
        current = self.current(code)
        return {name: stored["value"] for name, stored in current.values.items()} if current else {}

    def promised(self) -> list[str]:
        """The kinds that are open about the case, with their test."""
        rows = FollowUp.objects.filter(procedure=self.case, closed_at=None).order_by("pk")
        return [f"{row.kind}:{row.about.get('test', '')}".rstrip(":") for row in rows]


def waiting(message: InboundMessage) -> dict[str, list[str]]:
    """Why each part waits, by its place."""
    return {item.place: item.reasons for item in InboundItem.objects.filter(message=message, state="waiting")}


def owed(message: InboundMessage) -> dict[str, str]:
    """The open promises about the message, with their level."""
    rows = FollowUp.objects.filter(subject_kind="message", subject_id=message.pk, closed_at=None)
    return {row.kind: row.level for row in rows}


def waits(at: datetime) -> InboundMessage:
    """A message with two parts that wait, straight to the database."""
    n = InboundMessage.objects.count()
    lab = Laboratory.objects.create(name=f"Laboratory {n}", sending_facility=f"LAB {n}", zone="America/New_York")
    row = InboundMessage.objects.create(
        source="mllp", control_id=str(n), digest=str(n), raw=b"MSH|", received_at=at, state="waiting", laboratory=lab
    )
    for place in ("OBR[1]/OBX[1]", "OBR[1]/OBX[2]"):
        row.items.create(place=place, label="Cells", state="waiting", reasons=["unknown_code"])
    return row
