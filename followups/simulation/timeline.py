"""Weeks of a clinic in seconds: every story waits for its next moment, and the earliest one goes on."""

from __future__ import annotations

import heapq
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from datetime import date, datetime
from itertools import count
from typing import TypeAlias

#: A story yields the moment at which it goes on; between two moments it does what is done then.
Story: TypeAlias = Generator[datetime, None, None]


class Timeline(ABC):
    """From ``begin`` to ``end``. Whatever a story would do later is left undone: that is the next day's work."""

    def __init__(self, begin: datetime, end: datetime) -> None:
        self.begin = begin
        self.end = end
        self._waiting: list[tuple[datetime, int, Story]] = []
        self._order = count()

    def add(self, story: Story) -> None:
        self._go_on(story)

    def run(self, tell: Callable[[datetime], object]) -> None:
        """Let time pass. ``tell`` hears of each new day. The clock is left where the last step put it."""
        day: date | None = None
        while self._waiting:
            moment, _, story = heapq.heappop(self._waiting)
            if moment > self.end:
                story.close()
                continue
            self._move(moment)
            if moment.date() != day:
                day = moment.date()
                tell(moment)
            self._go_on(story)

    def _go_on(self, story: Story) -> None:
        moment = next(story, None)
        if moment is not None:
            heapq.heappush(self._waiting, (moment, next(self._order), story))

    @abstractmethod
    def _move(self, moment: datetime) -> None:
        """Let the time until ``moment`` pass. Time runs on while a step is done, and never goes back."""
