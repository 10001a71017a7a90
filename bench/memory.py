"""Memory of everything that ``make run`` starts: web, worker, beat, database, broker, and the supervisor.

RSS counts what processes share once for each of them; PSS counts it once in all. Linux only.
"""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
import urllib.request
from collections import defaultdict
from pathlib import Path

from bench import ground

START_SECONDS = 180
SETTLE_SECONDS = 30
REQUESTS = 200
#: What a command line says of its process; the first that matches.
PARTS = (
    ("supervisor", "clinic.supervisor"),
    ("web (gunicorn)", "gunicorn"),
    ("worker (celery)", "clinic --quiet worker"),
    ("beat (celery)", "clinic --quiet beat"),
    ("database (PostgreSQL)", "postgres"),
    ("broker (Valkey)", "valkey"),
)


def main(*, quick: bool = False) -> int:
    if not Path("/proc/self/smaps_rollup").exists():
        print("Needs /proc/PID/smaps_rollup (Linux).")
        return 1
    with ground.own_var() as var:
        env = dict(os.environ) | {"DEMO": "1", "PORT": "8600", "VAR_DIR": str(var), "PYTHONUNBUFFERED": "1"}
        child = subprocess.Popen(
            [sys.executable, "-m", "clinic.supervisor"], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        try:
            site, seconds = _welcome(child)
            _ask(site, 20 if quick else REQUESTS)
            _drain(child, 3 if quick else SETTLE_SECONDS)
            _report(child.pid, seconds)
        finally:
            child.send_signal(signal.SIGINT)
            child.communicate(timeout=60)
    return 0


def _welcome(child: subprocess.Popen[bytes]) -> tuple[str, float]:
    """The address, once it answers, and how long the first start took (database made, migrated, demonstration)."""
    began = time.monotonic()
    said = b""
    assert child.stdout is not None
    while time.monotonic() - began < START_SECONDS and child.poll() is None:
        if select.select([child.stdout], [], [], 1)[0]:
            said += os.read(child.stdout.fileno(), 65536)
        if found := re.search(rb"Running at (\S+)", said):
            return found[1].decode(), time.monotonic() - began
    raise SystemExit(f"make run did not come up:\n{said.decode(errors='replace')[-2000:]}")


def _ask(site: str, times: int) -> None:
    """Every thread of the web has worked, so that what is measured is not a fresh process."""
    for _ in range(times):
        with urllib.request.urlopen(f"{site}/accounts/login/", timeout=10) as response:
            response.read()


def _drain(child: subprocess.Popen[bytes], seconds: float) -> None:
    """Let worker and beat work for a while; read what they say, so that no pipe is full."""
    until = time.monotonic() + seconds
    assert child.stdout is not None
    while time.monotonic() < until:
        if select.select([child.stdout], [], [], 0.5)[0]:
            os.read(child.stdout.fileno(), 65536)


def _report(root: int, seconds: float) -> None:
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for pid in _family(root):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            found[_part(command)].append(_kilobytes(pid))
        except OSError:
            continue  # it has ended meanwhile
    rows = [
        (part, len(found[part]), sum(r for r, _ in found[part]) / 1024, sum(p for _, p in found[part]) / 1024)
        for part in [*[name for name, _ in PARTS], "other"]
        if part in found
    ]
    total = ("everything", sum(row[1] for row in rows), sum(row[2] for row in rows), sum(row[3] for row in rows))
    print(f"First start in {seconds:.1f} s; measured after {REQUESTS} requests and {SETTLE_SECONDS} s; megabytes\n")
    print(ground.table(("part", "processes", "RSS", "PSS"), [*rows, total]))


def _part(command: str) -> str:
    return next((name for name, word in PARTS if word in command), "other")


def _family(root: int) -> list[int]:
    """The process and everything that descends from it."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            children[int(stat.rpartition(")")[2].split()[1])].append(int(entry.name))
    family, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        family.append(pid)
        waiting += children[pid]
    return family


def _kilobytes(pid: int) -> tuple[int, int]:
    """RSS and PSS."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()[1:]
    values = dict(line.split(":", 1) for line in lines)
    return int(values["Rss"].split()[0]), int(values["Pss"].split()[0])
