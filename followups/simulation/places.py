"""Rooms, hours, who is on call and who is away, kept by the director as in real life."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from clinic import covers, places
from clinic.models import Absence, ClinicHours, Closure, OnCall, OperatorSession, Room
from clinic.roles import Role
from followups.simulation.people import Cast

OPENS, CLOSES, NOON, ONE = time(8), time(17), time(12), time(13)
WORKDAYS = range(5)
SATURDAY = 5


@dataclass(frozen=True)
class Places:
    rooms: dict[str, Room]
    closed: frozenset[date]
    today: date

    def workday(self, number: int) -> date:
        """The working day so many before (negative) or after today; today itself for 0, whatever day it is."""
        step = timedelta(days=1 if number > 0 else -1)
        day, left = self.today, abs(number)
        while left:
            day += step
            left -= day.weekday() < SATURDAY and day not in self.closed
        return day

    def moment(self, number: int, hour: int) -> datetime:
        """That hour of the working day so many from today."""
        return at(self.workday(number), hour)


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """A local time of the clinic."""
    return datetime.combine(day, time(hour, minute), tzinfo=ZoneInfo(settings.CLINIC_ZONE))


def create(cast: Cast, *, today: date, weeks: int) -> Places:
    """Everything that a booking needs. ``weeks`` of roster lie behind, two ahead."""
    dora = cast.actor("dora")
    rooms = {
        "one": Room(name="Procedure room 1", location="clinic"),
        "two": Room(name="Procedure room 2", location="clinic"),
        "radiology": Room(name="Radiology", location="radiology", has_fluoroscopy=True),
    }
    for room in rooms.values():
        places.add(actor=dora, row=room)
    for weekday in WORKDAYS:
        places.add(actor=dora, row=ClinicHours(weekday=weekday, opens=OPENS, closes=CLOSES))
        for name in ("pia", "carl"):
            for starts, ends in ((OPENS, NOON), (ONE, CLOSES)):
                row = OperatorSession(operator=cast.users[name], weekday=weekday, starts=starts, ends=ends)
                places.add(actor=dora, row=row)
    monday = today - timedelta(days=today.weekday())
    closed = frozenset({monday - timedelta(days=10)})  # the Friday of the week before last
    for day in closed:
        places.add(actor=dora, row=Closure(first_day=day, last_day=day, reason="Staff training day"))
    repair = monday + timedelta(days=8)
    places.add(actor=dora, row=Closure(first_day=repair, last_day=repair, room=rooms["two"], reason="Ceiling lamp"))
    _roster(cast, monday, weeks)
    _absences(cast, monday)
    return Places(rooms=rooms, closed=closed, today=today)


def _roster(cast: Cast, monday: date, weeks: int) -> None:
    """Physicians week by week in turn; one nurse."""
    for week in range(-weeks, 2):
        begins = at(monday + timedelta(weeks=week), OPENS.hour)
        ends = at(monday + timedelta(weeks=week + 1), OPENS.hour)
        for name, role in ((("pia", "carl")[week % 2], Role.PHYSICIAN), ("nora", Role.NURSE)):
            row = OnCall(user=cast.users[name], role=str(role), starts_at=begins, ends_at=ends)
            places.add(actor=cast.actor("dora"), row=row)


def _absences(cast: Cast, monday: date) -> None:
    """Carl covers Pia: a conference that is past, and her leave in the week after next. Both were accepted."""
    pia, carl = cast.users["pia"], cast.users["carl"]
    first = monday - timedelta(days=28)
    begin, end = at(first, OPENS.hour), at(first + timedelta(days=3), OPENS.hour)
    # what is over cannot be planned any more; it was, when it was to come
    Absence.objects.create(user=pia, surrogate=carl, starts_at=begin, ends_at=end, accepted_at=begin)
    first = monday + timedelta(days=14)
    begin, end = at(first, OPENS.hour), at(first + timedelta(days=5), OPENS.hour)
    leave = covers.plan(actor=cast.actor("pia"), user=pia, surrogate=carl, starts_at=begin, ends_at=end)
    covers.accept(actor=cast.actor("carl"), absence=leave)
