"""Everything that ``make run`` starts, for as long as somebody looks at it: own servers, own data, own port."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench import ground

START_SECONDS = 300
STOP_SECONDS = 60


@dataclass
class Stack:
    """``site``: its address; ``pid``: the supervisor's; ``seconds``: how long the first start took."""

    site: str
    pid: int
    seconds: float
    var: Path
    said: list[str] = field(default_factory=list)


@contextlib.contextmanager
def running() -> Iterator[Stack]:
    """A demonstration with its data; stopped and removed afterwards."""
    with ground.own_var() as var:
        env = dict(os.environ) | {"DEMO": "1", "PORT": str(_free_port()), "PYTHONUNBUFFERED": "1"}
        env.pop("DJANGO_SETTINGS_MODULE", None)
        began = time.monotonic()
        child = subprocess.Popen(
            [sys.executable, "-m", "clinic.supervisor"], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        try:
            said: list[str] = []
            up = threading.Event()
            threading.Thread(target=_listen, args=(child, said, up), daemon=True).start()
            if not up.wait(START_SECONDS) or not (found := _address(said)):
                raise SystemExit("The demonstration did not come up:\n" + "\n".join(said[-30:]))
            yield Stack(found, child.pid, time.monotonic() - began, var, said)
        finally:
            child.send_signal(signal.SIGINT)
            child.wait(STOP_SECONDS)


def _listen(child: subprocess.Popen[bytes], said: list[str], up: threading.Event) -> None:
    """Everything it says, to the end: a full pipe would stop it."""
    assert child.stdout is not None
    for line in child.stdout:
        said.append(line.decode(errors="replace").rstrip())
        if _address(said[-1:]):
            up.set()
    up.set()


def _address(said: list[str]) -> str:
    return next((found[1] for line in said if (found := re.search(r"Running at (\S+)", line))), "")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
