"""The listener and whoever reads are killed at any moment: every acknowledged message is kept and applied once."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from queue import Empty, SimpleQueue
from typing import IO, Any, NoReturn

import pytest
from django.core.management import call_command

from clinic import clock
from procedures.interfaces.hl7 import intake, mllp, waiting
from procedures.interfaces.hl7.listener import Listener
from procedures.models import InboundMessage
from tests import processes
from tests.inbound import work
from tests.inbound.line import Laboratory, framed, listening
from tests.workers import Child

pytestmark = pytest.mark.django_db(transaction=True)

SENDERS = 4
#: Nothing here takes so long; a test that waits for something that never comes ends all the same.
WATCHDOG_SECONDS = 900


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class ListenerProcess:
    """``manage.py receive_results``, killed by KILL and started again on the same port."""

    def __init__(self) -> None:
        self.port = free_port()
        self.environment = processes.environment(LOG_LEVEL="INFO")
        self.start()

    def start(self) -> None:
        command = ["manage.py", "receive_results", "--port", str(self.port)]
        self.process = subprocess.Popen(
            ["timeout", "--foreground", "-s", "KILL", str(WATCHDOG_SECONDS), sys.executable, *command],
            cwd=processes.ROOT,
            env=self.environment,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.process.stderr is not None
        seen = []
        for line in self.process.stderr:  # it says when it listens
            seen.append(line)
            if "inbound listening" in line:
                break
        else:
            raise AssertionError("".join(seen))
        self.drain = threading.Thread(target=_drain, args=(self.process.stderr,))
        self.drain.start()

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.drain.join()

    def again(self) -> None:
        self.kill()
        self.start()

    def end(self) -> int:
        """Asked to stop, once (``timeout`` hands it on); its exit code. A second time would find nobody to answer."""
        os.kill(self.process.pid, signal.SIGTERM)
        return self.process.wait(30)


def _drain(stream: IO[str]) -> None:
    with stream:
        for _ in stream:
            pass


#: Until its standard input ends: what a worker does when it is told to look.
READ = """
import django, select, sys
django.setup()
from procedures.interfaces.hl7 import waiting
while not select.select([sys.stdin], [], [], 0.02)[0]:
    waiting.read_waiting()
