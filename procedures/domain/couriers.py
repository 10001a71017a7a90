"""The way to the laboratory: its working days, and whether fluid of a slot still makes the last courier. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

from procedures.domain.slots import Slot

_DAY = timedelta(days=1)
_WEEK = 7


def counted(
    start: datetime, hours: int, running: Collection[int], zone: tzinfo, *, incubates: bool = False
) -> datetime:
    """``hours`` after ``start``, leaving out the local days on which the laboratory does not work.

    Without ``running`` every day counts. What grows for weeks (``incubates``) grows on a Sunday too: only when it
    would be ready on a day without work is it read on the next one.
    """
    start = start.astimezone(UTC)  # hours, and not the hands of a clock that is changed
    end = start + timedelta(hours=hours)
    if not running or len(set(running)) == _WEEK:
        return end
    if incubates:
        return _on_a_working_day(end, running, zone)
    left, moment = timedelta(hours=hours), start
    while True:
        midnight = _next_midnight(moment, zone)
        if moment.astimezone(zone).weekday() in running:
            if moment + left <= midnight:
                return moment + left
            left -= midnight - moment
        moment = midnight


def _on_a_working_day(moment: datetime, running: Collection[int], zone: tzinfo) -> datetime:
    """The same local hour of the first working day from then on."""
    local = moment.astimezone(zone)
    while local.weekday() not in running:
        local += _DAY
    return local.astimezone(UTC)


def _next_midnight(moment: datetime, zone: tzinfo) -> datetime:
    day = moment.astimezone(zone).date() + _DAY
    return datetime.combine(day, time(0), tzinfo=zone).astimezone(UTC)


# --- the last courier -----------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Courier:
    """The last one of each weekday, local time, and the days on which its laboratory works."""

    pickups: Mapping[int, time]
    running: frozenset[int]
    laboratory: str = ""


@dataclass(frozen=True, kw_only=True)
class Missed:
    """The fluid is ready after the last courier. ``last`` None: none comes on that day; ``works``: the laboratory."""

    ready: datetime
    last: time | None
    works: bool


def missed(courier: Courier | None, ready: datetime, zone: tzinfo) -> Missed | None:
    """What is in the way of fluid that is ready then; None when it makes the courier, or no courier is known."""
    if courier is None or not courier.pickups:
        return None
    local = ready.astimezone(zone)
    last = courier.pickups.get(local.weekday())
    works = local.weekday() in courier.running
    if works and last is not None and local.time().replace(tzinfo=None) <= last:
        return None
    return Missed(ready=ready, last=last, works=works)


def of_slot(known: Mapping[int | None, Courier], slot: Slot, drawn: timedelta, zone: tzinfo) -> Missed | None:
    """The same for a slot, ``drawn`` after its start; ``known``: the courier of each room."""
    return missed(known.get(slot.room.pk if slot.room else None), slot.start + drawn, zone)


def first_in_time(
    known: Mapping[int | None, Courier], slots: Iterable[Slot], drawn: timedelta, zone: tzinfo
) -> Slot | None:
    """The first of the slots whose fluid makes the courier."""
    return next((slot for slot in slots if of_slot(known, slot, drawn, zone) is None), None)
