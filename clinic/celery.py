"""The Celery application: it says "look now" and never holds a schedule of its own.

Two periodic tasks by name; what is due, and when, is in the database.
"""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")

NIGHTLY_SECONDS = 3600

app = Celery("clinic")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["followups", "procedures"])


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
