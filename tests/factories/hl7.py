"""Results of spinal fluid and of ascites as HL7 v2 messages.

Derived, not published: no laboratory published such a message with correct codes. The shapes (segments, separators,
repetitions, specimens before and after, statuses) are those of the messages in ``tests/data/hl7``, the LOINC codes
those of the protocols.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

CR = "\r"
LAB = ("EXAMPLELIS", "EXAMPLE LAB")


ESCAPES = str.maketrans(
    {"|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\", "\\": "\\E\\", "\n": "\\.br\\"},
)


def escaped(text: str) -> str:
    """Text as it may stand in a field."""
    return text.translate(ESCAPES)


@dataclass(frozen=True, kw_only=True)
class Obx:
    """One observation. ``value`` is put as it is: components and escapes are the caller's; ``code`` likewise."""

    code: str  # "806-0^White cells^LN", "CSF_WBC^White cells^L", both after another
    value: str = ""
    type: str = "NM"
    unit: str = ""
    range: str = ""
    flag: str = ""
    status: str = "F"
    observed: str = ""
    sub_id: str = ""
    notes: Sequence[str] = ()

    def segments(self, number: int) -> list[str]:
        fields = [
            "OBX", str(number), self.type, self.code, self.sub_id, self.value, self.unit, self.range, self.flag, "", "",
            self.status, "", "", self.observed,
        ]  # fmt: skip
        return ["|".join(fields).rstrip("|"), *notes(self.notes)]


@dataclass(frozen=True, kw_only=True)
class Order:
    """One OBR with its observations, and the specimen under it: none, SPM (2.5 and later) or OBR-15 (before)."""

    service: str  # "34563-7^Cell count of cerebral spinal fluid^LN"
    observations: Sequence[Obx]
    placer: str = "P1001"
    filler: str = "A1001"
    collected: str = "20261123083000"
    received: str = "20261123090000"
    reported: str = "20261123101500"
    status: str = "F"
    control: str = "RE"
    provider: str = "1234^Castellanos^Iris^^^^MD"
    specimen: str = ""  # SPM-2; none: no SPM
    fluid: str = "258450006^Cerebrospinal fluid sample^SCT^CSF^Cerebral spinal fluid^HL70487"
    source: str = ""  # OBR-15
    reject: str = ""  # SPM-21
    condition: str = ""  # SPM-24
    notes: Sequence[str] = ()

    def segments(self, number: int) -> list[str]:
        order = {1: str(number), 2: self.placer, 3: self.filler, 4: self.service, 7: self.collected, 14: self.received}
        order |= {15: self.source, 16: self.provider, 22: self.reported, 25: self.status}
        lines = [segment("ORC", {1: self.control, 2: self.placer, 3: self.filler}), segment("OBR", order)]
        lines += notes(self.notes)
        for at, observation in enumerate(self.observations, start=1):
            lines += observation.segments(at)
        return lines + ([self.spm()] if self.specimen else [])

    def spm(self, number: int = 1) -> str:
        said = {1: str(number), 2: self.specimen, 4: self.fluid, 17: self.collected, 18: self.received}
        return segment("SPM", said | {21: self.reject, 24: self.condition})


@dataclass(frozen=True, kw_only=True)
class Patient:
    numbers: Sequence[tuple[str, str, str]] = (("00012345", "EXAMPLE HOSPITAL", "MR"),)
    family: str = "Moreau"
    given: str = "Ada"
    born: str = "19610304"
    sex: str = "F"

    def segment(self) -> str:
        numbers = "~".join(f"{value}^^^{authority}^{kind}" for value, authority, kind in self.numbers)
        name = f"{escaped(self.family)}^{escaped(self.given)}"
        return segment("PID", {1: "1", 3: numbers, 5: name, 7: self.born, 8: self.sex})


@dataclass(frozen=True, kw_only=True)
class Oru:
    """A whole message. ``replace`` makes the next one: another status, another value, another control id."""

    orders: Sequence[Order]
    patient: Patient | None = field(default_factory=Patient)
    control_id: str = "MSG00001"
    sender: tuple[str, str] = LAB
    sent: str = "20261123101500"
    type: str = "ORU^R01^ORU_R01"
    version: str = "2.5.1"
    charset: str = "UNICODE UTF-8"
    processing: str = "P"
    marks: str = "^~\\&"
    trailing: Sequence[str] = ()  # notes at the very end

    def lines(self) -> list[str]:
        application, facility = self.sender
        head = f"MSH|{self.marks}|{application}|{facility}|TRACKER|CLINIC|{self.sent}||{self.type}|{self.control_id}"
        lines = [f"{head}|{self.processing}|{self.version}||||||{self.charset}".rstrip("|")]
        lines += [self.patient.segment()] if self.patient else []
        for number, order in enumerate(self.orders, start=1):
            lines += order.segments(number)
        return lines + notes(self.trailing)

    def raw(self, *, end: str = CR, encoding: str = "utf-8") -> bytes:
        return "".join(line + end for line in self.lines()).encode(encoding)


def segment(name: str, fields: dict[int, str]) -> str:
    last = max((number for number, value in fields.items() if value), default=0)
    return "|".join([name, *(fields.get(number, "") for number in range(1, last + 1))])


def notes(texts: Sequence[str]) -> list[str]:
    return [f"NTE|{number}|L|{escaped(text)}" for number, text in enumerate(texts, start=1)]


def obx(loinc: str, name: str, value: str, unit: str = "", **more: object) -> Obx:
    """A number by its LOINC code."""
    return replace(Obx(code=f"{loinc}^{name}^LN", value=value, unit=unit), **more)  # type: ignore[arg-type]


# --- spinal fluid -----------------------------------------------------------------------------

