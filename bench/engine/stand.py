"""One PostgreSQL, one broker and one file of effects for all contestants, and the processes of whoever is running."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis

from bench import ground, memory
from bench.engine import effects
from clinic import embedded, processes
from clinic.embedded_servers import Servers, broker_plan, log_tail, wait_ready

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 60
STOP_SECONDS = 10


@dataclass
class Child:
    """One process with whatever it starts. ``ready``: words of its log that say that it works."""

    argv: tuple[str, ...]
    env: dict[str, str]
    ready: str
    log: Path
    process: subprocess.Popen[bytes]
    from_byte: int = 0


@dataclass
class Stand:
    var: Path
    servers: Servers
    effects: effects.Effects
    children: list[Child] = field(default_factory=list)
    append_only: bool = True

    # --- processes ---------------------------------------------------------------------------
    def start(self, *argv: str, ready: str, **env: str) -> Child:
        """``python ARGV`` in a session of its own; call ``until_ready`` then."""
        log = self.var / f"{len(list(self.var.glob('bench-*.log')))}.bench.log"
        log = log.with_name(f"bench-{log.name}")
        base = dict(os.environ) | {"PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "ignore", "LOG_LEVEL": "WARNING"}
        child = Child(argv, base | env, ready, log, self._launch(argv, base | env, log))
        self.children.append(child)
        return child

    def _launch(self, argv: Sequence[str], env: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            return processes.start(
                [sys.executable, *argv], env=env, cwd=ROOT, output=output, death_signal=signal.SIGKILL
            )

    def until_ready(self) -> None:
        until = time.monotonic() + START_SECONDS
        for child in self.children:
            while child.ready.encode() not in child.log.read_bytes()[child.from_byte :]:
                if child.process.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"{' '.join(child.argv)} did not start:\n{log_tail(child.log)}")
                time.sleep(0.02)

    def kill(self, child: Child) -> None:
        """KILL for the process and all of its own, at once."""
        processes.kill_group(child.process)
        child.process.wait()

    def again(self, child: Child) -> None:
        """As whatever supervises it would."""
        child.from_byte = child.log.stat().st_size
        child.process = self._launch(child.argv, child.env, child.log)

    def mend(self) -> None:
        """Start again whatever has ended by itself."""
        for child in self.children:
            if child.process.poll() is not None:
                processes.kill_group(child.process)
                self.again(child)

    def stop(self) -> None:
        """At once: whatever they have in their hands is not looked at any more."""
        for child in self.children:
            self.kill(child)
        self.children.clear()

    def megabytes(self, *children: Child) -> tuple[float, float]:
        """RSS and PSS of these and of all that they started."""
        sizes = []
        for child in children:
            for pid in memory.family(child.process.pid):
                with contextlib.suppress(OSError):
                    sizes.append(memory.kilobytes(pid))
        return sum(rss for rss, _ in sizes) / 1024, sum(pss for _, pss in sizes) / 1024

    # --- the broker --------------------------------------------------------------------------
    def restart_broker(self, *, append_only: bool | None = None) -> None:
        """Stopped by TERM and started again, with the append-only file or without one."""
        if append_only is not None:
            self.append_only = append_only
        place = self.servers.place
        plan = broker_plan(place, durable=self.append_only)
        processes.stop(self.servers.children["broker"], signal.SIGTERM, seconds=STOP_SECONDS)
        self.servers.launch(plan)
        wait_ready(plan, self.servers.children["broker"])
        while True:
            try:
                self.redis().ping()
                return
            except redis.BusyLoadingError:
                time.sleep(0.02)

    def redis(self) -> Any:
        return redis.Redis.from_url(embedded.client(broker_url()))


def broker_url() -> str:
    return embedded.broker("", embedded.var_dir())


def dsn() -> str:
    """The database in libpq's words."""
    entry = embedded.database("", embedded.var_dir())
    return f"dbname={entry['NAME']} user={entry['USER']} host={entry['HOST']} port={entry['PORT']}"


@contextlib.contextmanager
def standing() -> Iterator[Stand]:
    """Both servers, an empty migrated database, and Django in this process with the peer's app."""
    with ground.own_var() as var:
        os.environ["DJANGO_SETTINGS_MODULE"] = "bench.engine.settings"
        os.environ[effects.VARIABLE] = str(var / "effects")
        servers = Servers(var)
        servers.start()
        stand = Stand(var, servers, effects.Effects(var / "effects"))
        try:
            import django
            from django.core.management import call_command
            from django.db import connection

            django.setup()
            logging.getLogger().setLevel(logging.CRITICAL)
            call_command("migrate", interactive=False, verbosity=0)
            yield stand
            connection.close()
        finally:
            stand.stop()
            servers.stop()
