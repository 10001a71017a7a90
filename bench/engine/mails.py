"""Mails a second into a mail server of this machine, beside what that server takes from a bare client."""

from __future__ import annotations

import re
import smtplib
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage

from bench.engine import effects, ours
from bench.engine.phases import spread
from bench.engine.stand import Stand

SUBJECT = "You have a task in Procedure Tracker"
BODY = "A task waits for you.\n\nhttp://127.0.0.1:8000/cases/XXXXXXXXXX/\n\n" + "Nobody can answer this mail. " * 8
LIMIT = 120


@dataclass(frozen=True)
class Rates:
    """Mails a second. ``engine``: from the nudge to the last mail; ``bare``: one connection, nothing but sending;
    ``made``: the same with each mail made by ``email.message`` first. ``taken``: by the sink, of the engine's.
    """

    engine: float
    bare: float
    made: float
    taken: int
    count: int


def measure(stand: Stand, count: int) -> Rates:
    """The messages wait in the outbox; one worker process sends them on one connection, and settles each."""
    from clinic import celery
    from clinic.nudge import nudge
    from followups import engine as product
    from followups.models import Message

    stand.stop()
    stand.redis().flushall()
    took = effects.Effects(stand.var / "sink")
    sink = stand.start("-m", "bench.engine.sink", ready="ready", **{effects.VARIABLE: str(took.path)})
    stand.until_ready()
    port = int(re.search(r"port (\d+)", sink.log.read_text())[1])  # type: ignore[index]
    bare, made = _client(port, count, fresh=False), _client(port, count, fresh=True)
    took.clear()

    ours.clear_promises()
    ours.promise(spread(count, time.time() - 60, 1))
    while Message.objects.filter(state="queued").count() < count:
        if not product.run_pass(datetime.now(UTC), hand_over=lambda _channel: None).rungs:
            break
    engine = ours.Engine(stand)
    engine.start(
        drain=True,
        EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=str(port),
    )
    began = time.time()
    nudge(celery.DELIVER, "email")
    while time.time() - began < LIMIT:
        took.look()
        if len(took.said) >= count and not Message.objects.filter(state__in=("queued", "sending")).exists():
            break
        time.sleep(0.05)
    ended = max((at for _, at in took.said), default=began)
    stand.stop()
    return Rates(len(took.said) / max(ended - began, 0.001), bare, made, len(took.said), count)


def _client(port: int, count: int, *, fresh: bool) -> float:
    """One connection; a mail as long as ours."""
    text = _mail().as_bytes()
    began = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as client:
        for _ in range(count):
            client.sendmail("clinic@example.org", ["physician@example.org"], _mail().as_bytes() if fresh else text)
    return count / (time.perf_counter() - began)


def _mail() -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = SUBJECT, "clinic@example.org", "physician@example.org"
    mail["Message-ID"], mail["Auto-Submitted"] = "<10000001.1.0.0.1.email@example.org>", "auto-generated"
    mail.set_content(BODY)
    return mail
