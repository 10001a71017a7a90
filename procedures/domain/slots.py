"""Where a booking fits: opening hours, closures, sessions, and what is taken already. Pure.

A booking is three intervals from one start (the protocol's variant): the operator's time, the room's (with cleaning)
and the patient's whole stay (with recovery). All are half open, so that one may begin as the other ends. Moments are
UTC inside; opening hours are local times, resolved day by day, so that a day with a change of the clock is right.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from functools import cached_property
from typing import Any

from procedures.domain.protocol import Variant

STEP = timedelta(minutes=15)
#: How far the next free ones are looked for.
HORIZON_DAYS = 28
#: What began longer ago than this is recorded as an emergency start or a record, not booked.
EARLIEST_PAST = timedelta(hours=12)
DAY = timedelta(days=1)


def _(message: str) -> str:
    """Marks a sentence for translation; whoever shows it translates."""
    return message


class Resource(StrEnum):
    PATIENT = "patient"
    ROOM = "room"
    OPERATOR = "operator"


@dataclass(frozen=True, order=True)
class Span:
    """From ``start`` until before ``end``."""

    start: datetime
    end: datetime

    def overlaps(self, other: Span) -> bool:
        return self.start < other.end and other.start < self.end

    def holds(self, other: Span) -> bool:
        return self.start <= other.start and other.end <= self.end


@dataclass(frozen=True, order=True)
class Away(Span):
    """Somebody is not there. ``cover``: who has accepted to cover; empty for nobody."""

    cover: str = ""


@dataclass(frozen=True, kw_only=True)
class Lengths:
    """How long operator, room and patient are bound."""

    operator: timedelta
    room: timedelta
    stay: timedelta

    @classmethod
    def of(cls, variant: Variant) -> Lengths:
        return cls(
            operator=timedelta(minutes=variant.operator_minutes),
            room=timedelta(minutes=variant.room_minutes),
            stay=timedelta(minutes=variant.stay_minutes),
        )

    def span(self, resource: Resource, start: datetime) -> Span:
        length = {Resource.OPERATOR: self.operator, Resource.ROOM: self.room, Resource.PATIENT: self.stay}[resource]
        return Span(start, start + length)


@dataclass(frozen=True)
class Weekly:
    """The same hours every week, clinic's local time: opening hours, or an operator's session."""

    weekday: int
    starts: time
    ends: time


@dataclass(frozen=True)
class Closed:
    """Whole days, both included; of the clinic, or of one room."""

    first: date
    last: date
    room: int | None = None
    reason: str = ""

    def covers(self, day: date, room: int | None) -> bool:
        return self.first <= day <= self.last and (self.room is None or self.room == room)


@dataclass(frozen=True)
class Busy:
    """Somebody or something is taken. Never carries whose procedure it is."""

    resource: Resource
    key: int
    span: Span


@dataclass(frozen=True)
class Named:
    """A room or an operator."""

    pk: int
    name: str


@dataclass(frozen=True)
class Slot:
    start: datetime
    room: Named | None
    operator: Named | None


@dataclass(frozen=True)
class Reason:
    """Why a start is not free. ``message`` has ``%(name)s`` places for ``params``."""

    kind: str
    message: str
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def is_outside(self) -> bool:
        """Nobody is in the way; it is the hour: a knowing booking may stand."""
        return self.kind in {"closed", "hours", "stay", "session"}


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """Everything that decides. ``operators`` empty: the booking names nobody yet. ``rooms`` empty: it takes no room.

    An operator without ``sessions`` works at any opening hour.
    """

    zone: tzinfo
    now: datetime
    lengths: Lengths
    patient: int
    rooms: tuple[Named, ...] = ()
    operators: tuple[Named, ...] = ()
    hours: tuple[Weekly, ...] = ()
    closures: tuple[Closed, ...] = ()
    sessions: dict[int, tuple[Weekly, ...]] = field(default_factory=dict)
    busy: tuple[Busy, ...] = ()
    #: When an operator is absent.
    away: dict[int, tuple[Span, ...]] = field(default_factory=dict)
    lead: timedelta = timedelta(0)
    step: timedelta = STEP

    @cached_property
    def taken(self) -> dict[tuple[Resource, int], list[Span]]:
        """Busy spans by whom they bind, merged and in order."""
        spans: dict[tuple[Resource, int], list[Span]] = {}
        for busy in sorted(self.busy, key=lambda b: b.span):
            spans.setdefault((busy.resource, busy.key), []).append(busy.span)
        return {key: _merged(found) for key, found in spans.items()}

    def is_free(self, resource: Resource, key: int, start: datetime) -> bool:
        spans = self.taken.get((resource, key), [])
        wanted = self.lengths.span(resource, start)
        at = bisect_right(spans, wanted.start, key=lambda span: span.start)
        return not any(span.overlaps(wanted) for span in spans[max(0, at - 1) : at + 1])

    def day_of(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()


def moment(day: date, clock: time, zone: tzinfo) -> datetime:
    """A local time of a day in UTC. A time that the clock skips moves forward; of one that comes twice, the first."""
    return datetime.combine(day, clock, tzinfo=zone).replace(fold=0).astimezone(UTC)


def open_spans(calendar: Calendar, day: date, weekly: tuple[Weekly, ...] | None = None) -> list[Span]:
    """When the clinic is open on a day (or the hours given), in order; hours that touch are one."""
    rows = calendar.hours if weekly is None else weekly
    spans = [
        Span(moment(day, row.starts, calendar.zone), moment(day, row.ends, calendar.zone))
        for row in rows
        if row.weekday == day.weekday()
    ]
    return _merged(sorted(span for span in spans if span.start < span.end))


def free_slots(calendar: Calendar, first: date, last: date, *, after: datetime | None = None) -> Iterator[Slot]:
    """Every free start from ``first`` to ``last`` (local days, both included), by time, then room, then operator."""
    earliest = max(calendar.now + calendar.lead, after or calendar.now)
    day = max(first, calendar.day_of(earliest))
    while day <= last:
        yield from _free_on(calendar, day, earliest)
        day += DAY


def next_free(calendar: Calendar, after: datetime, count: int = 3) -> list[Slot]:
    """The next free starts from ``after`` on, one slot each."""
    first = calendar.day_of(after)
    found: list[Slot] = []
    for slot in free_slots(calendar, first, first + HORIZON_DAYS * DAY, after=after):
        if not found or found[-1].start != slot.start:
            found.append(slot)
        if len(found) == count:
            break
    return found


def explain(calendar: Calendar, start: datetime, *, room: Named | None, operator: Named | None) -> list[Reason]:
    """Why ``start`` is not free, in words for whoever books; nothing when it is."""
    if start < calendar.now - EARLIEST_PAST:
        return [Reason("past", _("That time is past."))]
    reasons = _outside(calendar, start, room, operator)
    reasons += _conflicts(calendar, Resource.PATIENT, calendar.patient, start, _PATIENT_BUSY, "")
    if room is not None:
        reasons += _conflicts(calendar, Resource.ROOM, room.pk, start, _ROOM_BUSY, room.name)
    if operator is not None:
        reasons += _conflicts(calendar, Resource.OPERATOR, operator.pk, start, _OPERATOR_BUSY, operator.name)
        reasons += _absences(calendar, start, operator)
    return reasons


_PATIENT_BUSY = _("The patient has another procedure from %(span)s. That cannot be overbooked.")
_ROOM_BUSY = _("%(name)s is taken %(span)s by another procedure.")
#: The kind of reason that nothing lifts: the operator is not there.
AWAY = "away"
_AWAY = _("%(name)s is away until %(until)s, and nobody covers. Choose another operator, or another time.")
_AWAY_COVERED = _("%(name)s is away until %(until)s, covered by %(cover)s. Choose another operator, or another time.")
_OPERATOR_BUSY = _("%(name)s is busy %(span)s with another procedure.")


def _free_on(calendar: Calendar, day: date, earliest: datetime) -> Iterator[Slot]:
    opens = open_spans(calendar, day)
    for span in opens:
        start = _next_step(max(span.start, earliest), calendar.step)
        while start + calendar.lengths.room <= span.end and start + calendar.lengths.stay <= opens[-1].end:
            if calendar.is_free(Resource.PATIENT, calendar.patient, start):
                yield from _slots_at(calendar, day, start)
            start += calendar.step


def _slots_at(calendar: Calendar, day: date, start: datetime) -> Iterator[Slot]:
    operators: tuple[Named | None, ...] = calendar.operators or (None,)
    rooms: tuple[Named | None, ...] = calendar.rooms or (None,)
    able = [o for o in operators if o is None or _operator_free(calendar, day, start, o)]
    for room in rooms:
        if any(closed.covers(day, room.pk if room else None) for closed in calendar.closures):
            continue
        if room is None or calendar.is_free(Resource.ROOM, room.pk, start):
            for operator in able:
                yield Slot(start, room, operator)


def _operator_free(calendar: Calendar, day: date, start: datetime, operator: Named) -> bool:
    works = _session_holds(calendar, day, start, operator) and not is_away(calendar, start, operator)
    return works and calendar.is_free(Resource.OPERATOR, operator.pk, start)


def is_away(calendar: Calendar, start: datetime, operator: Named) -> bool:
    """Absent for a part of the operator's time of a booking that begins at ``start``."""
    wanted = calendar.lengths.span(Resource.OPERATOR, start)
    return any(span.overlaps(wanted) for span in calendar.away.get(operator.pk, ()))


