"""Processes that work, and that can be killed: a real Celery worker, and children that do one thing again and again."""

from __future__ import annotations

import faulthandler
import os
import select
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import redis
from django.db import connections

from clinic import celery, embedded
from clinic.processes import die_with_parent
from tests import processes

WATCHDOG_SECONDS = 60


# --- Celery ---------------------------------------------------------------------------------------


def start_worker(settings: Any, seconds: int = WATCHDOG_SECONDS, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A worker process on the test's database and broker. It is killed after so many ``seconds``."""
    redis.Redis.from_url(embedded.client(settings.REDIS_URL)).delete(*celery.queue_names())
    command = ["-m", "celery", "-A", "clinic", "worker", "--loglevel", "INFO", "--without-gossip"]
    process = subprocess.Popen(
        ["timeout", str(seconds), sys.executable, *command, "--without-mingle"],
        cwd=processes.ROOT,
        env=processes.environment(**environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    yield process
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=WATCHDOG_SECONDS)


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """The worker's log up to and with the line that contains ``words``."""
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if words in line:
            return "".join(seen)
    raise AssertionError(f"{words!r} never came:\n{''.join(seen)}")


# --- children -------------------------------------------------------------------------------------


class Child:
    """A process that does ``work`` again and again until it is told to end, or is killed; or ``once``.

    A fork of the test's own process, with connections of its own: it is there at once.
    """

    def __init__(self, work: Callable[[], object], *, once: bool = False) -> None:
        connections.close_all()  # a child must not share a connection with us
        listen, self._tell = os.pipe()
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            _live(work, listen, parent, once)
        os.close(listen)

    def kill(self) -> None:
        """``kill -9``; returns when it is dead."""
        os.kill(self.pid, signal.SIGKILL)
        self.wait_killed()

    def wait_killed(self) -> None:
        """Until it is dead, by somebody's ``kill -9`` and by nothing else."""
        status = self._wait()
        assert os.WIFSIGNALED(status), f"ended by itself with {os.waitstatus_to_exitcode(status)}"
        assert os.WTERMSIG(status) == signal.SIGKILL

    def end(self) -> None:
        """When what it does just now is done; it must not have failed."""
        os.write(self._tell, b"!")
        self.wait()

    def wait(self) -> None:
        """Until it has ended by itself, without a fault."""
        assert os.waitstatus_to_exitcode(self._wait()) == 0

    def _wait(self) -> int:
        _pid, status = os.waitpid(self.pid, 0)
        os.close(self._tell)
        return status


def _live(work: Callable[[], object], listen: int, parent: int, once: bool) -> NoReturn:
    code = 1
    try:
        die_with_parent(signal.SIGKILL, parent)
        assert not any(one.connection for one in connections.all(initialized_only=True)), "a connection is shared"
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        faulthandler.dump_traceback_later(WATCHDOG_SECONDS - 5, file=sys.__stderr__)
        signal.alarm(WATCHDOG_SECONDS)  # a test that waits for something that never comes ends all the same
        while once or not select.select([listen], [], [], 0.002)[0]:
            work()
            if once:
                break
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)
