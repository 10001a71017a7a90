"""What the header of a message says of it, without reading the rest."""

from __future__ import annotations

import re
from dataclasses import dataclass

from procedures.domain.report import Sender
from procedures.interfaces.hl7 import charset, separators
from procedures.interfaces.hl7.escapes import unescaped
from procedures.interfaces.hl7.separators import Separators

#: A header is a line of some hundred bytes; so much of it is read at most.
LONGEST = 64 * 1024
PUNCTUATION = frozenset(rb"""!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~""")
_BLANK = b" \t\r\n\x00\x0b\x0c\x1c"
_LINE_END = re.compile(rb"[\r\n\x1c]")


class NotAMessage(Exception):
    """``code`` is stable, ``words`` are for people; neither has anything of the content."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code, self.words = code, words


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """The parts of MSH that are needed before anything else is read. Empty where the message says nothing."""

    sender_application: str  # MSH-3, the first part that is not empty
    sender_facility: str  # MSH-4
    receiver_application: str  # MSH-5
    receiver_facility: str  # MSH-6
    sent_written: str  # MSH-7
    message_type: str  # MSH-9: "ORU^R01"
    control_id: str  # MSH-10
    processing: str  # MSH-11: P, T or D
    version: str  # MSH-12
    accept_acknowledgement: str  # MSH-15: AL, NE, ER, SU or empty
    application_acknowledgement: str  # MSH-16
    charsets: tuple[str, ...]  # MSH-18
    separators: Separators

    @property
    def sender(self) -> Sender:
        return Sender(application=self.sender_application, facility=self.sender_facility)


def header(raw: bytes) -> Header:
    """Of one message (a message piece of ``framing.split``). Raises NotAMessage when there is none."""
    line = _line(raw)
    field = chr(line[3])
    rough = line.decode("latin-1").split(field)
    claimed = _charsets(rough, field)
    text = charset.decode(line, claimed).text
    fields = text.split(field)
    marks = separators.of(field, fields[1] if len(fields) > 1 else "")

    def part(number: int) -> str:
        """The first part of MSH-``number`` that is not empty. MSH-1 is the separator itself."""
        whole = fields[number - 1] if len(fields) >= number else ""
        parts = (unescaped(one, marks).strip() for one in marks.components(marks.repetitions(whole)[0]))
        return next((one for one in parts if one and one != '""'), "")

    return Header(
        sender_application=part(3),
        sender_facility=part(4),
        receiver_application=part(5),
        receiver_facility=part(6),
        sent_written=part(7),
        message_type=_type(fields[8] if len(fields) > 8 else "", marks),
        control_id=part(10),
        processing=part(11),
        version=part(12),
        accept_acknowledgement=part(15).upper(),
        application_acknowledgement=part(16).upper(),
        charsets=claimed,
        separators=marks,
    )


def _line(raw: bytes) -> bytes:
    """The header as bytes, without what may stand before it and without its end."""
    head = charset.narrow(raw[: 2 * LONGEST]) if charset.wide(raw) else raw[:LONGEST]
    head = head.lstrip(_BLANK).removeprefix(charset.BOM).lstrip(_BLANK)
    if not head:
        raise NotAMessage("empty", "There is nothing in it.")
    if not head.startswith(b"MSH"):
        raise NotAMessage("no_header", "It does not begin with the header of a message (MSH).")
    line = _LINE_END.split(head, maxsplit=1)[0]
    if len(line) < 4 or line[3] not in PUNCTUATION:
        raise NotAMessage("header_broken", "The header (MSH) says nothing: no separator follows its name.")
    return line


def _charsets(rough: list[str], field: str) -> tuple[str, ...]:
    said = rough[17] if len(rough) > 17 else ""
    marks = separators.of(field, rough[1] if len(rough) > 1 else "")
    return tuple(name.strip() for name in said.split(marks.repetition) if name.strip())


def _type(said: str, marks: Separators) -> str:
    """``ORU^R01`` with this sign between, whatever the message has; ``ORU_R01`` alone is read so too."""
    parts = [unescaped(part, marks).strip() for part in marks.components(said)]
    if len(parts) == 1 and len(parts[0]) == 7 and parts[0][3] == "_":
        parts = parts[0].split("_")
    return "^".join(part for part in parts[:2] if part)
