"""The published messages, and small ones for one thing at a time."""

from __future__ import annotations

from pathlib import Path

from procedures.domain.report import Group, Observation, Report
from procedures.interfaces.hl7 import framing, reading

DATA = Path(__file__).resolve().parents[2] / "data" / "hl7"
NAMES = sorted(path.stem for path in DATA.glob("*.hl7"))
ZONE = "America/New_York"
MSH = "MSH|^~\\&|LIS|LAB|||20261123101500||ORU^R01|1|P|2.5.1"


def sample(name: str) -> bytes:
    """By the beginning of its name."""
    (path,) = DATA.glob(f"{name}*.hl7")
    return path.read_bytes()


def reports(raw: bytes, zone: str = ZONE) -> list[Report]:
    return [reading.read(piece.raw, zone=zone) for piece in framing.split(raw) if piece.is_message]


def read(*lines: str, head: str = MSH, zone: str = ZONE, end: str = "\r") -> Report:
    return reading.read("".join(line + end for line in (head, *lines)).encode(), zone=zone)


def one(*lines: str, head: str = MSH) -> Observation:
    """The only observation of these segments, with an order before it."""
    found = read("OBR|1|||X^Y^L|||20261123083000||||||||||||||||||F", *lines, head=head)
    (group,) = found.groups
    (observation,) = group.observations
    return observation


def value(kind: str, field: str, status: str = "F") -> Observation:
    return one(f"OBX|1|{kind}|806-0^White cells^LN||{field}|/uL|||||{status}")


def observations(groups: tuple[Group, ...]) -> list[Observation]:
    return [observation for group in groups for observation in group.observations]


def codes(found: Report) -> list[str]:
    return [problem.code for problem in found.problems]
