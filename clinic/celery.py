"""The Celery application: it says "look now" and never holds a schedule of its own.

Two periodic tasks by name; what is due, and when, is in the database. Each channel has a queue of its own, and a
worker has more processes than there are channels: a gateway that hangs holds one of them and starves nobody.
"""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from django.conf import settings
from django.utils.module_loading import import_string
from kombu import Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")

NIGHTLY_SECONDS = 3600
QUEUE = "celery"
#: Takes the name of a channel and sends what is due on it.
DELIVER = "followups.tasks.deliver"
#: One process for the pass, one for the nightly check, one for reading what laboratories sent.
OTHER_PROCESSES = 3

app = Celery("clinic")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["followups", "procedures"])


def channels() -> list[str]:
    """The names of all ways a message can leave."""
    return sorted(import_string("followups.channels.NAMES"))


def queue_of(channel: str) -> str:
    """The queue of one channel."""
    return f"channel.{channel}"


def queue_names() -> list[str]:
    """Every queue there is."""
    return [QUEUE, *map(queue_of, channels())]


def route(name: str, args: Any, *_: Any, **__: Any) -> dict[str, str]:
    """To which queue a task goes: sending by its channel, everything else to the common one."""
    return {"queue": queue_of(args[0]) if name == DELIVER and args else QUEUE}


@app.on_after_configure.connect
def set_queues(sender: Celery, **_: Any) -> None:
    """A worker that is not told otherwise listens to all of them. No channel takes more than one process
    (``clinic.turns``), so this many leave room for the engine whatever hangs.
    """
    sender.conf.task_queues = [Queue(name, routing_key=name) for name in queue_names()]
    sender.conf.task_default_queue = QUEUE
    sender.conf.task_routes = (route,)
    sender.conf.worker_concurrency = OTHER_PROCESSES + len(channels())


@app.on_after_configure.connect
def set_schedule(sender: Celery, **_: Any) -> None:
    """Each run expires before the next one: a worker that was away must not find a heap of old ones."""
    tick = settings.ENGINE_TICK_SECONDS
    sender.conf.beat_schedule = {
        "tick": {"task": "followups.tasks.tick", "schedule": tick, "options": {"expires": tick * 0.9}},
        # Hourly: the daily job claims its day in the database, so a missed night is made good within the hour.
        "nightly": {
            "task": "followups.tasks.nightly",
            "schedule": NIGHTLY_SECONDS,
            "options": {"expires": NIGHTLY_SECONDS * 0.9},
        },
    }
