"""What every measurement stands on: a throw-away database, the machine in words, and numbers in a table."""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("Django", "psycopg", "celery", "gunicorn")


@contextlib.contextmanager
def own_var(prefix: str = "pt-bench-") -> Iterator[Path]:
    """A ``var`` of this measurement alone, named in the environment; nothing of the caller's shell leads elsewhere."""
    root = Path("/tmp") if os.access("/tmp", os.W_OK) else Path(tempfile.gettempdir())
    var = Path(tempfile.mkdtemp(prefix=prefix, dir=root))
    var.chmod(0o711)  # the bundled servers may run as another user
    for name in ("DATABASE_URL", "DATABASE_URL_FILE", "REDIS_URL", "REDIS_URL_FILE", "PRODUCTION", "EMAIL_BACKEND"):
        os.environ.pop(name, None)
    os.environ |= {"VAR_DIR": str(var), "DJANGO_SETTINGS_MODULE": "clinic.settings", "DEBUG": "0"}
    try:
        yield var
    finally:
        from clinic import embedded

        shutil.rmtree(embedded.socket_dir(var), ignore_errors=True)
        shutil.rmtree(var, ignore_errors=True)


@contextlib.contextmanager
def throw_away() -> Iterator[None]:
    """Django on an empty, migrated PostgreSQL that waits for its disk like a real one, and that is gone afterwards."""
    with own_var() as var:
        from clinic.embedded_servers import Servers

        servers = Servers(var)
        servers.start()
        try:
            import django
            from django.core.management import call_command
            from django.db import connection

            django.setup()
            logging.getLogger().setLevel(logging.ERROR)
            call_command("migrate", interactive=False, verbosity=0)
            yield
            connection.close()
        finally:
            servers.stop()


# --- the machine ---------------------------------------------------------------------------
def machine() -> str:
    """One line: when, on what, how busy it was already, with which versions."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {_cores()} cores, {_processor()}, {_memory():.0f} GB; "
        f"load {os.getloadavg()[0]:.1f}; {platform.system()} {platform.release()}; "
        f"Python {platform.python_version()}, {packages}"
    )


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _memory() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


# --- numbers -------------------------------------------------------------------------------
def timed(work: Callable[[], object], *, times: int, warm: int = 3) -> list[float]:
    """Milliseconds of each call, after ``warm`` calls that do not count."""
    for _ in range(warm):
        work()
    found = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        found.append((time.perf_counter() - began) * 1000)
    return found


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def p95(values: Sequence[float]) -> float:
    """The value that 95 of 100 do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-95 * len(ordered) // 100) - 1)]


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table: the first column left, the others right."""
    cells = [list(head), *[[_cell(value) for value in row] for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = [_line(row, widths) for row in cells]
    rule = "|" + "|".join("-" * (w + 2) if i == 0 else "-" * (w + 1) + ":" for i, w in enumerate(widths)) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def _cell(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [text.ljust(w) if i == 0 else text.rjust(w) for i, (text, w) in enumerate(zip(row, widths, strict=True))]
    return "| " + " | ".join(cells) + " |"
