"""The demonstration's time: its clock is moved back, and runs up to the present."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from clinic import clock
from followups import engine
from followups.services import demo_clock
from followups.simulation.timeline import Story, Timeline

#: When the engine looks, local time. The real one looks all day; here three times are enough.
PASSES = (time(8, 5), time(12, 5), time(17, 5))


class Replay(Timeline):
    """From the past to the real present: whatever a story would do later is today's work."""

    def run(self, tell: Callable[[datetime], object]) -> None:
        self.add(self._engine())
        super().run(tell)

    def _move(self, moment: datetime) -> None:
        if moment > clock.now():
            demo_clock.set_to(moment)

    def _engine(self) -> Story:
        zone = ZoneInfo(settings.CLINIC_ZONE)
        day = self.begin.astimezone(zone).date()
        while True:
            for at in PASSES:
                moment = datetime.combine(day, at, tzinfo=zone)
                if moment >= self.begin:
                    yield moment
                    engine.run_pass(clock.now())
            day += timedelta(days=1)
