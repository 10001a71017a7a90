"""A file, an upload or a block cut into messages: the bytes of each exactly as they were sent.

A message begins with MSH at the beginning of a line, or anywhere when MSH-2 follows in full, which no text may hold
unescaped (two messages joined without a line end). It ends before the next one, before a line of an envelope (FHS, BHS,
BTS, FTS) and before the end of a block (FS). What is neither is kept as a piece of its own and says so.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from procedures.interfaces.hl7 import charset

#: A file with more pieces is not read to its end: what follows is one piece that is no message.
MOST = 100_000
_SIGN = rb"[!-/:-@\[-`{-~]"
_AT_LINE = re.compile(
    rb"(?:\A|[\r\n\x0b\x0c\x1c\x00\xbf \t])"
    rb"(?:(MSH)(?:\||(" + _SIGN + rb")[^\w\s]{0,6}\2)|(FHS|BHS|BTS|FTS)(" + _SIGN + rb"))"
)
_JOINED = re.compile(rb"MSH(" + _SIGN + rb")\^(?:~|\xcb\x9c|\x98)\\{1,2}&#?\1")
_BLOCK_END = re.compile(rb"\x1c(?=[\r\n\x0b]|\Z)[\x1c\r\n\x0b]*")
_ANNOUNCED = re.compile(rb"BTS" + _SIGN + rb"\s*(\d{1,6})\s*(?:" + _SIGN + rb"|\Z)")
_LINE_ENDS = b"\r\n\x0b\x0c\x1c"
_BLANK = b" \t\r\n\x00\x0b\x0c\x1a\x1c"
_END_OF_LINE = re.compile(rb"[\r\n]|\Z")


class Kind(StrEnum):
    MESSAGE = "message"
    ENVELOPE = "envelope"  # a line around messages; it holds nothing of a patient
    OTHER = "other"  # neither: a person must look at it


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """``raw`` is what was sent, from ``start`` on. ``code`` says what is wrong with a piece that is OTHER."""

    raw: bytes
    start: int
    kind: Kind
    code: str = ""

    @property
    def is_message(self) -> bool:
        return self.kind is Kind.MESSAGE


def split(raw: bytes, *, most: int = MOST) -> tuple[Piece, ...]:
    """Every byte that is not blank is in exactly one piece, in the order in which it was sent."""
    codec = charset.wide(raw)
    if not codec:
        return tuple(_pieces(raw, most))
    narrow = charset.narrow(raw)
    return tuple(
        Piece(raw=piece.raw.decode("utf-8").encode(codec), start=piece.start, kind=piece.kind, code=piece.code)
        for piece in _pieces(narrow, most)
    )


def missing(pieces: Iterable[Piece]) -> int:
    """How many messages the batches announce (BTS-1) beyond those that are there: a file that lost some on its way."""
    lost = seen = 0
    for piece in pieces:
        if piece.is_message:
            seen += 1
        elif piece.kind is Kind.ENVELOPE and piece.raw[:3] in (b"BHS", b"BTS"):
            found = _ANNOUNCED.match(piece.raw)
            lost += max(int(found[1]) - seen, 0) if found else 0
            seen = 0
    return lost


def _pieces(raw: bytes, most: int) -> Iterator[Piece]:
    start, kind, count = 0, Kind.OTHER, 0
    for at, what in _marks(raw):
        if at < start or _same(raw, start, at, kind, what):
            continue
        yield from _piece(raw, start, at, kind)
        start, kind, count = at, what, count + 1
        if count > most:
            yield Piece(raw=raw[at:], start=at, kind=Kind.OTHER, code="too_many_messages")
            return
        if what is Kind.ENVELOPE:
            end = _END_OF_LINE.search(raw, at)
            start, kind = end.start() if end else len(raw), Kind.OTHER
            yield from _piece(raw, at, start, Kind.ENVELOPE)
    yield from _piece(raw, start, len(raw), kind)


def _same(raw: bytes, start: int, at: int, kind: Kind, what: Kind) -> bool:
    """The mark is of the piece that is being read: found twice, or nothing new after nothing."""
    if what is Kind.OTHER:
        return kind is Kind.OTHER
    return what is kind is Kind.MESSAGE and raw[start:at] in (b"", charset.BOM)


def _piece(raw: bytes, start: int, end: int, kind: Kind) -> Iterator[Piece]:
    piece = raw[start:end]
    if piece.strip(_BLANK).removeprefix(charset.BOM):
        yield Piece(raw=piece, start=start, kind=kind, code="not_a_message" if kind is Kind.OTHER else "")


def _marks(raw: bytes) -> Iterator[tuple[int, Kind]]:
    """Where something begins, in order; what follows the end of a block is OTHER until a message begins."""
    return heapq.merge(_beginnings(raw), _joined(raw), _block_ends(raw), key=lambda mark: mark[0])


def _beginnings(raw: bytes) -> Iterator[tuple[int, Kind]]:
    signs = {b"|"}
    for found in _AT_LINE.finditer(raw):
        group = 1 if found[1] else 3
        at = _line_start(raw, found.start(group))
        if at is None:
            continue
        if group == 1:
            signs.add(found[2] or b"|")
            yield at, Kind.MESSAGE
        elif found[3] in (b"FHS", b"BHS") or found[4] in signs:
            signs.add(found[4])
            yield at, Kind.ENVELOPE


def _joined(raw: bytes) -> Iterator[tuple[int, Kind]]:
    for found in _JOINED.finditer(raw):
        yield found.start(), Kind.MESSAGE


def _block_ends(raw: bytes) -> Iterator[tuple[int, Kind]]:
    for found in _BLOCK_END.finditer(raw):
        yield found.start(), Kind.OTHER


def _line_start(raw: bytes, at: int) -> int | None:
    """Where the line of a segment name at ``at`` begins for us: at the name, or at a byte-order mark before it.

    None: something else stands before it on the line.
    """
    begin = at - 3 if raw[max(at - 3, 0) : at] == charset.BOM else at
    before = begin
    while before > 0 and at - before < 64 and raw[before - 1] in b" \t\x00":
        before -= 1
    return begin if before == 0 or raw[before - 1] in _LINE_ENDS else None
