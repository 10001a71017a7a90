"""The segments of a message: lines with a name and fields. For reading, and decoded for the page of a message."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from procedures.domain.report import Place
from procedures.interfaces.hl7 import charset
from procedures.interfaces.hl7.charset import Decoded
from procedures.interfaces.hl7.header import Header, NotAMessage, header
from procedures.interfaces.hl7.separators import Separators

#: A name is known without a separator after it, and in small letters, when it is one of these.
NAMES = frozenset({
    "ACC", "AL1", "BHS", "BLG", "BTS", "CTD", "CTI", "DB1", "DG1", "DRG", "DSC", "DSP", "EQU", "ERR", "EVN", "FHS",
    "FT1", "FTS", "GT1", "IAM", "IN1", "IN2", "IN3", "INV", "IPC", "MSA", "MSH", "NK1", "NTE", "OBR", "OBX", "ORC",
    "PD1", "PID", "PR1", "PRT", "PV1", "PV2", "QAK", "QPD", "QRD", "QRF", "RCP", "ROL", "SAC", "SFT", "SID", "SPM",
    "TCD", "TQ1", "TQ2", "TXA", "UAC",
})  # fmt: skip
NULL = '""'
_LINE = re.compile(r"[^\r\n]+")
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")


@dataclass(slots=True)
class Segment:
    """``fields[n]`` is field n, as written; MSH counts its separator as field 1, as the standard does."""

    name: str
    number: int
    line: int
    text: str
    fields: list[str]

    @property
    def place(self) -> Place:
        return Place(segment=self.name, number=self.number, line=self.line)

    def field(self, number: int) -> str:
        """Without blanks around it; empty when it is not there or says that it is empty (``""``)."""
        if number >= len(self.fields):
            return ""
        text = self.fields[number].strip()
        return "" if text == NULL else text


def decoded(raw: bytes, default: str = "") -> tuple[Header, Decoded]:
    """The header and the whole text. Raises NotAMessage."""
    head = header(raw)
    return head, charset.decode(charset.narrow(raw).lstrip(b" \t\r\n\x00\x0b\x0c\x1c"), head.charsets, default)


def read(text: str, separators: Separators) -> Iterator[Segment]:
    """One after another. A line that begins no segment is more of the one before: somebody broke a text into lines."""
    counts: dict[str, int] = {}
    name, parts, line = "", [""], 0
    for found in _LINE.finditer(text):
        written = found[0]
        begins = _name(written, separators.field)
        if not begins:
            parts.append(written)
            continue
        if name:
            yield _segment(name, parts, line, counts, separators)
        name, parts, line = begins, [written.lstrip()], line + 1
    if name:
        yield _segment(name, parts, line, counts, separators)


def segments(raw: bytes, default: str = "") -> list[tuple[Place, str]]:
    """Every segment as it stands in the message, for a page; of what is no message every line, with no name."""
    try:
        head, whole = decoded(raw, default)
    except NotAMessage:
        lines = _LINE.findall(charset.decode(charset.narrow(raw), default=default).text)
        return [(Place(segment="", number=at, line=at), line) for at, line in enumerate(lines, start=1)]
    return [(segment.place, segment.text) for segment in read(whole.text, head.separators)]


def _segment(name: str, parts: list[str], line: int, counts: dict[str, int], separators: Separators) -> Segment:
    number = counts[name] = counts.get(name, 0) + 1
    text = parts[0] if len(parts) == 1 else "\n".join(parts)
    fields = text.split(separators.field)
    if name == "MSH":
        fields.insert(1, separators.field)
    return Segment(name, number, line, text, fields)


def _name(line: str, separator: str) -> str:
    """The name of the segment that this line begins; empty when it begins none."""
    name = line[:3]
    if line[3:4] == separator and _NAME.fullmatch(name):
        return name
    name = line.lstrip()[:4]
    if name[3:] in ("", separator) and name[:3].upper() in NAMES:
        return name[:3].upper()
    return ""
