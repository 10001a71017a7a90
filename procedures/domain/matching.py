"""To which case a laboratory's service belongs. Pure.

By the number of a tube or of an order, then by fluid and time of collection. What points at two cases is a question;
a number of ours that is another patient's is one, and an alarm.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from procedures.domain.fluids import Fluid
from procedures.domain.protocol import Protocol
from procedures.domain.report import Group, Moment

DAY = timedelta(days=1)


class CaseReason(StrEnum):
    """Why it is not certain which case it is. Stored with what waits."""

    ANOTHER_PATIENTS_SPECIMEN = "another_patients_specimen"
    NUMBERS_DISAGREE = "numbers_disagree"  # tube and order are of two cases
    CASE_IN_ERROR = "case_in_error"
    NO_CASE = "no_case"  # none of this fluid near this time
    NO_TIME = "no_time"
    SEVERAL_CASES = "several_cases"


class WaitReason(StrEnum):
    """Other reasons for which something waits."""

    UNKNOWN_LABORATORY = "unknown_laboratory"
    UNKNOWN_STANDING = "unknown_standing"  # neither preliminary nor final nor anything else that we know
    NOT_PRODUCTION = "not_production"  # marked for training or debugging: it may be of no patient at all
    UNREADABLE_PART = "unreadable_part"
    NOTHING_INSIDE = "nothing_inside"
    SEVERAL_VALUES = "several_values"  # two numbers for one value
    FAILED = "failed"  # it could not be entered, for a fault of ours
    UNDONE = "undone"  # somebody took a wrong attachment back


#: A number that points at another patient: nobody waits for the morning with this.
ALARMING = frozenset({str(CaseReason.ANOTHER_PATIENTS_SPECIMEN)})


@dataclass(frozen=True, kw_only=True)
class Tube:
    id: int
    number: str
    collected_at: datetime
    fluid: str  # of its container


@dataclass(frozen=True, kw_only=True)
class Order:
    """A test of the case."""

    id: int
    code: str
    number: str
    tube_id: int | None
    collected_at: datetime | None
    open: bool  # its result is awaited


@dataclass(frozen=True, kw_only=True)
class Case:
    id: int
    code: str
    protocol: Protocol
    in_error: bool
    started_at: datetime | None
    tubes: tuple[Tube, ...]
    orders: tuple[Order, ...]

    @property
    def moments(self) -> tuple[datetime, ...]:
        """When something was taken; the start of the procedure where no tube was recorded."""
        times = {tube.collected_at for tube in self.tubes}
        times |= {order.collected_at for order in self.orders if order.collected_at is not None}
        if not times and self.started_at is not None:
            times.add(self.started_at)
        return tuple(sorted(times))

    def has(self, fluid: Fluid | None) -> bool:
        return fluid is None or any(test.fluid in fluid.serves for test in self.protocol.tests)


@dataclass(frozen=True)
class Where:
    """``case`` only when it is certain. ``by_number``: a number of ours said so. ``may_be``: nearest first."""

    case: Case | None
    reason: CaseReason | None = None
    by_number: bool = False
    tube: Tube | None = None
    may_be: tuple[Case, ...] = ()


def case_of(group: Group, fluid: Fluid | None, cases: Iterable[Case], *, foreign: frozenset[str]) -> Where:
    """The case among the patient's ``cases``. ``foreign``: numbers in the message that are another patient's."""
    rows = tuple(cases)
    near = nearest(rows, fluid, collected(group))
    if foreign & numbers(group):
        return Where(None, CaseReason.ANOTHER_PATIENTS_SPECIMEN, may_be=near)
    by_tube = {c.id: (c, tube) for c in rows for tube in c.tubes if tube.number and tube.number in numbers(group)}
    by_order = {c.id: c for c in rows if _ordered(c, group)}
    found = {pk: case for pk, (case, _tube) in by_tube.items()} | by_order
    if len(found) > 1:
        return Where(None, CaseReason.NUMBERS_DISAGREE, may_be=tuple(found.values()))
    for pk, case in found.items():
        if case.in_error:
            return Where(None, CaseReason.CASE_IN_ERROR, may_be=near)
        tube = by_tube[pk][1] if pk in by_tube else None
        return Where(case, by_number=True, tube=tube, may_be=(case,))
    return _by_time(group, fluid, rows, near)


def _by_time(group: Group, fluid: Fluid | None, rows: tuple[Case, ...], near: tuple[Case, ...]) -> Where:
    moment = collected(group)
    if moment is None:
        return Where(None, CaseReason.NO_TIME, may_be=near)
    within = [
        case
        for case in rows
        if not case.in_error
        and case.has(fluid)
        and (apart := distance(case, moment)) is not None
        and apart <= timedelta(hours=case.protocol.match_hours)
    ]
    if len(within) == 1:
        return Where(within[0], may_be=near)
    return Where(None, CaseReason.SEVERAL_CASES if within else CaseReason.NO_CASE, may_be=near)


def numbers(group: Group) -> frozenset[str]:
    """Every number that may be one of ours: of tubes, and of the order."""
    found = {number.strip() for specimen in group.specimens for number in specimen.numbers}
    return frozenset({*found, group.placer_number.strip()} - {""})


def ours(case: Case) -> frozenset[str]:
    """Every number of ours by which a message may name this case: its own code, its tubes', its orders'."""
    tubes, orders = {tube.number for tube in case.tubes}, {order.number for order in case.orders}
    return frozenset({case.code, *tubes, *orders} - {""})


def _ordered(case: Case, group: Group) -> bool:
    """By the order's number, or by the case's own code, which is on the labels of its tubes."""
    number = group.placer_number.strip()
    return case.code in numbers(group) or (bool(number) and any(order.number == number for order in case.orders))


def collected(group: Group) -> Moment | None:
    """When it was taken: by the specimen, else by the order, else by an observation."""
    moments = [specimen.collected_at for specimen in group.specimens] + [group.collected_at]
    moments += [observation.observed_at for observation in group.observations]
    return next((moment for moment in moments if moment is not None and moment.at is not None), None)


def distance(case: Case, moment: Moment) -> timedelta | None:
    """How far the nearest thing that was taken is; nothing on a day that is named without an hour."""
    if moment.at is None:
        return None
    apart = []
    for at in case.moments:
        begin, end = moment.at, moment.at + (DAY if moment.to_the_day else timedelta(0))
        apart.append(begin - at if at < begin else max(timedelta(0), at - end))
    return min(apart, default=None)


def nearest(cases: Iterable[Case], fluid: Fluid | None, moment: Moment | None) -> tuple[Case, ...]:
    """For a person to choose from: this fluid first, then the nearest in time, then the newest."""

    def rank(case: Case) -> tuple[bool, timedelta, int]:
        apart = distance(case, moment) if moment is not None else None
        return (not case.has(fluid), apart if apart is not None else timedelta.max, -case.id)

    return tuple(sorted((case for case in cases if not case.in_error), key=rank))


def open_orders(case: Case, number: str) -> frozenset[str]:
    """The codes that the order's number names, else all whose result is awaited."""
    by_number = {order.code for order in case.orders if order.number and order.number == number.strip()}
    return frozenset(by_number or {order.code for order in case.orders if order.open})