def _session_holds(calendar: Calendar, day: date, start: datetime, operator: Named) -> bool:
    sessions = calendar.sessions.get(operator.pk, ())
    wanted = calendar.lengths.span(Resource.OPERATOR, start)
    return not sessions or any(span.holds(wanted) for span in open_spans(calendar, day, sessions))


def _outside(calendar: Calendar, start: datetime, room: Named | None, operator: Named | None) -> list[Reason]:
    """The clinic's hours bind what takes a room; an operator's sessions bind the operator."""
    day = calendar.day_of(start)
    reasons: list[Reason] = []
    if room is not None:
        reasons += _room_outside(calendar, day, start, room)
    if operator is not None and not _session_holds(calendar, day, start, operator):
        reasons.append(Reason("session", _("%(name)s has no session then."), {"name": operator.name}))
    return reasons


def _absences(calendar: Calendar, start: datetime, operator: Named) -> list[Reason]:
    """Who is away cannot operate, whatever the reason to book it all the same."""
    wanted = calendar.lengths.span(Resource.OPERATOR, start)
    reasons = []
    for span in calendar.away.get(operator.pk, ()):
        if span.overlaps(wanted):
            until = f"{span.end.astimezone(calendar.zone):%-d %b %H:%M}"
            cover = span.cover if isinstance(span, Away) else ""
            message = _AWAY_COVERED if cover else _AWAY
            reasons.append(Reason(AWAY, message, {"name": operator.name, "until": until, "cover": cover}))
    return reasons


