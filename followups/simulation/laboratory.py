"""A laboratory of the simulation: it writes HL7 v2, and its bytes come in by the way of every laboratory's.

What a protocol gives no LOINC for is sent under the laboratory's own code, which the clinic has mapped, as clinics do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from django.conf import settings
from django.utils import timezone

from clinic.actor import Actor
from procedures.domain.lab_content import Component, Test
from procedures.domain.test_codes import Target
from procedures.interfaces.hl7 import intake, waiting
from procedures.models import Laboratory, LabTest, Patient, Procedure
from procedures.models.inbound import InboundSource
from procedures.services import inbound_store, laboratories, protocols
from procedures.services.inbound_store import Kept

AUTHORITY = "EXAMPLE HOSPITAL"
MARKS = ("YEARLIS", "YEAR LABORATORY")
NAME = "Laboratory of the year"
LIMIT = 10_000_000
FLUIDS = {
    "csf": "258450006^Cerebrospinal fluid sample^SCT",
    "ascites": "309201001^Ascitic fluid sample^SCT",
    "serum": "119364003^Serum specimen^SCT",
    "blood": "119297000^Blood specimen^SCT",
}
ESCAPES = str.maketrans({"|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\", "\\": "\\E\\", "\n": "\\.br\\"})
#: By test, then by component: what was measured, as ``results`` are typed.
Results = Mapping[str, Mapping[str, Any]]


def establish(actor: Actor) -> Laboratory:
    """The clinic's entry for it, and a mapping for every value that has no LOINC."""
    values = {
        "name": NAME,
        "sending_application": MARKS[0],
        "sending_facility": MARKS[1],
        "zone": settings.CLINIC_ZONE,
        "authorities": {AUTHORITY: settings.CLINIC_AUTHORITY},
        "is_active": True,
    }
    laboratory = laboratories.save(laboratory=None, values=values, actor=actor)
    for path in protocols.files():
        version = protocols.newest(path.stem)
        if version is None:
            continue
        for test, component in _without_loinc(version.parsed.tests):
            laboratories.map_code(
                laboratory=laboratory,
                protocol=version.protocol,
                system="L",
                code=_local(test, component),
                target=Target(test.code, component.code),
                actor=actor,
                label=component.label,
            )
    return laboratory


def _without_loinc(tests: Iterable[Test]) -> Iterator[tuple[Test, Component]]:
    return ((test, component) for test in tests for component in test.components if not component.loinc)


def _local(test: Test, component: Component) -> str:
    return f"{test.code}.{component.code}"


def keep(raw: bytes, *, now: datetime) -> Kept | None:
    """Store it as the listener does before it acknowledges. None: there is nothing to keep."""
    judged = intake.judge(raw, intake.Origin(InboundSource.MLLP, "127.0.0.1"), limit=LIMIT)
    return inbound_store.store(judged.arrival, now=now) if judged.arrival is not None else None


def read() -> Mapping[str, int]:
    """What a worker does when it is told to look: read all that is stored."""
    return dict(waiting.read_waiting())


@dataclass
class Line:
    """One laboratory's line: its messages are numbered, so the same seed sends the same bytes."""

    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def report(
        self,
        case: Procedure,
        results: Results,
        *,
        status: str = "F",
        at: datetime,
        about: Patient | None = None,
        code: Callable[[Test, Component], str] | None = None,
        note: str = "",
    ) -> bytes:
        """One ORU^R01 with an order for each test.

        ``status``: P, F, C or W (OBX-11, OBR-25). ``about``: whose name, birth date and number stand on it, when the
        laboratory mixes patients up. ``code``: other codes than those that the protocol knows.
        """
        number = f"{next(self.numbers):08d}"
        head = f"MSH|^~\\&|{MARKS[0]}|{MARKS[1]}|TRACKER|CLINIC|{_written(at)}||ORU^R01^ORU_R01|{number}|P|2.5.1"
        lines = [
            f"{head}||||||UNICODE UTF-8",
            _patient(about or case.patient),
        ]
        protocol = case.protocol_version.parsed
        rows = {row.code: row for row in _tests(case)}
        for place, (test_code, values) in enumerate(results.items(), start=1):
            lines += _order(place, protocol.test(test_code), rows[test_code], values, status, at, code or _code)
        if note:
            lines.append(f"NTE|1|L|{_text(note)}")
        return "".join(f"{line}\r" for line in lines).encode()

    def again(self, raw: bytes) -> bytes:
        """The same report, under the next number (MSH-10)."""
        fields = raw.split(b"|")
        fields[9] = b"%08d" % next(self.numbers)
        return b"|".join(fields)


def _tests(case: Procedure) -> list[LabTest]:
    rows = case.tests.exclude(status="cancelled").select_related("specimen", "procedure")
    return list(rows.order_by("pk"))


def _patient(patient: Patient) -> str:
    sex = {"female": "F", "male": "M"}.get(patient.sex, "U")
    name = f"{_text(patient.family_name)}^{_text(patient.given_name)}"
    return f"PID|1||{_text(patient.mrn)}^^^{AUTHORITY}^MR||{name}||{patient.birth_date:%Y%m%d}|{sex}"


def _order(
    place: int,
    test: Test,
    row: LabTest,
    values: Mapping[str, Any],
    status: str,
    at: datetime,
    code: Callable[[Test, Component], str],
) -> list[str]:
    placer = row.order_number or row.procedure.code
    taken = _written(row.collected_at) if row.collected_at else ""
    came = _written(row.received_at) if row.received_at else ""
    service = f"{test.loinc}^{_text(test.label)}^LN" if test.loinc else f"{test.code}^{_text(test.label)}^L"
    filler = f"A{row.pk}"
    lines = [
        f"ORC|RE|{placer}|{filler}",
        f"OBR|{place}|{placer}|{filler}|{service}|||{taken}|||||||{came}||||||||{_written(at)}|||{status}",
    ]
    components = {component.code: component for component in test.components}
    for number, (name, value) in enumerate(values.items(), start=1):
        lines.append(_observation(number, test, components[name], value, status, at, code))
    if row.specimen is not None and test.fluid in FLUIDS:
        lines.append(f"SPM|1|{row.specimen.accession}||{FLUIDS[test.fluid]}|||||||||||||{taken}|{came}")
    return lines


def _observation(
    number: int,
    test: Test,
    component: Component,
    value: Any,
    status: str,
    at: datetime,
    code: Callable[[Test, Component], str],
) -> str:
    kind, unit, said = "ST", "", str(value)
    if component.kind == "number":
        kind, unit, said = "NM", component.units[0] if component.units else "", f"{value:g}"
    elif component.choices:
        said = next((choice.label for choice in component.choices if choice.code == value), said)
    head = f"OBX|{number}|{kind}|{code(test, component)}||{_text(said)}|{_text(unit)}|||||{status}"
    return f"{head}|||{_written(at)}"


def _code(test: Test, component: Component) -> str:
    if component.loinc:
        return f"{component.loinc}^{_text(component.label)}^LN"
    return f"{_local(test, component)}^{_text(component.label)}^L"


def _text(text: str) -> str:
    return text.translate(ESCAPES)


def _written(at: datetime) -> str:
    """With its offset: one hour of autumn has two meanings."""
    return f"{timezone.localtime(at):%Y%m%d%H%M%S%z}"
