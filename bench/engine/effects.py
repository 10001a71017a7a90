"""What every contestant does when a promise is due: one line in one file. And how such lines are counted."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.core.mail.backends.base import BaseEmailBackend

#: Names the file; of every process that is measured.
VARIABLE = "BENCH_EFFECTS"
#: Promises of this engine stand from here on, so that no row that the engine makes for itself is taken for one.
FIRST_PROMISE = 10_000_000


def record(item: int) -> None:
    """One write of one short line to a file opened for appending: whole, whoever else writes or is killed."""
    os.write(_descriptor(os.environ[VARIABLE]), b"%d %.6f\n" % (item, time.time()))


@cache
def _descriptor(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)


class Backend(BaseEmailBackend):
    """The engine's mails come here: the promise is in the Message-ID, before the first dot."""

    def send_messages(self, email_messages: Sequence[Any]) -> int:
        for mail in email_messages:
            item = int(mail.extra_headers["Message-ID"].strip("<").split(".", 1)[0]) - FIRST_PROMISE
            if item > 0:
                record(item)
        return len(email_messages)


# --- counting --------------------------------------------------------------------------------
@dataclass(frozen=True)
class Tally:
    """``missing``: due and without an effect. ``doubled``: effects beyond the first. ``early``: before its moment, or
    of nothing that is due. Lateness in seconds, of the first effects. ``first``, ``last``: of all, seconds since 1970.
    """

    due: int
    done: int
    doubled: int
    early: int
    p50: float
    p99: float
    first: float
    last: float

    @property
    def missing(self) -> int:
        return self.due - self.done


def tally(due: Mapping[int, float], said: Iterable[tuple[int, float]]) -> Tally:
    """``due``: when each promise is due. ``said``: every effect, in any order."""
    first: dict[int, float] = {}
    doubled = early = 0
    for item, at in sorted(said, key=lambda pair: pair[1]):
        if item not in due:
            early += 1
        elif item in first:
            doubled += 1
        else:
            first[item] = at
            early += at < due[item]
    late = sorted(at - due[item] for item, at in first.items())
    moments = first.values()
    begin, end = min(moments, default=0.0), max(moments, default=0.0)
    return Tally(len(due), len(first), doubled, early, share(late, 50), share(late, 99), begin, end)


def share(ordered: Sequence[float], percent: int) -> float:
    """The value that ``percent`` of 100 do not exceed; not a number without any."""
    return ordered[max(0, -(-percent * len(ordered) // 100) - 1)] if ordered else float("nan")


class Effects:
    """The file, read as it grows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clear()

    def clear(self) -> None:
        """Call while nothing that writes is running. The file stays: whoever has it open appends to it."""
        self.said: list[tuple[int, float]] = []
        self.items: set[int] = set()
        self._rest = b""
        self._place = 0
        with self.path.open("wb"):
            pass
        self.path.chmod(0o666)

    def look(self) -> int:
        """Read what is new; how many promises have had their effect."""
        with self.path.open("rb") as file:
            file.seek(self._place)
            data = file.read()
        self._place += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            item, at = line.split()
            self.said.append((int(item), float(at)))
            self.items.add(int(item))
        return len(self.items)
