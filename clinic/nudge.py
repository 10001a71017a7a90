"""The only sender of tasks. A nudge may be lost: the next tick finds the same work in the database."""

from __future__ import annotations

import logging
from functools import partial

from django.conf import settings
from django.db import transaction
from kombu.exceptions import KombuError
from redis import RedisError

from clinic import celery_app

logger = logging.getLogger(__name__)

#: How long a saved page may wait for a broker that does not answer, per step.
TIMEOUT_SECONDS = 1
#: Later than this the tick has long done the work.
EXPIRES_SECONDS = 300
PUBLISHER_OPTIONS = {
    "socket_timeout": TIMEOUT_SECONDS,
    "socket_connect_timeout": TIMEOUT_SECONDS,
    "retry_on_timeout": False,
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
}


def nudge(task_name: str, *args: int | str) -> None:
    """Ask a worker to look, once the current transaction has committed. Never raises: saved work is saved.

    Arguments are ids and kinds, never personal data.
    """
    transaction.on_commit(partial(_send, task_name, args), robust=True)


def _send(task_name: str, args: tuple[int | str, ...]) -> None:
    options = {**settings.CELERY_BROKER_TRANSPORT_OPTIONS, **PUBLISHER_OPTIONS}
    try:
        with celery_app.connection_for_write(connect_timeout=TIMEOUT_SECONDS, transport_options=options) as connection:
            celery_app.send_task(
                task_name, args=args, connection=connection, retry=False, ignore_result=True, expires=EXPIRES_SECONDS
            )
    except (KombuError, RedisError, OSError) as error:
        logger.error("nudge not sent task=%s error=%s", task_name, type(error).__name__)
