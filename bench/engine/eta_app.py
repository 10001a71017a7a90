"""Plain Celery with an ETA for each promise, on the same broker."""

from __future__ import annotations

from celery import Celery
from celery.signals import worker_ready

from bench.engine import keeping
from bench.engine.stand import broker_url

QUEUE = "bench-eta"
#: Its documentation: longer than the longest ETA, or everything that waits longer is done again and again.
VISIBILITY_SECONDS = 15 * 86_400

app = Celery("eta", broker=broker_url())
app.conf.update(
    broker_transport_options={"visibility_timeout": VISIBILITY_SECONDS},
    broker_connection_retry_on_startup=True,
    task_acks_late=True,
    task_default_queue=QUEUE,
    task_ignore_result=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
)


@app.task(name="bench.eta")
def have(item: int) -> None:
    keeping.have(item)


@worker_ready.connect
def _say(**_: object) -> None:
    """A line in the log although each task writes none."""
    print("ready.", flush=True)
