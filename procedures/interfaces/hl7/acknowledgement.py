"""The answer to a message: MSH and MSA, and why not in ERR. Pure; nothing of what the message says of a patient.

It reads the fields of the header as bytes and gives them back as bytes: whatever charset the sender writes its own
name in, it gets it back. Only the header is looked at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from procedures.interfaces.hl7 import charset

#: Where the header may be: a byte-order mark and empty lines before it.
HEADER = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*(MSH[^\r\n]{5,})")
#: More than the header of any message.
HEADER_BYTES = 4096
FIELD_BYTES = 250
CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
SEPARATORS = re.compile(rb"[^\w\s]{1,5}\Z", re.ASCII)
OUR_NAME = b"PROCEDURE TRACKER"
OLD_ERRORS = (b"2.1", b"2.2", b"2.3", b"2.3.1", b"2.4")  # before 2.5 an ERR had another form


class Verdict(StrEnum):
    """What becomes of a message, by its letters in original mode; enhanced mode says C for the first A."""

    ACCEPTED = "AA"
    ERROR = "AE"  # it must be corrected before it is sent again
    REJECTED = "AR"  # it is nothing for us


@dataclass(frozen=True)
class Reason:
    """Why not: a code of HL7's table 0357 and words that hold nothing of the content."""

    code: str
    words: str


@dataclass(frozen=True)
class _Header:
    """Fields by their numbers in the standard: MSH-1 is the separator itself."""

    separator: bytes
    fields: tuple[bytes, ...]

    def __getitem__(self, number: int) -> bytes:
        value = self.fields[number - 1] if number <= len(self.fields) else b""
        return CONTROL.sub(b"", value[:FIELD_BYTES])

    def first(self, number: int) -> bytes:
        return self[number].split(self[2][:1] or b"^")[0].strip()


def _header(raw: bytes) -> _Header:
    """An empty one where there is none."""
    head = raw[:HEADER_BYTES]
    found = HEADER.match(charset.narrow(head) if charset.wide(head) else head)
    if found is None:
        return _Header(b"|", (b"|", b"^~\\&"))
    line = found.group(1)
    separator = line[3:4]
    if not SEPARATORS.match(separator):
        return _Header(b"|", (b"|", b"^~\\&"))
    fields = [separator, *line[4:].split(separator)]
    if not SEPARATORS.match(fields[1]):
        fields[1] = b"^~\\&"
    return _Header(separator, tuple(fields))


def wanted(raw: bytes, verdict: Verdict) -> str | None:
    """The letters that the sender waits for; None when it asks for none.

    MSH-15 asks for a word that it is kept (CA …), MSH-16 for a word of the application (AA …): what is kept here is
    also the application's word, as nobody waits on the line until it is read. A sender that names neither gets AA.
    """
    header = _header(raw)
    if header.first(9) in {b"ACK", b"MCF"}:
        return None  # an answer is never answered
    accept, application = header.first(15).upper(), header.first(16).upper()
    if _asks(accept, verdict):
        return f"C{verdict[1]}"
    if _asks(application, verdict) or not (accept or application):
        return str(verdict)
    return None


def _asks(condition: bytes, verdict: Verdict) -> bool:
    good = verdict is Verdict.ACCEPTED
    return condition == b"AL" or (condition == b"SU" and good) or (condition == b"ER" and not good)


def build(raw: bytes, verdict: Verdict, *, at: datetime, number: str, reason: Reason | None = None) -> bytes | None:
    """The answer to ``raw``, without a frame; None when the sender asks for none. ``number`` is our own control id."""
    letters = wanted(raw, verdict)
    if letters is None:
        return None
    header = _header(raw)
    sep, marks = header.separator, header[2]
    component = marks[:1]
    event = header[9].split(component)[1:2]
    kind = component.join([b"ACK", *(event if event and event[0] else [])])
    stamp = at.strftime("%Y%m%d%H%M%S%z").encode()
    msh = [b"MSH" + sep + marks, header[5] or OUR_NAME, header[6], header[3], header[4], stamp, b"", kind]
    msh += [number.encode(), header[11] or b"P", header[12] or b"2.5.1", *[b""] * 5, header[18]]
    words = reason.words.encode("ascii", "replace") if reason else b""
    msa = [b"MSA", letters.encode(), header[10], *([words] if words else [])]
    segments = [sep.join(msh).rstrip(sep), sep.join(msa)]
    if reason is not None:
        segments.append(_err(header, reason.code.encode(), words))
    return b"".join(segment + b"\r" for segment in segments)


def _err(header: _Header, code: bytes, words: bytes) -> bytes:
    component, sep = header[2][:1], header.separator
    coded = component.join((code, words, b"HL70357"))
    if header.first(12) in OLD_ERRORS:
        subcomponent = header[2][3:4] or b"&"
        return sep.join((b"ERR", component * 3 + subcomponent.join((code, words, b"HL70357"))))
    return sep.join((b"ERR", b"", b"", coded, b"E"))


def batch(answers: list[bytes], *, at: datetime) -> bytes:
    """The answers to the messages of one batch, as a batch."""
    stamp = at.strftime("%Y%m%d%H%M%S%z").encode()
    head = b"BHS|^~\\&|" + OUR_NAME + b"||||" + stamp + b"\r"
    return head + b"".join(answers) + b"BTS|%d\r" % len(answers)
