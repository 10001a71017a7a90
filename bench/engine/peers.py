"""The peers, each as its own documentation has it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from bench.engine import keeping
from bench.engine.contestant import CONCURRENCY, ROWS, Contestant, Item

WORKER = ("--loglevel", "WARNING", "--without-gossip", "--without-mingle", "--concurrency", str(CONCURRENCY))


class _OnBroker(Contestant):
    broker = True

    def fresh(self) -> None:
        self.redis.flushall()

    @property
    def redis(self) -> Any:
        return self.stand.redis()

    def start(self, *, keep: bool = False, drain: bool = False) -> None:
        env = {keeping.KEEP: "1"} if keep else {}
        app = ("-m", "celery", "-A", self.module, "--quiet")
        self.worker = self.stand.start(*app, "worker", *WORKER, ready="ready.", **env)
        self._more(app, env)
        self.stand.until_ready()

    module = ""
    queue = ""

    def _more(self, app: tuple[str, ...], env: dict[str, str]) -> None:
        """Further processes."""

    def on_broker(self) -> int:
        """In the queue, or given to a worker that has not acknowledged it."""
        return int(self.redis.llen(self.queue)) + int(self.redis.hlen("unacked"))


class Eta(_OnBroker):
    name = "Celery eta"
    module = "bench.engine.eta_app"
    queue = "bench-eta"

    def schedule(self, items: Sequence[Item]) -> None:
        from bench.engine.eta_app import app, have

        with app.producer_pool.acquire(block=True) as producer:
            for item, due in items:
                have.apply_async((item,), eta=datetime.fromtimestamp(due, UTC), producer=producer)

    def absorbed(self) -> bool:
        """A worker takes every task at once and waits with all of them in its memory."""
        return not self.redis.llen(self.queue)

    def kept(self) -> int:
        return self.on_broker()


class Clocked(_OnBroker):
    name = "django-celery-beat"
    module = "bench.engine.clocked_app"
    queue = "bench-clocked"
    patience = 30

    def prepare(self) -> None:
        import django_celery_beat.models

        self.models = django_celery_beat.models

    def fresh(self) -> None:
        super().fresh()
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE django_celery_beat_periodictask, django_celery_beat_clockedschedule CASCADE")

    def _more(self, app: tuple[str, ...], env: dict[str, str]) -> None:
        self.beat = self.stand.start(*app, "beat", "--loglevel", "WARNING", "--pidfile=", ready="ready.", **env)

    def schedule(self, items: Sequence[Item]) -> None:
        """Two rows each, by bulk, and one word to beat that something has changed."""
        for start in range(0, len(items), ROWS):
            part = items[start : start + ROWS]
            clocks = self.models.ClockedSchedule.objects.bulk_create(
                [self.models.ClockedSchedule(clocked_time=datetime.fromtimestamp(due, UTC)) for _, due in part]
            )
            self.models.PeriodicTask.objects.bulk_create(
                [
                    self.models.PeriodicTask(
                        name=f"promise {item}",
                        task="bench.clocked",
                        clocked=clock,
                        one_off=True,
                        args=json.dumps([item]),
                    )
                    for (item, _), clock in zip(part, clocks, strict=True)
                ]
            )
        self.models.PeriodicTasks.update_changed()

    def _task(self, item: int, clock: Any) -> Any:
        return self.models.PeriodicTask(
            name=f"promise {item}", task="bench.clocked", clocked=clock, one_off=True, args=json.dumps([item])
        )

    def kept(self) -> int:
        """Never sent, or sent and not acknowledged."""
        waiting = self.models.PeriodicTask.objects.filter(enabled=True, one_off=True, last_run_at=None)
        return int(waiting.count()) + self.on_broker()


class Jobs(Contestant):
    name = "procrastinate"
    patience = 120  # a worker is missed after 30 s, and looked for every minute

    def prepare(self) -> None:
        from bench.engine.jobs_app import app

        self.app = app
        self.app.open()
        self.app.schema_manager.apply_schema()

    def fresh(self) -> None:
        self._count("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")

    def schedule(self, items: Sequence[Item]) -> None:
        """As many jobs in one statement as the others write rows."""
        from bench.engine.jobs_app import have

        job = have.configure().job
        for start in range(0, len(items), ROWS):
            jobs = [
                job.evolve(task_kwargs={"item": item}, scheduled_at=datetime.fromtimestamp(due, UTC))
                for item, due in items[start : start + ROWS]
            ]
            self.app.job_manager.batch_defer_jobs(jobs)

    def start(self, *, keep: bool = False, drain: bool = False) -> None:
        env = {keeping.KEEP: "1"} if keep else {}
        self.worker = self.stand.start("-m", "bench.engine.jobs_app", ready="ready", **env)
        self.stand.until_ready()

    def in_hand(self) -> int:
        return self._count("SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing' AND task_name = 'have'")

    def kept(self) -> int:
        return self._count(
            "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing') AND task_name = 'have'"
        )

    def _count(self, statement: str) -> int:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(statement)
            row = cursor.fetchone() if cursor.description else None
        return int(row[0]) if row else 0
