"""Memory of everything that ``make run`` starts: web, worker, beat, database, broker, and the supervisor.

RSS counts what processes share once for each of them; PSS counts it once in all. Linux only.
"""

from __future__ import annotations

import time
import urllib.request
from collections import defaultdict
from pathlib import Path

from bench import ground
from bench.stack import running

SETTLE_SECONDS = 60
REQUESTS = 200
#: What a command line says of its process; the first that matches.
PARTS = (
    ("supervisor", "clinic.supervisor"),
    ("web (gunicorn)", "gunicorn"),
    ("worker (celery)", "clinic --quiet worker"),
    ("beat (celery)", "clinic --quiet beat"),
    ("listener", "receive_results"),
    ("database (PostgreSQL)", "postgres"),
    ("broker (Valkey)", "valkey"),
)


def main(*, quick: bool = False) -> int:
    if not Path("/proc/self/smaps_rollup").exists():
        print("Needs /proc/PID/smaps_rollup (Linux).")
        return 1
    requests, settle = (20, 3) if quick else (REQUESTS, SETTLE_SECONDS)
    with running() as stack:
        for _ in range(requests):  # every thread has worked: what is measured is no fresh process
            with urllib.request.urlopen(f"{stack.site}/accounts/login/", timeout=10) as response:
                response.read()
        time.sleep(settle)  # worker and beat have worked for a while
        print(f"First start in {stack.seconds:.1f} s; after {requests} requests and {settle} s; megabytes\n")
        print(_report(stack.pid))
    return 0


def _report(root: int) -> str:
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for pid in family(root):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            found[_part(command)].append(kilobytes(pid))
        except OSError:
            continue  # it has ended meanwhile
    rows = [
        (part, len(found[part]), sum(r for r, _ in found[part]) / 1024, sum(p for _, p in found[part]) / 1024)
        for part in [*[name for name, _ in PARTS], "other"]
        if part in found
    ]
    total = ("everything", sum(row[1] for row in rows), sum(row[2] for row in rows), sum(row[3] for row in rows))
    return ground.table(("part", "processes", "RSS", "PSS"), [*rows, total])


def _part(command: str) -> str:
    return next((name for name, word in PARTS if word in command), "other")


def family(root: int) -> list[int]:
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


def kilobytes(pid: int) -> tuple[int, int]:
    """RSS and PSS."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()[1:]
    values = dict(line.split(":", 1) for line in lines)
    return int(values["Rss"].split()[0]), int(values["Pss"].split()[0])
