"""Who works in the year's clinic, as many as its cases need: roster, leave with and without cover, days of silence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property

from clinic import covers, places
from clinic.models import ClinicHours, OnCall, OperatorSession, Room
from clinic.roles import Role
from followups.simulation.people import STAFF, Cast, create
from followups.simulation.places import CLOSES, NOON, ONE, OPENS, WORKDAYS, at

#: Cases of a working day that one of them carries: a physician at the needle, a nurse around it, a room.
PHYSICIAN, NURSE, ROOM, SCHEDULER = 6, 8, 4, 25
FEWEST = {Role.PHYSICIAN: 2, Role.NURSE: 2, Role.SCHEDULER: 1}
GIVEN = (
    "Ana",
    "Bo",
    "Cleo",
    "Dov",
    "Eli",
    "Fay",
    "Gil",
    "Hana",
    "Ines",
    "Jun",
    "Kai",
    "Lea",
    "Mio",
    "Nea",
    "Ola",
    "Pax",
)
SILENT_DAYS = timedelta(days=4)


@dataclass(frozen=True)
class Away:
    """One leave. ``cover``: who has accepted to stand in; empty when nobody has."""

    name: str
    begin: datetime
    end: datetime
    cover: str = ""

    def holds(self, moment: datetime) -> bool:
        return self.begin <= moment < self.end


@dataclass
class Staff:
    """The people and rooms, and when who is there. ``silent``: there, and answering nothing."""

    cast: Cast
    rooms: tuple[Room, ...]
    away: list[Away] = field(default_factory=list)
    silent: list[Away] = field(default_factory=list)

    @cached_property
    def by_role(self) -> dict[Role, tuple[str, ...]]:
        found: dict[Role, list[str]] = {role: [] for role in Role}
        for name, user in self.cast.users.items():
            for role in user.roles:
                found[Role(role)].append(name)
        return {role: tuple(names) for role, names in found.items()}

    @cached_property
    def names(self) -> dict[int, str]:
        return {user.pk: name for name, user in self.cast.users.items()}

    def leave_of(self, name: str, moment: datetime) -> Away | None:
        return next((row for row in self.away if row.name == name and row.holds(moment)), None)

    def is_silent(self, name: str, moment: datetime) -> bool:
        return any(row.name == name and row.holds(moment) for row in self.silent)

    def present(self, role: Role, moment: datetime) -> list[str]:
        return [name for name in self.by_role[role] if self.leave_of(name, moment) is None]

    def someone_to_operate(self, moment: datetime, number: int) -> str:
        """A physician who is not on leave then."""
        there = self.present(Role.PHYSICIAN, moment) or list(self.by_role[Role.PHYSICIAN])
        return there[number % len(there)]

    def someone(self, role: Role, moment: datetime, number: int) -> str:
        """Whoever of the role is there and answers; the same for the same case."""
        there = self.present(role, moment)
        awake = [name for name in there if not self.is_silent(name, moment)] or there or list(self.by_role[role])
        return awake[number % len(awake)]


def hire(per_day: float, password: str) -> Cast:
    """The six of the demonstration, and as many more as the work needs."""
    wanted = {
        Role.PHYSICIAN: math.ceil(per_day / PHYSICIAN) + 1,
        Role.NURSE: math.ceil(per_day / NURSE) + 1,
        Role.SCHEDULER: math.ceil(per_day / SCHEDULER),
    }
    people = list(STAFF)
    for role, number in wanted.items():
        here = sum(known is role for _, _, _, known in people)
        for place in range(here, max(number, FEWEST[role])):
            credentials = {Role.PHYSICIAN: "MD", Role.NURSE: "RN"}.get(role, "")
            given = GIVEN[(len(people) * 5) % len(GIVEN)]
            people.append((f"{role}{place + 1}", f"{given} {str(role).capitalize()} {place + 1}", credentials, role))
    return create(password, people)


def furnish(cast: Cast, per_day: float) -> Staff:
    """Rooms and hours of the clinic."""
    director = cast.actor("dora")
    number = max(2, math.ceil(per_day / ROOM))
    rooms = tuple(
        Room(name=f"Procedure room {n + 1}", location="clinic", has_fluoroscopy=n == 0) for n in range(number)
    )
    for room in rooms:
        places.add(actor=director, row=room)
    staff = Staff(cast, rooms)
    for weekday in WORKDAYS:
        places.add(actor=director, row=ClinicHours(weekday=weekday, opens=OPENS, closes=CLOSES))
        for name in staff.by_role[Role.PHYSICIAN]:
            for starts, ends in ((OPENS, NOON), (ONE, CLOSES)):
                session = OperatorSession(operator=cast.users[name], weekday=weekday, starts=starts, ends=ends)
                places.add(actor=director, row=session)
    return staff


def roster(staff: Staff, begin: date, weeks: int) -> None:
    """On call week by week in turn; leave, one at a time, every third without cover; and days of silence."""
    director = staff.cast.actor("dora")
    monday = begin - timedelta(days=begin.weekday())
    for week in range(weeks + 1):
        starts, ends = at(monday + timedelta(weeks=week), 8), at(monday + timedelta(weeks=week + 1), 8)
        for role in (Role.PHYSICIAN, Role.NURSE):
            names = staff.by_role[role]
            user = staff.cast.users[names[week % len(names)]]
            places.add(actor=director, row=OnCall(user=user, role=str(role), starts_at=starts, ends_at=ends))
    for role in (Role.PHYSICIAN, Role.NURSE):
        names = staff.by_role[role]
        _leave(staff, names, monday, weeks)
        if role is Role.PHYSICIAN:
            _silence(staff, names, monday, weeks)


def _leave(staff: Staff, names: Sequence[str], monday: date, weeks: int) -> None:
    step = max(2, weeks // (2 * len(names) + 1))
    for turn, week in enumerate(range(2, weeks, step)):
        name, cover = names[turn % len(names)], names[(turn + 1) % len(names)]
        begin = at(monday + timedelta(weeks=week), 0)
        end = at(monday + timedelta(weeks=week, days=5), 0)
        covered = turn % 3 != 2
        user, surrogate = staff.cast.users[name], staff.cast.users[cover] if covered else None
        row = covers.plan(actor=staff.cast.actor(name), user=user, surrogate=surrogate, starts_at=begin, ends_at=end)
        if covered:
            covers.accept(actor=staff.cast.actor(cover), absence=row)
        staff.away.append(Away(name, begin, end, cover if covered else ""))


def _silence(staff: Staff, names: Sequence[str], monday: date, weeks: int) -> None:
    for turn, week in enumerate(range(1, weeks, max(3, weeks // (2 * len(names))))):
        name = names[(turn + 1) % len(names)]
        begin = at(monday + timedelta(weeks=week, days=turn % 4), 8)
        if staff.leave_of(name, begin) is None:
            staff.silent.append(Away(name, begin, begin + SILENT_DAYS))
