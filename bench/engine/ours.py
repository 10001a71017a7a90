"""This engine: the product's own Celery application, its worker, and beat saying "look now"."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from bench.engine import effects
from bench.engine.contestant import ROWS, Contestant, Item

CASES = 50
APP = ("-m", "celery", "-A", "clinic", "--quiet")
WORKER = (*APP, "worker", "--loglevel", "INFO", "--without-gossip", "--without-mingle", "--without-heartbeat")
TABLES = ("followups_deliveryattempt", "followups_message", "followups_followupnote", "followups_followup")
#: Its first step is a mail to its owner at the moment it is due; the second comes a day later.
KIND = "sign_record"


class Engine(Contestant):
    name = "this engine"
    broker = True
    patience = 160  # a lease is 120 s, the next pass up to 15 s later
    tick = 15

    def prepare(self) -> None:
        cases()

    def fresh(self) -> None:
        #: The heartbeat that was answered by asking for a pass, and when that was.
        self.passed: Any = None
        self.poked = 0.0
        clear_promises()
        self.stand.redis().flushall()

    def schedule(self, items: Sequence[Item]) -> None:
        promise(items)

    def start(self, *, keep: bool = False, drain: bool = False, **env: str) -> None:
        """With beat at the product's own interval; for a backlog without, and ``poke`` asks for the next pass."""
        env = {"ENGINE_TICK_SECONDS": str(self.tick)} | env
        env = {"DJANGO_SETTINGS_MODULE": "clinic.settings", "EMAIL_BACKEND": "bench.engine.effects.Backend"} | env
        self.worker = self.stand.start(*WORKER, ready=" ready.", **env | {"LOG_LEVEL": "INFO"})
        if not drain:
            beat = (*APP, "beat", "--loglevel", "INFO", "--pidfile=", f"--schedule={self.stand.var / 'beat'}")
            self.beat = self.stand.start(*beat, ready="beat: Starting", **env | {"LOG_LEVEL": "INFO"})
        self.stand.until_ready()

    def poke(self) -> None:
        """The next pass as soon as one has ended while steps are due: how much it can do, not how often it looks."""
        from clinic.models import Heartbeat
        from clinic.nudge import nudge

        at = Heartbeat.objects.filter(name="engine").values_list("at", flat=True).first()
        ended, waited = at != self.passed, time.monotonic() - self.poked
        if waited < self.tick and not (ended and self._due()):
            return
        self.passed, self.poked = at, time.monotonic()
        nudge("followups.tasks.tick")

    def _due(self) -> bool:
        from django.utils import timezone

        from followups.models import FollowUp

        return FollowUp.objects.filter(closed_at=None, next_action_at__lte=timezone.now()).exists()

    def in_hand(self) -> int:
        from followups.models import Message

        return Message.objects.filter(state="sending").count()

    def kept(self) -> int:
        """No step taken yet, or its message not at its end."""
        from followups.models import FollowUp, Message

        waiting = FollowUp.objects.filter(closed_at=None, rung=0, pk__gt=effects.FIRST_PROMISE).count()
        unsent = Message.objects.filter(state__in=("queued", "sending"), follow_up__gt=effects.FIRST_PROMISE)
        return waiting + unsent.count()


# --- rows ------------------------------------------------------------------------------------------
@cache
def cases() -> tuple[list[int], int]:
    """Cases whose plan is up to date, so that no sweep touches them; and whose promises they are."""
    from django.db.models import F
    from django.utils import timezone

    from bench.fill import staff
    from bench.model_cases import Maker
    from clinic.models import Room
    from procedures.models import Procedure

    people = staff()
    maker = Maker(people=people, room=Room.objects.create(name="Bench"))
    first = timezone.now() - timedelta(days=CASES)
    for at in (first + timedelta(hours=3 * number) for number in range(CASES)):
        done = {"arrived_at": at, "started_at": at, "completed_at": at, "outcome": "done", "disposition": "home"}
        maker.case("paracentesis", at, maker.patient(), status="completed", **done)
    Procedure.objects.update(planned_version=F("facts_version"))
    return [case.pk for case in maker.made], people["physicians"][0].pk


def clear_promises() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(TABLES)} CASCADE")


def promise(items: Sequence[Item]) -> None:
    """Open promises as the planner writes them, ``ROWS`` in each transaction."""
    from followups.models import FollowUp

    for start in range(0, len(items), ROWS):
        FollowUp.objects.bulk_create([_row(item, due) for item, due in items[start : start + ROWS]])


def _row(item: int, due: float) -> Any:
    from followups.models import FollowUp

    known, owner = cases()
    at, case = datetime.fromtimestamp(due, UTC), known[item % len(known)]
    return FollowUp(
        pk=effects.FIRST_PROMISE + item,
        subject_kind="procedure",
        subject_id=case,
        procedure_id=case,
        key=f"{KIND}:{item}",
        kind=KIND,
        role="physician",
        responsible_id=owner,
        start_at=at - timedelta(days=1),
        due_at=at,
        next_action_at=at,
        opened_at=at - timedelta(days=1),
    )