def _room_outside(calendar: Calendar, day: date, start: datetime, room: Named) -> list[Reason]:
    for closed in calendar.closures:
        if closed.covers(day, room.pk):
            message = _("%(name)s is closed: %(why)s.") if closed.room else _("The clinic is closed: %(why)s.")
            return [Reason("closed", message, {"name": room.name, "why": closed.reason})]
    opens = open_spans(calendar, day)
    if not opens:
        return [Reason("hours", _("The clinic is not open on that day."))]
    if not any(span.holds(calendar.lengths.span(Resource.ROOM, start)) for span in opens):
        words = ", ".join(_local(span, calendar.zone) for span in opens)
        return [Reason("hours", _("The room is needed outside the opening hours (%(hours)s)."), {"hours": words})]
    end = start + calendar.lengths.stay
    if end > opens[-1].end:
        params = {"end": f"{end.astimezone(calendar.zone):%H:%M}", "closes": _clock(opens[-1].end, calendar.zone)}
        return [Reason("stay", _("The patient would stay until %(end)s; the clinic closes at %(closes)s."), params)]
    return []


def _conflicts(
    calendar: Calendar, resource: Resource, key: int, start: datetime, message: str, name: str
) -> list[Reason]:
    wanted = calendar.lengths.span(resource, start)
    return [
        Reason(str(resource), message, {"name": name, "span": _local(busy.span, calendar.zone)})
        for busy in sorted(calendar.busy, key=lambda b: b.span)
        if busy.resource == resource and busy.key == key and busy.span.overlaps(wanted)
    ]


def _merged(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in spans:
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def _next_step(start: datetime, step: timedelta) -> datetime:
    """Rounded up to the grid; zones differ from UTC by whole quarters of an hour, so the grid is the local one too."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return epoch + -((epoch - start) // step) * step


def _clock(moment_: datetime, zone: tzinfo) -> str:
    return f"{moment_.astimezone(zone):%H:%M}"


def _local(span: Span, zone: tzinfo) -> str:
    return f"{_clock(span.start, zone)}–{_clock(span.end, zone)}"