"""


class ReaderProcess:
    """Reads what is stored, again and again, in a process that can be killed."""

    def __init__(self) -> None:
        self.environment = processes.environment()
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", READ],
            cwd=processes.ROOT,
            env=self.environment,
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def again(self) -> None:
        self.kill()
        self.start()


class Senders:
    """Several lines of a laboratory that sends each message until it is acknowledged, as laboratories do."""

    def __init__(self, port: int, raws: list[bytes], acknowledged: Callable[[], None]) -> None:
        self.port, self.acknowledged = port, acknowledged
        self.left: SimpleQueue[bytes] = SimpleQueue()
        for raw in raws:
            self.left.put(raw)
        self.stopped = threading.Event()
        self.sent_again = 0
        self.threads = [threading.Thread(target=self._send_all) for _ in range(SENDERS)]

    def run(self) -> None:
        for thread in self.threads:
            thread.start()

    def join(self) -> None:
        for thread in self.threads:
            thread.join(WATCHDOG_SECONDS)

    def _send_all(self) -> None:
        line: Laboratory | None = None
        while not self.stopped.is_set():
            try:
                raw = self.left.get_nowait()
            except Empty:
                break
            while not self.stopped.is_set():
                try:
                    line = line or Laboratory(self.port)
                    line.send(framed(raw))
                    if line.code() == "AA":
                        self.acknowledged()
                        break
                except OSError:
                    self.stopped.wait(0.05)  # nobody listens just now
                self.sent_again += 1
                if line is not None:
                    line.close()
                line = None
        if line is not None:
            line.close()


@pytest.fixture
def listener() -> Iterator[ListenerProcess]:
    process = ListenerProcess()
    yield process
    process.kill()


class Killer:
    """Kills listener and reader in turn, after acknowledgements that chance names, while others are under way."""

    def __init__(self, victims: tuple[ListenerProcess, ReaderProcess], count: int, kills: int) -> None:
        self.victims, self.kills, self.acknowledged = victims, 0, 0
        self.moments = sorted(secrets.SystemRandom().sample(range(2, count - SENDERS), kills))
        self._lock = threading.Lock()

    def tick(self) -> None:
        with self._lock:
            self.acknowledged += 1
            if not self.moments or self.acknowledged != self.moments[0]:
                return
            self.moments.pop(0)
            self.kills += 1
            self.victims[self.kills % 2].again()


def every_acknowledged_message_is_applied_once(
    listener: ListenerProcess, note: Callable[[str, object], None], *, count: int, kills: int
) -> None:
    raws = work.messages(count)
    reader = ReaderProcess()
    killer = Killer((listener, reader), count, kills)
    senders = Senders(listener.port, raws, killer.tick)
    try:
        senders.run()
        senders.join()
    finally:
        senders.stopped.set()
        reader.kill()
    assert (killer.acknowledged, killer.kills) == (count, kills)
    assert listener.end() == 0
    while InboundMessage.objects.filter(state="stored").exists():  # what the killed left
        assert waiting.read_waiting()["read"]
    found = work.wrong(raws)
    note("faults", [count, max(0, found.other_results), found.lost])
    assert not found, found
    assert InboundMessage.objects.count() == count


# --- between the commit and the acknowledgement ---------------------------------------------------


def listening_until_killed(port: int) -> Child:
    """The laboratory connection in a process of its own, as ``manage.py receive_results`` runs it."""
    child = Child(partial(call_command, "receive_results", "--port", str(port)), once=True)
    for _ in range(1000):
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return child
        threading.Event().wait(0.01)
    raise AssertionError("it never listened")


def die(*_args: Any, **_kwargs: Any) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")


def answer_to(port: int, raw: bytes) -> str:
    with Laboratory(port) as line:
        line.send(framed(raw))
        return line.code()


def test_a_listener_killed_between_commit_and_acknowledgement_applies_what_is_sent_again_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (raw,) = work.messages(1)
    port = free_port()
    with monkeypatch.context() as patch:
        patch.setattr(intake, "answers", die)  # stored, and about to say so
        child = listening_until_killed(port)
    assert answer_to(port, raw) == ""
    child.wait_killed()
    assert InboundMessage.objects.count() == 1
    with listening() as running:
        assert answer_to(running.port, raw) == "AA"  # the laboratory, which heard nothing, sends it again
        assert (running.counts.stored, running.counts.again) == (0, 1)
    waiting.read_waiting()
    assert not work.wrong([raw])


def test_a_listener_that_acknowledged_before_the_commit_would_lose_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin: the laboratory is content and sends nothing again."""

    async def answer_first(self: Listener, line: Any, event: Any) -> bool:
        raw, judged = await self._judge(line, event)
        for answer in intake.answers(raw, judged, at=clock.real_now()):
            line.writer.write(mllp.VT + answer + mllp.FS + b"\r")
        await line.writer.drain()
        die()

    (raw,) = work.messages(1)
    port = free_port()
    with monkeypatch.context() as patch:
        patch.setattr(Listener, "_kept_and_answered", answer_first)
        child = listening_until_killed(port)
    assert answer_to(port, raw) == "AA"
    child.wait_killed()
    assert work.wrong([raw]).lost == 1


# --- at any moment --------------------------------------------------------------------------------


def test_three_kills_among_a_hundred_messages_lose_nothing_and_double_nothing(
    listener: ListenerProcess, record_property: Callable[[str, object], None]
) -> None:
    every_acknowledged_message_is_applied_once(listener, record_property, count=100, kills=3)


@pytest.mark.proof
def test_fifty_kills_among_two_thousand_messages_lose_nothing_and_double_nothing(
    listener: ListenerProcess, record_property: Callable[[str, object], None]
) -> None:
    every_acknowledged_message_is_applied_once(listener, record_property, count=2000, kills=50)
