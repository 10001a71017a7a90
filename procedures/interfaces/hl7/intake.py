"""What becomes of bytes that came in, whichever way: cut into messages, each judged by its header, kept, answered.

The listener, the upload page and the command do the same here. Nothing beyond the header is read before the bytes
are on the disk.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from procedures.interfaces.hl7 import acknowledgement, framing
from procedures.interfaces.hl7.acknowledgement import Reason, Verdict
from procedures.interfaces.hl7.framing import Kind, Piece
from procedures.interfaces.hl7.header import NotAMessage, header
from procedures.interfaces.hl7.mllp import HEAD_BYTES
from procedures.services.inbound_store import Arrival

logger = logging.getLogger(__name__)

#: Codes of HL7's table 0357.
SEQUENCE, MISSING, INTERNAL = "100", "101", "207"
#: More messages than this in one block or file are no batch of results.
MOST_MESSAGES = 5000
ENVELOPES = (b"FHS", b"BHS")
ANSWERS = frozenset({"ACK", "MCF"})


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One message and what is to be said of it. ``arrival`` is None where there is nothing to keep.

    ``aside``: it stood beside messages and is none; it is kept, and the answers speak of the messages.
    """

    raw: bytes
    arrival: Arrival | None
    verdict: Verdict = Verdict.ACCEPTED
    reason: Reason | None = None
    aside: bool = False

    def answer(self, *, at: datetime) -> bytes | None:
        """Say it only after it has been kept."""
        number = uuid.uuid4().hex[:20]
        return acknowledgement.build(self.raw, self.verdict, at=at, number=number, reason=self.reason)


@dataclass(frozen=True)
class Origin:
    """Which way it came (``InboundSource``), and from where; never a person's name."""

    source: str
    peer: str = ""


def take_apart(raw: bytes, origin: Origin, *, limit: int) -> list[Judged]:
    """The messages of one block or file, each judged by itself: a bad one does not lose the others."""
    if not raw.strip():
        return [Judged(raw=raw, arrival=None, verdict=Verdict.REJECTED, reason=Reason(SEQUENCE, "It is empty."))]
    try:
        pieces = [piece for piece in framing.split(raw) if piece.kind is not Kind.ENVELOPE]
    except Exception as error:  # strangers' bytes: whatever they are, they are kept
        logger.error("inbound block not cut bytes=%s error=%s", len(raw), type(error).__name__)
        pieces = []
    if len(pieces) > MOST_MESSAGES:
        words = f"More than {MOST_MESSAGES} messages in one piece: send them in several."
        return [_refused(raw[:HEAD_BYTES], origin, Reason(SEQUENCE, words))]
    if not any(piece.is_message for piece in pieces):
        return [judge(raw, origin, limit=limit)]
    return [_piece(piece, origin, limit) for piece in pieces]


def _piece(piece: Piece, origin: Origin, limit: int) -> Judged:
    judged = judge(piece.raw, origin, limit=limit)
    return judged if piece.is_message else replace(judged, aside=True)


def judge(raw: bytes, origin: Origin, *, limit: int) -> Judged:
    """One message by its header."""
    if len(raw) > limit:
        return too_long(raw[:HEAD_BYTES], origin, limit=limit)
    try:
        head = header(raw)
    except NotAMessage as error:
        return _refused(raw, origin, Reason(SEQUENCE, error.words))
    except Exception as error:
        logger.error("inbound header not read bytes=%s error=%s", len(raw), type(error).__name__)
        return _refused(raw, origin, Reason(INTERNAL, "Its header cannot be read."), Verdict.ERROR)
    if not (head.message_type or head.control_id):
        return _refused(raw, origin, Reason(MISSING, "Its header names neither a type nor a number."), Verdict.ERROR)
    if head.message_type.split("^")[0].strip().upper() in ANSWERS:
        return Judged(raw=raw, arrival=None)
    return Judged(
        raw=raw, arrival=_arrival(raw, origin, head.sender_application, head.sender_facility, head.control_id)
    )


def too_long(head: bytes, origin: Origin, *, limit: int) -> Judged:
    """Of what is longer than the limit the beginning is kept, and a person is told."""
    words = f"It has more than {limit} bytes; only its beginning is kept."
    return _refused(head[:HEAD_BYTES], origin, Reason(INTERNAL, words))


def broken(raw: bytes, origin: Origin) -> Judged:
    """It may lack its end: kept, never read as a whole."""
    words = "It was cut off: its end is missing. Send it again."
    return _refused(raw, origin, Reason(SEQUENCE, words), Verdict.ERROR)


def _refused(raw: bytes, origin: Origin, reason: Reason, verdict: Verdict = Verdict.REJECTED) -> Judged:
    try:
        head = header(raw)
    except Exception:  # it is no message: then it has no sender
        arrival = _arrival(raw, origin, "", "", "", problem=reason.words)
    else:
        names = (head.sender_application, head.sender_facility, head.control_id)
        arrival = _arrival(raw, origin, *names, problem=reason.words)
    return Judged(raw=raw, arrival=arrival, verdict=verdict, reason=reason)


def _arrival(raw: bytes, origin: Origin, application: str, facility: str, number: str, problem: str = "") -> Arrival:
    sender = f"{application}|{facility}" if application or facility else ""
    return Arrival(raw=raw, source=origin.source, peer=origin.peer, sender=sender, control_id=number, problem=problem)


def answers(raw: bytes, judged: Sequence[Judged], *, at: datetime) -> list[bytes]:
    """What to send back for one block: a batch for a batch, else one answer for each message that asks for one."""
    found = [answer for one in judged if not one.aside and (answer := one.answer(at=at)) is not None]
    if raw.lstrip(b"\xef\xbb\xbf\r\n ").startswith(ENVELOPES) and found:
        return [acknowledgement.batch(found, at=at)]
    return found
