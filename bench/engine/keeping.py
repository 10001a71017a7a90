"""The effect as a peer's task has it: the line, and, when asked, the rows that this engine leaves for a reminder."""

from __future__ import annotations

import os
import threading
from functools import cache
from typing import Any

from bench.engine import effects, floor
from bench.engine.stand import dsn

#: In a worker's environment: its effects leave the engine's rows.
KEEP = "BENCH_KEEP"


def have(item: int) -> None:
    """The record first, as the engine claims first; its commit waits for the disk."""
    if os.environ.get(KEEP):
        floor.keep(_connection(os.getpid(), threading.get_ident()), item)
    effects.record(item)


@cache
def _connection(_process: int, _thread: int) -> Any:
    import psycopg

    return psycopg.connect(dsn(), autocommit=True)