CSF = "258450006^Cerebrospinal fluid sample^SCT^CSF^Cerebral spinal fluid^HL70487"


def csf_cell_count(*, white: str = "3", red: str = "12", pmn: str = "2", status: str = "F", **more: object) -> Order:
    observations = [
        obx("806-0", "Leukocytes in Cerebral spinal fluid by Manual count", white, "/uL", status=status),
        obx("26454-9", "Erythrocytes in Cerebral spinal fluid", red, "/uL", status=status),
        obx("26512-4", "Neutrophils/100 leukocytes in Cerebral spinal fluid", pmn, "%", status=status),
    ]
    return _order("34563-7^Cell count panel - Cerebral spinal fluid^LN", observations, CSF, status, more)


def csf_glucose(value: str = "62", *, status: str = "F", **more: object) -> Order:
    observations = [obx("2342-4", "Glucose in Cerebral spinal fluid", value, "mg/dL", status=status)]
    return _order("2342-4^Glucose in Cerebral spinal fluid^LN", observations, CSF, status, more)


def csf_protein(value: str = "38", *, unit: str = "mg/dL", status: str = "F", **more: object) -> Order:
    observations = [obx("2880-3", "Protein in Cerebral spinal fluid", value, unit, status=status)]
    return _order("2880-3^Protein in Cerebral spinal fluid^LN", observations, CSF, status, more)


def csf_gram(text: str = "No organisms seen", *, status: str = "F", note: Sequence[str] = (), **more: object) -> Order:
    observations = [
        Obx(code="664-3^Microscopic observation by Gram stain^LN", type="ST", value=escaped(text), status=status,
            notes=note),
    ]  # fmt: skip
    return _order("664-3^Gram stain^LN", observations, CSF, status, more)


def csf_culture(text: str = "No growth at 48 hours", *, status: str = "P", **more: object) -> Order:
    observations = [
        Obx(code="606-4^Bacteria identified in Cerebral spinal fluid by Culture^LN", type="ST", value=escaped(text),
            status=status),
    ]  # fmt: skip
    return _order("606-4^Bacteria identified in Cerebral spinal fluid by Culture^LN", observations, CSF, status, more)


def csf_oru(*orders: Order, patient: Patient | None = None, **more: object) -> Oru:
    """Cell count, glucose and protein of one tap when no order is given."""
    given = orders or (csf_cell_count(), csf_glucose(), csf_protein())
    return replace(Oru(orders=given, patient=patient or Patient()), **more)  # type: ignore[arg-type]


# --- ascites ----------------------------------------------------------------------------------

ASCITES = "309201001^Ascitic fluid sample^SCT^PRT^Peritoneal fluid /ascites^HL70487"


def ascites_cell_count(
    *, nucleated: str = "180", pmn: str = "20", red: str = "900", status: str = "F", **more: object
) -> Order:
    observations = [
        obx("51926-4", "Nucleated cells in Peritoneal fluid by Manual count", nucleated, "#/uL", status=status),
        obx("26520-7", "Polymorphonuclear cells/100 leukocytes in Peritoneal fluid", pmn, "%", status=status),
        obx("26457-2", "Erythrocytes in Peritoneal fluid", red, "#/uL", status=status),
    ]
    return _order(
        "34557-9^Cell count and differential panel - Peritoneal fluid^LN", observations, ASCITES, status, more
    )


def ascites_albumin(value: str = "1.1", *, unit: str = "g/dL", status: str = "F", **more: object) -> Order:
    observations = [obx("1749-1", "Albumin in Peritoneal fluid", value, unit, status=status)]
    return _order("1749-1^Albumin in Peritoneal fluid^LN", observations, ASCITES, status, more)


def ascites_protein(value: str = "1.4", *, unit: str = "g/dL", status: str = "F", **more: object) -> Order:
    observations = [obx("2883-7", "Protein in Peritoneal fluid", value, unit, status=status)]
    return _order("2883-7^Protein in Peritoneal fluid^LN", observations, ASCITES, status, more)


def ascites_culture(text: str = "No growth at 24 hours", *, status: str = "P", **more: object) -> Order:
    observations = [
        Obx(code="611-4^Bacteria identified in Body fluid by Culture^LN", type="ST", value=escaped(text), status=status)
    ]
    return _order("611-4^Bacteria identified in Body fluid by Culture^LN", observations, ASCITES, status, more)


def ascites_oru(*orders: Order, patient: Patient | None = None, **more: object) -> Oru:
    """Cell count, albumin and protein of one tap when no order is given."""
    given = orders or (ascites_cell_count(), ascites_albumin(), ascites_protein())
    return replace(Oru(orders=given, patient=patient or Patient()), **more)  # type: ignore[arg-type]


def _order(service: str, observations: list[Obx], fluid: str, status: str, more: dict[str, object]) -> Order:
    order = Order(service=service, observations=observations, fluid=fluid, status=status, specimen="S1001")
    return replace(order, **more)  # type: ignore[arg-type]


# --- files ------------------------------------------------------------------------------------


def batch(*messages: bytes, end: bytes = b"\r") -> bytes:
    """A file with one batch around the messages, as ``batch_message.hl7`` has it."""
    head = [b"FHS|^~\\&|EXAMPLELIS|EXAMPLE LAB", b"BHS|^~\\&|EXAMPLELIS|EXAMPLE LAB"]
    body = [message.rstrip(b"\r\n") for message in messages]
    return end.join([*head, *body, b"BTS|%d" % len(messages), b"FTS|1"]) + end


def framed(raw: bytes) -> bytes:
    """As it goes over a connection (MLLP)."""
    return b"\x0b" + raw + b"\x1c\r"
