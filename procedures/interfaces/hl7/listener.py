"""The laboratory connection: MLLP over TCP, with or without TLS.

A message is acknowledged when it is on the disk, and never before. When it cannot be kept (the database is away) it
is not answered: the line is closed, and the sender, who has it still, sends it again; an ``AE`` would tell many
senders to go on to the next one. Nothing beyond the header is read here.

Bounded whatever comes: so many connections, one block at a time of each, at most ``BIG_AT_ONCE`` blocks longer than
``SMALL_BYTES``, a time for a whole block and a shorter one for silence within it. Log lines have numbers and
addresses of computers, never what a message says.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import ssl
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from clinic import clock
from procedures.interfaces.hl7 import intake, mllp
from procedures.interfaces.hl7.intake import Judged, Origin
from procedures.interfaces.hl7.mllp import Block, Blocks, Broken, CutOff, TooLong
from procedures.interfaces.hl7.storer import NotKept, Storer
from procedures.models.inbound import InboundSource

logger = logging.getLogger(__name__)

CHUNK = 65_536
#: Below this a block needs no turn of its own.
SMALL_BYTES = 262_144
BIG_AT_ONCE = 4
#: So much of a block that is too long is passed over; then the line is closed.
PASSED_BYTES = 500_000_000
TLS_HELLO = b"\x16\x03"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Seconds and bytes; docs/operations.md explains each."""

    most_bytes: int
    connections: int
    idle: float  # between two blocks
    block: float  # for a whole block
    stall: float = 15.0  # of silence within a block; to take an answer; to greet by TLS
    pause: float = 1.0  # of silence after which a block that lacks its last byte is whole
    bare_pause: float = 3.0  # the same for a message without a frame
    stop: float = 10.0  # to finish what is in the works when we are asked to end


@dataclass
class Counts:
    """Since the start. ``refused`` by reason."""

    open: int = 0
    stored: int = 0
    again: int = 0  # the same bytes were here already
    acknowledged: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    last_message_at: datetime | None = None


@dataclass(eq=False)
class _Line:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    blocks: Blocks
    origin: Origin
    began: float = 0.0  # the block that is under way
    heard: float = 0.0
    big: bool = False
    busy: bool = False


