"""A laboratory's end of the line, and a listener in a thread of its own, for tests."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from procedures.interfaces.hl7 import listener
from procedures.interfaces.hl7.listener import Limits, Listener

SECONDS = 10.0
HERE = ("127.0.0.0/8",)


def message(number: str = "1", *, lines: str = "OBX|1|ST|X^Y^L||quiet||||||F\r", kind: str = "ORU^R01") -> bytes:
    head = f"MSH|^~\\&|LAB|GENERAL|TRACKER|CLINIC|20261120101500||{kind}|{number}|P|2.5.1\r"
    return f"{head}PID|1||000^^^CLINIC||TEST^NOBODY\rOBR|1||F{number}|X^Y^L\r{lines}".encode()


def framed(raw: bytes) -> bytes:
    return b"\x0b" + raw + b"\x1c\r"


class Laboratory:
    """One connection of a sender."""

    def __init__(self, port: int, *, tls: ssl.SSLContext | None = None) -> None:
        self.socket: socket.socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self._rest = b""

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self) -> bytes:
        """The next answer, without its frame; empty when the line was closed instead."""
        while b"\x1c\r" not in self._rest:
            try:
                data = self.socket.recv(65536)
            except (ConnectionError, ssl.SSLError):
                return b""
            if not data:
                return b""
            self._rest += data
        first, _, self._rest = self._rest.partition(b"\x1c\r")
        assert first.startswith(b"\x0b")
        return first[1:]

    def code(self) -> str:
        """AA, AE … of the next answer; empty when the line was closed instead."""
        found = self.answer().split(b"\rMSA|")
        return found[1][:2].decode() if len(found) > 1 else ""

    def end(self) -> None:
        """Nothing more will come; answers may."""
        self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> Laboratory:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def limits(**changed: Any) -> Limits:
    values = {"most_bytes": 100_000, "connections": 300, "idle": SECONDS, "block": SECONDS, "stall": SECONDS}
    return Limits(**{**values, "pause": 0.05, "bare_pause": 0.05, "stop": 5.0, **changed})


class Running:
    """A listener that runs. ``counts`` may be read at any time."""

    def __init__(self, bounds: Limits, allowed: tuple[str, ...], tls: ssl.SSLContext | None) -> None:
        self._bounds, self._allowed, self._tls = bounds, listener.networks(allowed), tls
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self.news: list[int] = []

    async def _run(self) -> None:
        self._end = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.listener = Listener(self._bounds, self._allowed, stored=lambda: self.news.append(1))
        self.port = await self.listener.start("127.0.0.1", 0, self._tls)
        self._ready.set()
        await self._end.wait()
        await self.listener.stop()

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(SECONDS)

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join(SECONDS)
            assert not self._thread.is_alive()

    @property
    def counts(self) -> listener.Counts:
        return self.listener.counts

    def laboratory(self, **more: Any) -> Laboratory:
        return Laboratory(self.port, **more)

    def eventually(self, true: Callable[[], bool]) -> bool:
        """Asks the listener's own thread until it is so, or ten seconds are over."""

        async def wait() -> bool:
            for _ in range(1000):
                if true():
                    return True
                await asyncio.sleep(0.01)
            return False

        return asyncio.run_coroutine_threadsafe(wait(), self._loop).result(SECONDS + 5)


@contextmanager
def listening(allowed: tuple[str, ...] = HERE, tls: ssl.SSLContext | None = None, **changed: Any) -> Iterator[Running]:
    running = Running(limits(**changed), allowed, tls)
    running.start()
    try:
        yield running
    finally:
        running.stop()
