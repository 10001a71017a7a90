"""What one look costs while very many promises wait: the store filled by itself to 10,000, 100,000, 1,000,000.

Nothing is sent here. Milliseconds of the wall clock, and of this process in brackets, medians of a few looks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bench import ground
from bench.engine import effects, floor, ours

SIZES = (10_000, 100_000, 1_000_000)
LOOKS = 7
#: Beside the rows that beat makes for itself.
OURS = 1_000_000
DUE = 100
#: Well away from whatever a look may reach for.
LATER = "now() + interval '2 hours' + random() * interval '14 days'"


@dataclass(frozen=True)
class Look:
    words: str
    act: Callable[[], Any]
    before: Callable[[], Any] = lambda: None


@dataclass(frozen=True)
class Cost:
    wall: float
    own: float

    def __str__(self) -> str:
        return f"{self.wall:,.1f} ({self.own:,.1f})"


#: Name of the look, and its cost at each size.
Row = tuple[str, list[Cost]]


def measure(name: str, fill: Callable[[int, int], None], looks: Sequence[Look], sizes: Sequence[int]) -> list[Row]:
    rows: list[Row] = [(f"{name}, {look.words}", []) for look in looks]
    have = 0
    for size in sizes:
        fill(have + 1, size)
        have = size
        _execute("VACUUM ANALYZE")
        for look, (_, costs) in zip(looks, rows, strict=True):
            costs.append(_cost(look))
    return rows


def _cost(look: Look) -> Cost:
    wall, own = [], []
    for number in range(LOOKS + 2):
        look.before()
        began, used = time.perf_counter(), time.process_time()
        look.act()
        if number >= 2:  # warm
            wall.append((time.perf_counter() - began) * 1000)
            own.append((time.process_time() - used) * 1000)
    return Cost(ground.median(wall), ground.median(own))


def _execute(statement: str, parameters: Sequence[Any] | None = None) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


# --- this engine, and the floor on its tables -----------------------------------------------------
def engine(sizes: Sequence[int]) -> list[Row]:
    from django.db import connection

    from followups import engine as product

    def one_pass() -> None:
        """As the tick does it: each channel would be told to send."""
        product.run_pass(datetime.now(UTC), hand_over=lambda _channel: None)

    def bare() -> None:
        connection.connection.execute(floor.STEP, [floor.STEPS])

    ours.clear_promises()
    looks = [
        Look("a pass, nothing due", one_pass),
        Look(f"a pass, {DUE} due", one_pass, _make_due),
        Look("the floor's statement instead, nothing due", bare),
        Look(f"the floor's statement instead, {DUE} due", bare, _make_due),
    ]
    return measure(ours.Engine.name, _promises, looks, sizes)


def _promises(first: int, last: int) -> None:
    known, owner = ours.cases()
    _execute(
        f"""
        INSERT INTO followups_followup
            (id, subject_kind, subject_id, procedure_id, key, kind, about, level, start_at, due_at, role,
             responsible_id, generation, rung, repeat, next_action_at, escalated_role, opened_at, closed_because)
        SELECT {effects.FIRST_PROMISE} + n, 'procedure', c, c, '{ours.KIND}:' || n, '{ours.KIND}', '{{}}', 'normal',
               at - interval '1 day', at, 'physician', {owner}, 1, 0, 0, at, '', now(), ''
        FROM (SELECT n, (%s::bigint[])[1 + n %% {len(known)}] AS c, {LATER} AS at FROM generate_series(%s, %s) n) t
        """,
        [known, first, last],
    )


def _make_due() -> None:
    _execute(
        "UPDATE followups_followup SET due_at = now(), next_action_at = now() WHERE id IN (SELECT id"
        f" FROM followups_followup WHERE closed_at IS NULL AND rung = 0 AND next_action_at > now() LIMIT {DUE})"
    )


# --- the peers -------------------------------------------------------------------------------------
def clocked(sizes: Sequence[int]) -> list[Row]:
    from django_celery_beat.models import PeriodicTasks
    from django_celery_beat.schedulers import DatabaseScheduler

    from bench.engine.clocked_app import app

    _execute("TRUNCATE django_celery_beat_periodictask, django_celery_beat_clockedschedule CASCADE")
    scheduler = DatabaseScheduler(app=app)
    looks = [
        Look("beat's loop, nothing changed", scheduler.tick),
        Look("beat's loop, one schedule changed", scheduler.tick, PeriodicTasks.update_changed),
    ]
    return measure("django-celery-beat", _clocks, looks, sizes)


def _clocks(first: int, last: int) -> None:
    _execute(
        f"INSERT INTO django_celery_beat_clockedschedule (id, clocked_time) SELECT {OURS} + n, {LATER}"
        f" FROM generate_series({first}, {last}) n"
    )
    _execute(
        "INSERT INTO django_celery_beat_periodictask (id, name, task, args, kwargs, headers, one_off, enabled,"
        " total_run_count, date_changed, description, clocked_id)"
        f" SELECT {OURS} + n, 'promise ' || n, 'bench.clocked', '[' || n || ']', '{{}}', '{{}}', true, true,"
        f" 0, now(), '', {OURS} + n"
        f" FROM generate_series({first}, {last}) n"
    )


def jobs(sizes: Sequence[int]) -> list[Row]:
    from procrastinate.sql import queries

    _execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")
    fetch = queries["fetch_job"]
    look = Look("one fetch, nothing due", lambda: _execute(fetch, {"queues": None, "worker_id": None}))  # type: ignore[arg-type]
    return measure("procrastinate", _jobs, [look], sizes)


def _jobs(first: int, last: int) -> None:
    _execute("ALTER TABLE procrastinate_jobs DISABLE TRIGGER USER")  # its events are not what is measured
    _execute(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args, scheduled_at)"
        f" SELECT 'default', 'have', jsonb_build_object('item', n), {LATER} FROM generate_series({first}, {last}) n"
    )
    _execute("ALTER TABLE procrastinate_jobs ENABLE TRIGGER USER")
