"""How tubes get to the laboratory, and what its system sent: unknown codes, a correction, and what is no message.

Real messages by the real path, so that the pages have something to show. They come at the end, just before now.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, time, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from clinic import clock
from clinic.actor import Actor
from clinic.models import Room
from procedures.domain.lab_content import Component
from procedures.interfaces.hl7 import processing
from procedures.models import InboundMessage, LabTest
from procedures.models.inbound import InboundSource
from procedures.services import couriers, laboratories

AUTHORITY = "EXAMPLE HOSPITAL"
SENDER = ("DEMOLIS", "DEMO LAB")
MINUTES = timedelta(minutes=40)
WORKDAYS = range(5)
LAST_COURIER = time(16)  # what is collected in the last slot of the day comes too late for it


def send_all(actor: Actor, director: Actor) -> None:
    """A laboratory with its courier, and its messages. Where no case fits, one less."""
    values = {
        "name": "Demonstration laboratory",
        "sending_application": SENDER[0],
        "sending_facility": SENDER[1],
        "zone": settings.CLINIC_ZONE,
        "authorities": {AUTHORITY: settings.CLINIC_AUTHORITY},
        "is_active": True,
    }
    laboratory = laboratories.save(laboratory=None, values=values, actor=actor)
    couriers.arrange(
        laboratory=laboratory,
        actor=director,
        rooms=Room.objects.filter(location="clinic"),
        is_default=True,
        running_days=WORKDAYS,
        last_pickups=dict.fromkeys(WORKDAYS, LAST_COURIER),
        receipt_minutes=90,
    )
    awaited = _numbers(LabTest.objects.filter(status="received"))
    known = _numbers(LabTest.objects.filter(status="final").exclude(versions__reviews__isnull=False))
    if awaited:
        test, _component = awaited[0]
        _send(test, ("DL-0815", "Fluid something"), "12.5", "F", "U/L")
    if len(awaited) > 1:
        test, component = awaited[1]
        for status in ("F", "W"):
            _send(test, (component.loinc, component.label), _usual(component), status, component.units[0])
    if known:
        test, component = known[0]
        note = "Corrected by the laboratory: the first value was read from the wrong line."
        _send(test, (component.loinc, component.label), _usual(component), "C", component.units[0], note)
    _keep(b"The line was tested; please ignore.\r", "")


def _numbers(rows: QuerySet[LabTest]) -> list[tuple[LabTest, Component]]:
    """Tests of living people with one number that has a LOINC; the newest first."""
    alive = rows.filter(
        Q(procedure__patient__deceased_at__isnull=True), collected_at__isnull=False, procedure__status="completed"
    )
    found = []
    for test in alive.select_related("procedure__patient", "procedure__protocol_version").order_by(
        "-collected_at", "pk"
    ):
        components = test.procedure.protocol_version.parsed.test(test.code).components
        if len(components) == 1 and components[0].kind == "number" and components[0].loinc and components[0].units:
            found.append((test, components[0]))
    return found


def _usual(component: Component) -> str:
    """A number of an ordinary result, a little off whatever stood there."""
    low, high = component.low or 1, component.high or 3
    return f"{(low + high) / 2 + 0.1:g}"


def _send(test: LabTest, code: tuple[str, str], value: str, status: str, unit: str, note: str = "") -> None:
    patient, case = test.procedure.patient, test.procedure
    now = clock.now()
    assert test.collected_at is not None
    taken, sent = _written(test.collected_at), _written(now - MINUTES if status == "F" else now)
    system = "LN" if code[0][0].isdigit() else "L"
    lines = [
        f"MSH|^~\\&|{SENDER[0]}|{SENDER[1]}|TRACKER|CLINIC|{sent}||ORU^R01|D{test.pk}{status}|P|2.5.1",
        f"PID|1||{patient.mrn}^^^{AUTHORITY}^MR||{patient.family_name}^{patient.given_name}||{patient.birth_date:%Y%m%d}",
        f"OBR|1|{case.code}|D{test.pk}|{code[0]}^{code[1]}^{system}|||{taken}|||||||||||||||{sent}|||{status}",
        f"OBX|1|NM|{code[0]}^{code[1]}^{system}||{value}|{unit}|||||{status}",
        *([f"NTE|1|L|{note}"] if note else []),
    ]
    _keep("".join(f"{line}\r" for line in lines).encode(), f"D{test.pk}{status}")


def _keep(raw: bytes, control_id: str) -> None:
    row = InboundMessage.objects.create(
        source=InboundSource.COMMAND,
        sender="|".join(SENDER) if control_id else "",
        control_id=control_id,
        digest=hashlib.sha256(raw).hexdigest(),
        raw=raw,
        received_at=clock.now(),
    )
    processing.process(row.pk)


def _written(at: datetime) -> str:
    return f"{timezone.localtime(at):%Y%m%d%H%M%S}"
