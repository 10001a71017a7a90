"""django-celery-beat: a clocked, one-off task for each promise; its DatabaseScheduler says when."""

from __future__ import annotations

import django
from celery import Celery
from celery.signals import beat_init, worker_ready

from bench.engine import keeping
from bench.engine.stand import broker_url

QUEUE = "bench-clocked"

app = Celery("clocked", broker=broker_url())
app.conf.update(
    beat_scheduler="django_celery_beat.schedulers:DatabaseScheduler",
    broker_connection_retry_on_startup=True,
    enable_utc=True,
    task_acks_late=True,
    task_default_queue=QUEUE,
    task_ignore_result=True,
    task_reject_on_worker_lost=True,
    timezone="UTC",
    worker_prefetch_multiplier=1,
)
django.setup()


@app.task(name="bench.clocked")
def have(item: int) -> None:
    keeping.have(item)


@worker_ready.connect
@beat_init.connect
def _say(**_: object) -> None:
    """A line in the log although each task writes none."""
    print("ready.", flush=True)
