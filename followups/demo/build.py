"""The whole demonstration, from an empty clinic to the present moment."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

from clinic import audit, clock
from clinic.actor import Actor
from clinic.models import User
from followups import engine
from followups.demo import messages, plans
from followups.demo.replay import Replay
from followups.services import demo_clock
from followups.simulation import people, places, series, stories
from followups.simulation.case import Clinic

ACTOR = Actor.system("demo")
CREATED = "demo.created"
WEEKS = 6
#: Cases that two rooms and two physicians carry out on a working day beside what is shown.
A_DAY = 6
WORKDAYS = 5
#: A plan of a series makes so many cases more than one.
SERIES_MORE = series.COUNT - 1


def create(*, procedures: int, seed: int, password: str, tell: Callable[[str], object]) -> None:
    """People, places and ``procedures`` cases. Leaves the clock at the present, whatever happens."""
    end = clock.real_now()
    weeks = max(WEEKS, procedures // (A_DAY * WORKDAYS) + 2)
    begin = end - timedelta(weeks=weeks)
    _hurry()
    try:
        demo_clock.set_to(begin)
        timeline = _clinic(procedures, seed, password, weeks, end)
        timeline.run(lambda moment: tell(f"{moment:%a %d %b}"))
        messages.send_all(*(Actor.person(User.objects.get(username=name)) for name in ("nora", "dora")))
    finally:
        demo_clock.reset(actor=ACTOR)
    engine.run_pass(clock.now())
    audit.record(action=CREATED, actor=ACTOR, data={"procedures": procedures, "seed": seed})


def _clinic(procedures: int, seed: int, password: str, weeks: int, end: datetime) -> Replay:
    """Everything that will happen, waiting for its time."""
    rng = random.Random(seed)  # invented people, no secrets
    cast = people.create(password)
    today = end.astimezone(ZoneInfo(settings.CLINIC_ZONE)).date()
    where = places.create(cast, today=today, weeks=weeks)
    timeline = Replay(clock.now(), end)
    clinic = Clinic(cast=cast, places=where, rng=rng, names=people.Names(rng), timeline=timeline)
    shown = plans.shown(end)[:procedures]
    more = islice(plans.ordinary(rng, (weeks - 1) * WORKDAYS), procedures - len(shown))
    for plan in (*shown, *more):
        story = stories.emergency if plan.urgency == "emergency" else stories.serial if plan.every else stories.told
        timeline.add(story(clinic, plan))
    return timeline


def _hurry() -> None:
    """Do not wait for the disk at each step: whoever loses an unfinished demonstration makes another."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO off")
