"""All assertions at one moment, over one snapshot of the tables."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection, transaction

from followups.checker import (
    cases,
    climbing,
    criticals,
    inbound,
    messages,
    promises,
    results,
    symptoms,
    trail,
    worklists,
)
from followups.checker.params import At, rules
from followups.checker.report import Delivered, Report
from followups.checker.rows import put


@contextmanager
def snapshot() -> Iterator[None]:
    """While others write, all queries inside see the same rows, and none can write. Inside a caller's transaction they
    see what it sees.
    """
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def check(
    now: datetime,
    *,
    delivered: Iterable[Delivered] | None = None,
    shown: Mapping[str, int] | None = None,
    late: timedelta,
    acknowledged: Iterable[str] | None = None,
    asleep: Sequence[tuple[datetime, datetime]] = (),
) -> Report:
    """Read everything and say what is wrong. ``now`` is the clinic's time, ``late`` how seldom the engine looks.

    ``delivered``: what providers accepted; ``shown``: the numbers on the pages; ``acknowledged``: digests (SHA-256) of
    laboratories' messages that were answered. What the caller does not know is not asked about. ``asleep``: when the
    machine itself slept, from and until, as far as the caller knows.
    """
    began = time.perf_counter()
    report, at = Report(at=now), At(now, late, asleep)
    with snapshot():
        given, rows = symptoms.as_sql(symptoms.unasked())
        params = at.params(unasked=rows)
        put(report, results.QUESTIONS, params)
        promises.look(report, params, rules()["kinds"], given)
        climbing.look(report, at)
        messages.look(report, at, delivered)
        criticals.look(report, at)
        cases.look(report, params, given)
        inbound.look(report, at, acknowledged)
        worklists.look(report, at, shown)
        trail.look(report, params)
    report.seconds = time.perf_counter() - began
    return report
