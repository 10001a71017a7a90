"""The year's time: a clock that the simulation holds, and an engine that looks on a grid when something is due."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.db import connection

from followups import engine
from followups.engine import PassReport
from followups.simulation.timeline import Story, Timeline

SECOND = timedelta(seconds=1)
#: When something is next to be done; a message of a laboratory that nobody has read is due at once.
NEXT = """
SELECT LEAST(
    (SELECT min(GREATEST(next_action_at, snoozed_until)) FROM followups_followup WHERE closed_at IS NULL),
    (SELECT min(not_before) FROM followups_message WHERE state = 'queued'),
    (SELECT min(lease_until) FROM followups_message WHERE state = 'sending'),
    (SELECT min(received_at) FROM procedures_inboundmessage WHERE state = 'stored')
)
"""
#: So long the engine is never away, whether or not anything is due: its own promises have no moment.
LONGEST = timedelta(hours=6)


class Passing(Timeline):
    """Time that passes for people and for the engine, in UTC: days have 24 hours. ``look``: how far apart it looks."""

    def __init__(self, begin: datetime, end: datetime, *, look: timedelta) -> None:
        super().__init__(begin.astimezone(UTC), end.astimezone(UTC))
        self.look = look
        self.now = self.begin
        self.figures: Counter[str] = Counter()
        #: By how much this machine's clock is wrong.
        self.shift = timedelta(0)
        #: The machine sleeps until then: nothing happens before.
        self.asleep_until = self.begin
        #: When it slept, from and until.
        self.slept: list[tuple[datetime, datetime]] = []
        self.pass_by: Callable[[datetime], PassReport] = engine.run_pass
        self._looked = self.begin
        self._due: datetime | None = self.begin

    def clock(self) -> datetime:
        """What the clock says (``clinic.clock.held``)."""
        return self.now + self.shift

    def changed(self) -> None:
        """Facts have changed: when something is next due is asked anew."""
        self._due = None

    def suspend(self, until: datetime) -> None:
        """A machine that sleeps: what would have happened happens when it wakes, the engine's looks among it."""
        self.asleep_until = until
        self.slept.append((self.now, until))

    def finish(self) -> None:
        """Whatever is left of the time passes, and the engine looks once more, at the end."""
        self._move(self.end)
        self._look()

    def _go_on(self, story: Story) -> None:
        super()._go_on(story)
        self.changed()

    def _move(self, moment: datetime) -> None:
        moment = max(moment.astimezone(UTC), self.asleep_until, self.now + SECOND)
        while self._looked + self.look <= moment and (at := self._next_look()) <= moment:
            self.now = max(self.now, at)
            self._look()
        self.now = max(self.now, moment)

    def _next_look(self) -> datetime:
        """The first point of the grid at which something is due."""
        earliest = self._looked + self.look
        if self._due is None:
            if self.asleep_until > earliest:
                return self._grid(self.asleep_until)
            self._due = self._asked()
        return self._grid(max(earliest, min(self._due, self._looked + LONGEST), self.asleep_until))

    def _asked(self) -> datetime:
        with connection.cursor() as cursor:
            cursor.execute(NEXT)
            (found,) = cursor.fetchone()
        return found.astimezone(UTC) if found else self.end + self.look

    def _grid(self, moment: datetime) -> datetime:
        steps = -((self.begin - moment) // self.look)
        return self.begin + steps * self.look

    def _look(self) -> None:
        report = self.pass_by(self.clock())
        self.figures["passes"] += 1
        self.figures["rungs"] += report.rungs
        self.figures["set aside"] += report.set_aside
        self.figures["swept"] += report.swept
        self.figures["reaped"] += report.reaped
        self.figures["reruns"] += report.reruns
        self._looked = self.now
        self.changed()
