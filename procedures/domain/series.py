"""The same procedure every so many days: which dates that gives, and where each of them fits. Pure.

The dates of a series stand on its first one, so that a tap that moves past a holiday does not move those after it. The
*distance* is counted in calendar days from the tap before; it *drifts* by what it differs from the interval.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from procedures.domain import slots
from procedures.domain.protocol import Protocol
from procedures.domain.slots import DAY, Calendar, Reason, Resource, Slot
from procedures.domain.states import Outcome, ProcedureStatus

INTERVAL_DAYS = (1, 180)
#: How many are booked at once.
MOST_AT_ONCE = 12
MOST_IN_ALL = 99
#: How far from its day a free slot is looked for: half the interval, within these.
REACH_DAYS = (3, 14)

_S = ProcedureStatus
#: Begun, over or given up: never touched by a change of the series.
CHANGEABLE = frozenset({_S.REQUESTED, _S.SCHEDULED})
#: Has a place in the calendar before the needle is out.
BOOKED = frozenset({_S.SCHEDULED, _S.ARRIVED, _S.IN_PROGRESS})
#: Counts for nothing.
FALLEN = frozenset({_S.CANCELLED, _S.NO_SHOW, _S.ENTERED_IN_ERROR})


def _(message: str) -> str:
    """Marks a sentence for translation; whoever shows it translates."""
    return message


@dataclass(frozen=True, kw_only=True)
class Timing:
    """What the protocol says of its series. Where it is silent nothing is tolerated, and the next is booked at once."""

    tolerance_days: int
    book_days_before: int | None
    wanted_ahead: int

    @classmethod
    def of(cls, protocol: Protocol) -> Timing:
        said = protocol.series
        if said is None:
            return cls(tolerance_days=0, book_days_before=None, wanted_ahead=1)
        return cls(
            tolerance_days=said.tolerance_days,
            book_days_before=said.book_days_before,
            wanted_ahead=said.wanted_ahead,
        )


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One tap to find a place for: the day that the interval gives, and the time. ``room``: preferred if free."""

    day: date
    at: time
    room: int | None = None


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """Where it fits. ``slot`` None: nowhere near. ``why``: what is in the way on the day itself."""

    wanted: Wanted
    slot: Slot | None
    why: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class Gap:
    """The distance from the tap before. ``drift``: longer (or shorter, below 0) than the interval by so many days."""

    days: int
    drift: int

    def is_beyond(self, tolerance: int) -> bool:
        return abs(self.drift) > tolerance


def ideal_days(first: date, interval_days: int, count: int) -> list[date]:
    """The first day and every ``interval_days`` after it."""
    return [first + number * interval_days * DAY for number in range(count)]


def gaps(days: Sequence[date], interval_days: int) -> list[Gap | None]:
    """From each day (in order) to the one before; None for the first."""
    found: list[Gap | None] = [None] if days else []
    for before, day in pairwise(days):
        found.append(Gap((day - before).days, (day - before).days - interval_days))
    return found