class Listener:
    """``allowed``: networks that may connect. ``stored`` is called after each commit that brought something new."""

    def __init__(
        self, limits: Limits, allowed: Sequence[Network], *, stored: Callable[[], None] = lambda: None
    ) -> None:
        self.limits, self.allowed, self.stored = limits, allowed, stored
        self.counts = Counts()
        self.storer = Storer()
        self._lines: dict[asyncio.Task[Any], _Line] = {}
        self._big = asyncio.Semaphore(BIG_AT_ONCE)
        self._server: asyncio.Server | None = None
        self._tls: ssl.SSLContext | None = None
        self._stopping = False

    # --- start and stop --------------------------------------------------------------------
    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """The port that was taken. TLS begins after the look at the address, so that strangers get no handshake."""
        self._tls = tls
        self.storer.start()
        self._server = await asyncio.start_server(self._connected, host, port, limit=CHUNK, backlog=512)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """No new connection and no new block; what is being kept is kept and acknowledged."""
        self._stopping = True
        if self._server is not None:
            self._server.close()
        for task, line in list(self._lines.items()):
            if not line.busy:
                task.cancel()
        if self._lines:
            _done, left = await asyncio.wait(list(self._lines), timeout=self.limits.stop)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
        await self.storer.stop()

    # --- a connection ----------------------------------------------------------------------
    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """No ``await`` before TLS begins: the greeting must not be read as text."""
        peer = str((writer.get_extra_info("peername") or ("unknown",))[0])
        why = self._turned_away(peer)
        if why:
            self._refuse(why, peer)
            writer.transport.abort()
            return
        task = asyncio.current_task()
        assert task is not None
        blocks = Blocks(self.limits.most_bytes)
        line = _Line(reader, writer, blocks, Origin(InboundSource.MLLP, peer), heard=time.monotonic())
        self._lines[task] = line
        self.counts.open = len(self._lines)
        try:
            if self._tls is not None:
                await writer.start_tls(self._tls, ssl_handshake_timeout=self.limits.stall)
            await self._serve(line)
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:  # ssl.SSLError is an OSError
            self._refuse("broken_line", peer, type(error).__name__)
        except asyncio.CancelledError:  # we are asked to end
            pass
        except Exception as error:  # one line must not end the others; its words might hold content
            self._refuse("fault", peer, type(error).__name__)
        finally:
            del self._lines[task]
            self.counts.open = len(self._lines)
            self._let_go(line)
            _close(writer)

    def _turned_away(self, peer: str) -> str:
        if self._stopping:
            return "stopping"
        try:
            address = ipaddress.ip_address(peer.partition("%")[0])
        except ValueError:
            return "not_allowed"
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        if not any(address in network for network in self.allowed):
            return "not_allowed"
        return "too_many" if len(self._lines) >= self.limits.connections else ""

    def _refuse(self, why: str, peer: str, detail: str = "") -> None:
        self.counts.refused[why] += 1
        logger.warning("inbound refused why=%s peer=%s %s", why, peer, detail)

    # --- reading ---------------------------------------------------------------------------
    async def _serve(self, line: _Line) -> None:
        fresh = True
        while not self._stopping:
            data = await self._read(line)
            if data is None:
                if not await self._silent(line):
                    return
                continue
            if not data:
                await self._ended(line)
                return
            if fresh and self._tls is None and data.startswith(TLS_HELLO):
                self._refuse("tls_to_plain_port", line.origin.peer)
                return
            fresh = False
            for event in line.blocks.feed(data):
                if not await self._take(line, event):
                    return
            if not self._in_time(line):
                return
            await self._room(line)

    async def _read(self, line: _Line) -> bytes | None:
        """What came; empty at the end of the connection, None after a silence that is to be looked at."""
        limits, blocks = self.limits, line.blocks
        wait = limits.idle
        if blocks.begun:
            wait = min(limits.stall, max(0.0, line.began + limits.block - time.monotonic()))
            if blocks.may_be_whole or blocks.bare:
                wait = min(wait, limits.bare_pause if blocks.bare else limits.pause)
        try:
            async with asyncio.timeout(wait):
                data = await line.reader.read(CHUNK)
        except TimeoutError:
            return None
        line.heard = time.monotonic()
        if not blocks.begun:
            line.began = line.heard
        return data

    async def _silent(self, line: _Line) -> bool:
        """Nothing came for a while: something is whole now, or the line is closed."""
        if not line.blocks.begun:
            logger.info("inbound idle line closed peer=%s", line.origin.peer)
            return False
        event = line.blocks.quiet()
        if event is not None:
            return await self._take(line, event)
        return self._may_go_on(line)

    def _may_go_on(self, line: _Line) -> bool:
        """Within a block, after a silence."""
        if not line.blocks.begun:
            return True
        if not self._in_time(line):
            return False
        if time.monotonic() - line.heard < self.limits.stall:
            return True
        self._refuse("stalled", line.origin.peer, f"bytes={line.blocks.size}")
        return False

    def _in_time(self, line: _Line) -> bool:
        """A sender that drips has no more time for a block than one that is silent."""
        if not line.blocks.begun:
            return True
        if line.blocks.passed > PASSED_BYTES:
            self._refuse("endless", line.origin.peer)
            return False
        if time.monotonic() - line.began > self.limits.block:
            self._refuse("too_slow", line.origin.peer, f"bytes={line.blocks.size}")
            return False
        return True

    async def _room(self, line: _Line) -> None:
        """A big block waits for its turn, unread: its sender waits too. The time does not count against it."""
        if not line.big and line.blocks.size > SMALL_BYTES:
            before = time.monotonic()
            await self._big.acquire()
            line.big = True
            line.began += time.monotonic() - before

    def _let_go(self, line: _Line) -> None:
        if line.big:
            line.big = False
            self._big.release()

    async def _ended(self, line: _Line) -> None:
        event = line.blocks.close()
        if event is not None:
            await self._take(line, event)

    # --- keeping and answering -------------------------------------------------------------
    async def _take(self, line: _Line, event: mllp.Event) -> bool:
        """False: the line is to be closed."""
        line.busy = True
        try:
            return await self._kept_and_answered(line, event)
        finally:
            line.busy = False
            line.began = time.monotonic()
            self._let_go(line)

    async def _kept_and_answered(self, line: _Line, event: mllp.Event) -> bool:
        raw, judged = await self._judge(line, event)
        if not judged:
            return True
        arrivals = [one.arrival for one in judged if one.arrival is not None]
        if arrivals and not await self._keep(line, arrivals):
            return False
        self._count(line, judged)
        answers = intake.answers(raw, judged, at=clock.real_now())
        for answer in answers:
            line.writer.write(mllp.VT + answer + mllp.FS + b"\r")
        async with asyncio.timeout(self.limits.stall):
            await line.writer.drain()
        self.counts.acknowledged += len(answers)
        # Whoever says something else than messages is not listened to any longer.
        return not (isinstance(event, Block) and event.bare and all(one.reason for one in judged))

    async def _judge(self, line: _Line, event: mllp.Event) -> tuple[bytes, list[Judged]]:
        limit = self.limits.most_bytes
        match event:
            case CutOff():
                self._refuse("cut_off", line.origin.peer, f"bytes={event.size}")
                return b"", []
            case Broken():
                return event.raw, [intake.broken(event.raw, line.origin)]
            case TooLong():
                return event.head, [intake.too_long(event.head, line.origin, limit=limit)]
        if len(event.raw) < CHUNK:
            return event.raw, intake.take_apart(event.raw, line.origin, limit=limit)
        return event.raw, await asyncio.to_thread(intake.take_apart, event.raw, line.origin, limit=limit)

    async def _keep(self, line: _Line, arrivals: list[Any]) -> bool:
        try:
            kept = await self.storer.keep(arrivals)
        except NotKept as error:
            self._refuse("not_stored", line.origin.peer, str(error))
            return False
        new = sum(one.is_new for one in kept)
        self.counts.stored += new
        self.counts.again += len(kept) - new
        if new:
            self.stored()
        return True

    def _count(self, line: _Line, judged: list[Judged]) -> None:
        if any(one.reason is None for one in judged):
            self.counts.last_message_at = clock.real_now()
        for one in judged:
            if one.reason is not None:
                self._refuse("no_message", line.origin.peer, f"bytes={len(one.raw)}")


def _close(writer: asyncio.StreamWriter) -> None:
    """What was answered goes out; nobody waits for the other side."""
    if not writer.transport.is_closing():
        writer.close()


def networks(addresses: Sequence[str]) -> list[Network]:
    """Addresses and networks as people write them; raises ValueError with the one that is neither."""
    return [ipaddress.ip_network(address, strict=False) for address in addresses]


def tls(certificate: str, key: str, client_ca: str = "") -> ssl.SSLContext:
    """With ``client_ca`` only senders with a certificate of it come in."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key or None)
    if client_ca:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
