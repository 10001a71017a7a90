"""A real SMTP server that can be told to be difficult, and what it received."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aiosmtpd.controller import Controller

#: An answer of :class:`Post`: it takes the mail, and closes the line without a word.
DROP = "drop"


def nothing() -> None:
    """What happens unless a test says otherwise."""


class Stop:
    """A point that the server's thread stops at, once, until the test lets it go on."""

    SECONDS = 20

    def __init__(self, *, after: int = 0) -> None:
        self._left = after
        self._here, self._go_on = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self._left -= 1
        if self._left < 0 and not self._go_on.is_set():
            self._here.set()
            self._go_on.wait(self.SECONDS)

    def wait(self) -> None:
        assert self._here.wait(self.SECONDS)

    def go_on(self) -> None:
        self._go_on.set()


class Post:
    """Answers what it is told to, then accepts; remembers what it accepted.

    ``on_hello``, ``on_sender`` and ``on_mail`` are called when somebody has said hello, has named the sender of a mail,
    and when a mail has been accepted and they do not know it yet.
    """

    def __init__(self) -> None:
        self.port = 0
        self.clear()

    def clear(self) -> None:
        self.answers: list[str] = []
        self.accepted: list[str] = []
        self.connections = 0
        self.on_hello: Callable[[], None] = nothing
        self.on_sender: Callable[[], None] = nothing
        self.on_mail: Callable[[], None] = nothing

    async def handle_EHLO(self, _server: Any, session: Any, _envelope: Any, hostname: str, responses: list[str]) -> Any:
        session.host_name = hostname
        self.connections += 1
        self.on_hello()
        return responses

    async def handle_MAIL(self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]) -> str:
        self.on_sender()
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:
        answer = self.answers.pop(0) if self.answers else ""
        if answer and answer != DROP:
            return answer
        self.accepted.append(envelope.content.decode())
        self.on_mail()
        if answer == DROP:
            server.transport.abort()
        return "250 OK"

    def message_ids(self) -> list[str]:
        lines = [line for mail in self.accepted for line in mail.splitlines()]
        return [line.partition(":")[2].strip() for line in lines if line.lower().startswith("message-id:")]

    def copies(self) -> Counter[str]:
        """How often each Message-ID came."""
        return Counter(self.message_ids())


@contextmanager
def running() -> Iterator[Post]:
    post = Post()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        post.port = probe.getsockname()[1]
    server = Controller(post, hostname="127.0.0.1", port=post.port)
    server.start()
    try:
        yield post
    finally:
        server.stop()
