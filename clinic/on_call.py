"""Who is on call in a week, day by day for each role, and when nobody is.

A gap is a night, a weekend or a closure without anybody on call who is there: while the clinic is open everybody who
holds the role is. Who is on call and away counts only when somebody has accepted to cover.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import places, timewords
from clinic.models import Absence, OnCall, User
from clinic.opening import DAY, Span, day_span, minus
from clinic.roles import Role

#: Roles that are put on call, in the order of the page, and what their people are called.
ROLES: dict[Role, Promise] = {
    Role.PHYSICIAN: gettext_lazy("physicians"),
    Role.NURSE: gettext_lazy("nurses"),
    Role.DIRECTOR: gettext_lazy("directors"),
}
#: Somebody must always answer for these at night; a director is put on call only where a clinic does that.
ALWAYS = frozenset({Role.PHYSICIAN, Role.NURSE})
WEEK = 7 * DAY
#: A night or a weekend at the edge of the week is told as a whole.
AROUND = 4 * DAY
#: A roster that was kept within this time of the week is one that is kept.
KEPT_WITHIN = timedelta(days=28)


@dataclass(frozen=True)
class Turn:
    """A turn, or the part of it on one day. ``stand_in``: who covers; ``away``: they are away, so it may be nobody."""

    span: Span
    pk: int
    user: User
    away: bool = False
    stand_in: User | None = None


@dataclass(frozen=True)
class Entry:
    """A line of a cell. ``turn``: None for hours without anybody."""

    words: str
    turn: Turn | None = None


@dataclass(frozen=True)
class Cell:
    """One role on one day: its turns, and the hours without anybody."""

    day: Span
    turns: tuple[Turn, ...]
    gaps: tuple[Span, ...]
    zone: tzinfo

    @property
    def entries(self) -> list[Entry]:
        """Everything in the order of the day."""
        lines = [(turn.span, turn) for turn in self.turns] + [(gap, None) for gap in self.gaps]
        return [Entry(self._hours(span), turn) for span, turn in sorted(lines, key=lambda line: line[0])]

    def _hours(self, span: Span) -> str:
        since, until = (timewords.clock(moment, self.zone) for moment in (span.start, span.end))
        if span == self.day:
            return _("all day")
        if span.end == self.day.end:
            return _("from %(since)s") % {"since": since}
        if span.start == self.day.start:
            return _("until %(until)s") % {"until": until}
        return f"{since}–{until}"


@dataclass(frozen=True)
class RoleWeek:
    """One role's week. ``kept``: somebody keeps a roster for it; without one everybody who holds the role is asked.

    A gap at the edge of the week is as long as it is.
    """

    role: Role
    people: Promise
    cells: tuple[Cell, ...]
    gaps: tuple[Span, ...]
    kept: bool
    nobody: bool = False  # in the whole week


@dataclass(frozen=True)
class Week:
    days: tuple[date, ...]
    roles: tuple[RoleWeek, ...]

    @property
    def rows(self) -> list[tuple[date, list[tuple[RoleWeek, Cell]]]]:
        """Day by day: each role's cell."""
        return [(day, [(role, role.cells[n]) for role in self.roles]) for n, day in enumerate(self.days)]


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def week(monday: date, zone: tzinfo) -> Week:
    """Four queries."""
    days = tuple(monday + n * DAY for n in range(7))
    span = Span(day_span(monday, zone).start, day_span(days[-1], zone).end)
    rows = OnCall.objects.filter(starts_at__lt=span.end + KEPT_WITHIN, ends_at__gt=span.start - KEPT_WITHIN)
    turns = list(rows.select_related("user").order_by("starts_at", "pk"))
    away = list(
        Absence.objects.filter(
            user__in={turn.user_id for turn in turns}, starts_at__lt=span.end + AROUND, ends_at__gt=span.start - AROUND
        ).select_related("surrogate")
    )
    shut = places.opening().shut_within(span.start - AROUND, span.end + AROUND)
    days_spans = [day_span(day, zone) for day in days]
    return Week(days, tuple(_role(role, turns, away, shut, days_spans, zone) for role in ROLES))


def _role(
    role: Role, turns: Iterable[OnCall], away: list[Absence], shut: list[Span], days: list[Span], zone: tzinfo
) -> RoleWeek:
    week_ = Span(days[0].start, days[-1].end)
    mine = [turn for turn in turns if turn.role == role]
    parts = [part for turn in mine for part in _parts(turn, away)]
    empty = minus(shut, [part.span for part in parts if not part.away or part.stand_in])
    gaps = [gap for gap in empty if _within(gap, week_)]
    kept = bool(mine) or role in ALWAYS
    cells = [
        Cell(
            day,
            tuple(_cut(part, day) for part in parts if _within(part.span, day)),
            tuple(Span(max(g.start, day.start), min(g.end, day.end)) for g in gaps if _within(g, day)) if kept else (),
            zone,
        )
        for day in days
    ]
    nobody = kept and not any(cell.turns for cell in cells)
    return RoleWeek(role, ROLES[role], tuple(cells), tuple(gaps) if kept else (), bool(mine), nobody)


def _parts(turn: OnCall, away: Iterable[Absence]) -> list[Turn]:
    """A turn, cut where the person is away."""
    whole = Span(turn.starts_at, turn.ends_at)
    holes = [a for a in away if a.user_id == turn.user_id and _within(Span(a.starts_at, a.ends_at), whole)]
    parts = [Turn(left, turn.pk, turn.user) for left in minus([whole], [Span(a.starts_at, a.ends_at) for a in holes])]
    for absence in holes:
        span = Span(max(whole.start, absence.starts_at), min(whole.end, absence.ends_at))
        parts.append(Turn(span, turn.pk, turn.user, True, absence.surrogate if absence.is_covered else None))
    return sorted(parts, key=lambda part: part.span)


def _within(span: Span, other: Span) -> bool:
    return span.start < other.end and other.start < span.end


def _cut(turn: Turn, day: Span) -> Turn:
    span = Span(max(turn.span.start, day.start), min(turn.span.end, day.end))
    return Turn(span, turn.pk, turn.user, turn.away, turn.stand_in)
