"""Weeks of a clinic in seconds: every story waits for its next moment, and the earliest one goes on."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Generator
from datetime import date, datetime, time, timedelta
from itertools import count
from typing import TypeAlias
from zoneinfo import ZoneInfo

from django.conf import settings

from clinic import clock
from followups import engine
from followups.services import demo_clock

#: A story yields the moment at which it goes on; between two moments it does what is done then.
Story: TypeAlias = Generator[datetime, None, None]
#: When the engine looks, local time. The real one looks all day; here three times are enough.
PASSES = (time(8, 5), time(12, 5), time(17, 5))


class Timeline:
    """From ``begin`` to the real present. Whatever a story would do later is left undone: that is today's work."""

    def __init__(self, begin: datetime, end: datetime) -> None:
        self._begin = begin
        self._end = end
        self._waiting: list[tuple[datetime, int, Story]] = []
        self._order = count()

    def add(self, story: Story) -> None:
        self._go_on(story)

    def run(self, tell: Callable[[datetime], object]) -> None:
        """Let time pass. ``tell`` hears of each new day. The clock is left where the last step put it."""
        self.add(self._engine())
        day: date | None = None
        while self._waiting:
            moment, _, story = heapq.heappop(self._waiting)
            if moment > self._end:
                story.close()
                continue
            _move(moment)
            if moment.date() != day:
                day = moment.date()
                tell(moment)
            self._go_on(story)

    def _go_on(self, story: Story) -> None:
        moment = next(story, None)
        if moment is not None:
            heapq.heappush(self._waiting, (moment, next(self._order), story))

    def _engine(self) -> Story:
        zone = ZoneInfo(settings.CLINIC_ZONE)
        day = self._begin.astimezone(zone).date()
        while True:
            for at in PASSES:
                moment = datetime.combine(day, at, tzinfo=zone)
                if moment >= self._begin:
                    yield moment
                    engine.run_pass(clock.now())
            day += timedelta(days=1)


def _move(moment: datetime) -> None:
    """Time runs on while a step is done, and never goes back."""
    if moment > clock.now():
        demo_clock.set_to(moment)
