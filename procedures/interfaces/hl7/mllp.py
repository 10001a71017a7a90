"""Blocks of the Minimal Lower Layer Protocol cut out of a stream of bytes. Pure: no socket, no clock.

A block is ``VT … FS CR``. The stream reader of the ``hl7`` package is strict about that and lenient about everything
else (it answers a block without an end with a closed connection, drops what is too long without a word, and knows no
time limit), so the cutting is here and the limits are the listener's. Senders that end a block with ``FS LF`` or
with ``FS`` alone, that begin the next block without having ended the last one, or that use no blocks at all, are
understood; what was cut off is never taken for a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

VT, FS = b"\x0b", b"\x1c"
LINE_ENDS = (b"\r", b"\n")
#: How much is kept of what is too long: the header is in it.
HEAD_BYTES = 65_536
#: Between blocks these mean nothing.
NOTHING = re.compile(rb"[\r\n\t \0\x1c]*")
BLOCK_END = re.compile(rb"\x1c[\r\n\x0b]|\x0b(?=MSH|FHS|BHS)")
BARE_END = re.compile(rb"\x1c|\x0b")
#: The longest beginning of an end that the next bytes may complete.
TAIL = 4


@dataclass(frozen=True)
class Block:
    """Something whole, as far as the sender's framing says. ``bare``: it came without a frame."""

    raw: bytes
    bare: bool = False


@dataclass(frozen=True)
class Broken:
    """It was cut off, and may lack its end: the next block began before, or a bare one ended within a line."""

    raw: bytes


@dataclass(frozen=True)
class TooLong:
    """The beginning of a block that is longer than the limit; the rest is passed over."""

    head: bytes


@dataclass(frozen=True)
class CutOff:
    """The connection ended within a block. It was not acknowledged: the sender has it still."""

    size: int


Event = Block | Broken | TooLong | CutOff


class _In(Enum):
    NOTHING = auto()
    BLOCK = auto()
    BARE = auto()
    PASSING = auto()  # the rest of a block that is too long
    PASSING_BARE = auto()


class Blocks:
    """Feed it what arrives; it gives what became whole. It holds no more than ``limit`` bytes and one piece more."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.passed = 0  # bytes of a block that is too long
        self._buffer = bytearray()
        self._looked = 0  # nothing ends before here
        self._in = _In.NOTHING

    @property
    def begun(self) -> bool:
        """Within a block."""
        return self._in is not _In.NOTHING

    @property
    def bare(self) -> bool:
        return self._in in {_In.BARE, _In.PASSING_BARE}

    @property
    def size(self) -> int:
        return len(self._buffer)

    @property
    def may_be_whole(self) -> bool:
        """Silence would end it: its last byte ends a block, or it has no frame."""
        return self._in is _In.BARE or (self._in is _In.BLOCK and self._buffer.endswith(FS))

    def feed(self, data: bytes) -> Iterator[Event]:
        """Every block that ends in ``data``. Take all of them before the next call."""
        self._buffer += data
        while (event := self._next()) is not None:
            yield event

    def quiet(self) -> Event | None:
        """The sender says no more for now, and waits for an answer."""
        if self._in is _In.PASSING_BARE:
            self._reset(len(self._buffer))
        return self._whole() if self.may_be_whole else None

    def close(self) -> Event | None:
        """The connection has ended."""
        if self.may_be_whole:
            return self._whole()
        left = CutOff(len(self._buffer)) if self._in is _In.BLOCK else None
        self._reset(len(self._buffer))
        return left

    # --- inside ----------------------------------------------------------------------------
    def _whole(self) -> Event:
        """What stands in the buffer is all that will come of it."""
        size = len(self._buffer)
        return self._take(size, size) if self.bare else self._take(size - 1, size)

    def _next(self) -> Event | None:
        if self._in is _In.NOTHING and not self._begin():
            return None
        end = (BARE_END if self.bare else BLOCK_END).search(self._buffer, self._looked)
        if end is None:
            return self._more()
        first, last = end.span()
        begins_next = end.group().endswith(VT)  # it stays
        restarted = end.group() == VT
        if self._in in {_In.PASSING, _In.PASSING_BARE}:
            self._reset(last - begins_next)
            return self._next()
        return self._take(first, last - begins_next, broken=restarted and not self.bare)

    def _begin(self) -> bool:
        """Whether something begins in the buffer."""
        self._reset(NOTHING.match(self._buffer).end())  # type: ignore[union-attr]  # it matches nothing as well
        if not self._buffer:
            return False
        framed = self._buffer.startswith(VT)
        self._in = _In.BLOCK if framed else _In.BARE
        if framed:
            del self._buffer[:1]
        return True

    def _more(self) -> Event | None:
        """Nothing ends here yet."""
        size = len(self._buffer)
        self._looked = max(0, size - TAIL)
        found: Event | None = None
        if self._in in {_In.BLOCK, _In.BARE}:
            if size <= self.limit:
                return None
            found = TooLong(bytes(self._buffer[:HEAD_BYTES]))
            self._in, self.passed = _In.PASSING_BARE if self.bare else _In.PASSING, 0
        self.passed += self._looked
        del self._buffer[: self._looked]
        self._looked = 0
        return found

    def _take(self, until: int, drop: int, *, broken: bool = False) -> Event:
        raw, bare = bytes(self._buffer[:until]), self.bare
        self._reset(drop)
        if len(raw) > self.limit:
            return TooLong(raw[:HEAD_BYTES])
        if broken or (bare and not raw.endswith(LINE_ENDS)):
            return Broken(raw)
        return Block(raw, bare)

    def _reset(self, drop: int) -> None:
        del self._buffer[:drop]
        self._looked = 0
        self._in = _In.NOTHING