def reach(interval_days: int) -> int:
    """How many days around its own a tap may be moved without being asked."""
    return max(REACH_DAYS[0], min(REACH_DAYS[1], interval_days // 2))


def propose(
    wanted: Sequence[Wanted], calendar_of: Callable[[int], Calendar], *, days_around: int, after: date | None = None
) -> list[Proposal]:
    """A place for each, in order of time and never two on a day; ``after``: the day of the tap before the first.

    ``calendar_of`` gives the calendar that the n-th one is looked for in.
    """
    found: list[Proposal] = []
    for number, wish in enumerate(wanted):
        proposal = fit(calendar_of(number), wish, days_around=days_around, after=after)
        found.append(proposal)
        taken = calendar_of(number).day_of(proposal.slot.start) if proposal.slot else wish.day
        after = max(after, taken) if after else taken
    return found


def fit(calendar: Calendar, wish: Wanted, *, days_around: int, after: date | None) -> Proposal:
    """The free slot nearest to the wish: the same day first, then the nearest day, the later of two."""
    for day in _around(wish.day, days_around):
        if after is not None and day <= after:
            continue
        slot = best_on(calendar, day, wish)
        if slot is not None:
            return Proposal(wanted=wish, slot=slot, why=tuple(why_not(calendar, wish, slot, after)))
    return Proposal(wanted=wish, slot=None, why=tuple(why_not(calendar, wish, None, after)))


def best_on(calendar: Calendar, day: date, wish: Wanted) -> Slot | None:
    """The free start of a day nearest to the wished time, in the wished room if that is free."""
    start = slots.moment(day, wish.at, calendar.zone)

    def distance(slot: Slot) -> tuple[timedelta, bool, datetime]:
        other = wish.room is not None and (slot.room is None or slot.room.pk != wish.room)
        return abs(slot.start - start), other, slot.start

    return min(slots.free_slots(calendar, day, day), key=distance, default=None)


def why_not(calendar: Calendar, wish: Wanted, slot: Slot | None, after: date | None = None) -> Iterator[Reason]:
    """Why it is not on the day and at the time that the interval gives; nothing where it is."""
    start = slots.moment(wish.day, wish.at, calendar.zone)
    if slot is not None and slot.start == start:
        return
    if slot is not None and calendar.day_of(slot.start) == wish.day:
        yield Reason("time", _("%(at)s is not free"), {"at": f"{wish.at:%H:%M}"})
        return
    if after is not None and wish.day <= after:
        yield Reason("order", _("the tap before is not earlier"))
        return
    yield _day_reason(calendar, wish.day)


def _day_reason(calendar: Calendar, day: date) -> Reason:
    """What makes the whole day impossible, the plainest first."""
    closed = _closed(calendar, day)
    if day < calendar.day_of(calendar.now):
        return Reason("past", _("that day is past"))
    if closed is not None:
        return closed
    if not slots.open_spans(calendar, day):
        return Reason("hours", _("the clinic is not open on that weekday"))
    for operator in calendar.operators:
        sessions = calendar.sessions.get(operator.pk, ())
        if sessions and not slots.open_spans(calendar, day, sessions):
            return Reason("session", _("%(name)s has no session on that weekday"), {"name": operator.name})
        starts = _starts(calendar, day)
        if all(slots.is_away(calendar, start, operator) for start in starts):
            return Reason("away", _("%(name)s is away"), {"name": operator.name})
        if not any(calendar.is_free(Resource.OPERATOR, operator.pk, start) for start in starts):
            return Reason("operator", _("%(name)s is busy all day"), {"name": operator.name})
    return Reason("full", _("nothing is free that day"))


def _closed(calendar: Calendar, day: date) -> Reason | None:
    for closure in calendar.closures:
        if closure.covers(day, None):
            return Reason("closed", _("clinic closed (%(why)s)"), {"why": closure.reason})
    reasons = [c.reason for room in calendar.rooms for c in calendar.closures if c.covers(day, room.pk)]
    if reasons and len(reasons) >= len(calendar.rooms):
        return Reason("closed", _("room closed (%(why)s)"), {"why": reasons[0]})
    return None


def _starts(calendar: Calendar, day: date) -> list[datetime]:
    return [
        span.start + number * calendar.step
        for span in slots.open_spans(calendar, day)
        for number in range(int((span.end - span.start) / calendar.step))
    ]


def _around(day: date, distance: int) -> Iterator[date]:
    """The day, then one later, one earlier, two later …"""
    yield day
    for step in range(1, distance + 1):
        yield day + step * DAY
        yield day - step * DAY


# --- where a series stands ------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Tap:
    """One case of a series. ``at``: when it was or will be; None without a slot."""

    pk: int
    status: ProcedureStatus
    at: datetime | None
    done_at: datetime | None = None
    ended_at: datetime | None = None  # cancelled, no-show
    outcome: Outcome | None = None
    gap_accepted: int | None = None  # somebody has said that so many days after the one before are right

    @property
    def stands(self) -> bool:
        """Is done, or will be."""
        return self.status not in FALLEN and self.outcome is not Outcome.NOT_ATTEMPTED

    @property
    def is_done(self) -> bool:
        return self.status is _S.COMPLETED and self.stands

    @property
    def is_booked(self) -> bool:
        return self.status in BOOKED

    def may_change(self, now: datetime) -> bool:
        return self.status in CHANGEABLE and (self.at is None or self.at > now)


@dataclass(frozen=True, kw_only=True)
class Need:
    """The next tap that is to be booked: when it is needed, and by when it must be booked. ``drift`` is set where one
    is booked, but too late.
    """

    needed_on: date | None  # None: as soon as possible
    since: datetime
    drift: Gap | None = None


@dataclass(frozen=True, kw_only=True)
class Course:
    """A series as its taps make it. Days are the clinic's."""

    interval_days: int
    total: int | None
    until: date | None
    started_at: datetime
    taps: tuple[Tap, ...]
    day_of: Callable[[datetime], date]

    @property
    def standing(self) -> list[Tap]:
        """Done and booked, in order of time."""
        return sorted((t for t in self.taps if t.stands and t.at is not None), key=lambda t: (t.at, t.pk))

    @property
    def last_done(self) -> Tap | None:
        return max((t for t in self.taps if t.is_done and t.at), key=lambda t: t.at or self.started_at, default=None)

    @property
    def booked(self) -> list[Tap]:
        return [t for t in self.standing if t.is_booked]

    @property
    def remaining(self) -> int | None:
        """How many are still to be done or booked beyond those that stand; None where the number is open."""
        return None if self.total is None else max(0, self.total - sum(t.stands for t in self.taps))

    def with_gaps(self) -> list[tuple[Tap, Gap | None]]:
        days = [self.day_of(t.at) for t in self.standing if t.at]
        return list(zip(self.standing, gaps(days, self.interval_days), strict=True))

    @property
    def next_day(self) -> date | None:
        """When the next one that is not booked yet is needed; None where it is the first of all."""
        latest = self.standing[-1] if self.standing else None
        return self.day_of(latest.at) + self.interval_days * DAY if latest and latest.at else None

    def is_complete(self, waiting: int = 0) -> bool:
        """Nothing more is to be booked: all of the total stand, or the next would be after the end."""
        over = self.until is not None and self.next_day is not None and self.next_day > self.until
        return over or (self.remaining is not None and self.remaining + waiting <= 0)

    def too_late(self, tolerance: int) -> tuple[Tap, Gap] | None:
        """The first booked one that comes later after the one before than is tolerated, and that nobody accepted."""
        for tap, gap in self.with_gaps():
            if gap and tap.is_booked and gap.drift > tolerance and gap.days > (tap.gap_accepted or 0):
                return tap, gap
        return None

    def need(self, timing: Timing) -> Need | None:
        """What is still to be booked, or to be brought forward; None where all is well."""
        late = self.too_late(timing.tolerance_days)
        if late is not None:
            tap, gap = late
            day = self.day_of(tap.at) - gap.drift * DAY if tap.at else None
            return Need(needed_on=day, since=self._since(), drift=gap)
        unbooked = sum(t.status is _S.REQUESTED for t in self.taps)
        if len(self.booked) >= timing.wanted_ahead or self.is_complete(unbooked):
            return None
        return Need(needed_on=self.next_day, since=self._since())

    def _since(self) -> datetime:
        ended = [at for t in self.taps for at in (t.done_at, t.ended_at) if at is not None]
        return max([self.started_at, *ended])


def moved(days: Iterable[date], *, shift: int = 0, weekday: int | None = None) -> list[date]:
    """Each day shifted; then, with ``weekday``, the nearest such day (three days earlier to three later)."""
    return [_to_weekday(day + shift * DAY, weekday) for day in days]


def _to_weekday(day: date, weekday: int | None) -> date:
    if weekday is None:
        return day
    step = (weekday - day.weekday()) % 7
    return day + (step - 7 if step > 3 else step) * DAY
