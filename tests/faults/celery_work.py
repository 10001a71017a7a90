"""A real Celery worker that sends to a mail server of the test, and what the test waits for."""

from __future__ import annotations

import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime

from django.conf import settings

from clinic import celery, nudge
from followups.models import Message
from tests.faults import outbox
from tests.faults.mail_server import Post
from tests.workers import read_until, start_worker

SECONDS = 30
MAILS = 60


def at_work(post: Post) -> Iterator[subprocess.Popen[str]]:
    backend = "django.core.mail.backends.smtp.EmailBackend"
    mail = {"EMAIL_BACKEND": backend, "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(post.port)}
    for worker in start_worker(settings, seconds=180, **mail):
        read_until(worker, "ready.")
        log: deque[str] = deque(maxlen=60)
        drain = threading.Thread(target=log.extend, args=(worker.stdout,), daemon=True)
        drain.start()
        yield worker
        assert worker.poll() is None, "".join(log)


def until(true: Callable[[], bool], meanwhile: Callable[[], None] = lambda: None) -> None:
    """``meanwhile`` four times a second: what beat says every thirty."""
    pause = threading.Event()
    for number in range(SECONDS * 50):
        if true():
            return
        if number % 12 == 0:
            meanwhile()
        pause.wait(0.02)
    raise AssertionError("it never came to that")


def all_sent() -> bool:
    return not Message.objects.exclude(state="sent").exists()


def send() -> None:
    nudge.nudge(celery.DELIVER, "email")


def time_passes(now: datetime) -> None:
    """Two minutes for the leases of what was under way, and a few for those that are to be tried again."""
    outbox.lease_is_over(now)
    Message.objects.filter(state="queued").update(not_before=now)
