"""The scheduler's own diary: who is free when, without asking the database. What it gives may still be refused."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from clinic.models import Room
from clinic.roles import Role
from followups.simulation.places import SATURDAY, at
from followups.simulation.staff import Staff
from procedures.domain.protocol import Variant

GRID = timedelta(minutes=15)
SESSIONS = ((8, 12), (13, 17))
CLOSES = 17
FARTHEST = 60  # days
Spans = dict[tuple[date, str], list[tuple[datetime, datetime]]]


@dataclass(frozen=True)
class Booking:
    start: datetime
    room: Room
    operator: str


class Diary:
    def __init__(self, staff: Staff) -> None:
        self._staff = staff
        self._taken: Spans = {}
        self._zone = ZoneInfo(settings.CLINIC_ZONE)

    def find(self, after: datetime, variant: Variant, rng: random.Random, operator: str = "") -> Booking | None:
        """The first place from ``after`` on, with this operator or whoever is free."""
        day = after.astimezone(self._zone).date()
        for _ in range(FARTHEST):
            if day.weekday() < SATURDAY and (found := self._on(day, after, variant, rng, operator)):
                return found
            day += timedelta(days=1)
        return None

    def _on(self, day: date, after: datetime, variant: Variant, rng: random.Random, operator: str) -> Booking | None:
        names = [operator] if operator else list(self._staff.by_role[Role.PHYSICIAN])
        names = [name for name in names if self._staff.leave_of(name, at(day, 12)) is None]
        rng.shuffle(names)
        needs = timedelta(minutes=variant.operator_minutes)
        room_time = timedelta(minutes=max(variant.room_minutes, variant.stay_minutes))
        for opens, closes in SESSIONS:
            start, end = at(day, opens), at(day, closes)
            while start + needs <= end and start + room_time <= at(day, CLOSES):
                if start >= after and (found := self._at(day, start, needs, room_time, variant, names)):
                    return found
                start += GRID
        return None

    def _at(
        self,
        day: date,
        start: datetime,
        needs: timedelta,
        room_time: timedelta,
        variant: Variant,
        names: list[str],
    ) -> Booking | None:
        rooms = [room for room in self._staff.rooms if room.has_fluoroscopy or not variant.fluoroscopy]
        room = next((r for r in reversed(rooms) if self._free(day, r.name, start, start + room_time)), None)
        name = next((n for n in names if self._free(day, n, start, start + needs)), None)
        if room is None or name is None:
            return None
        self.note(start, room, name, variant)
        return Booking(start, room, name)

    def note(self, start: datetime, room: Room | None, operator: str, variant: Variant) -> None:
        """Taken from here on."""
        day = start.astimezone(self._zone).date()
        if room is not None:
            end = start + timedelta(minutes=max(variant.room_minutes, variant.stay_minutes))
            self._taken.setdefault((day, room.name), []).append((start, end))
        end = start + timedelta(minutes=variant.operator_minutes)
        self._taken.setdefault((day, operator), []).append((start, end))

    def _free(self, day: date, what: str, start: datetime, end: datetime) -> bool:
        return all(end <= begun or start >= ended for begun, ended in self._taken.get((day, what), ()))
