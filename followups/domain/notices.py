"""What a patient is told by a message at certain times: the appointment, the form before it, a word after it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from typing import Any

from procedures.domain.patient_content import SymptomCheck

DAY = timedelta(days=1)
SATURDAY = 5
#: What makes a tap one that is asked about again and again.
COMPLICATED = frozenset({"complicated", "large_volume", "held", "first"})
APPOINTMENT, FORM, WEEK = "appointment", "form", "week"


@dataclass(frozen=True)
class Times:
    """``notices.toml``: how long before and after."""

    at: time
    working_days_before: int
    days_to_spare: int
    days_after: int

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Times:
        """Raises KeyError or ValueError for a file that lacks one of them."""
        return cls(
            at=time.fromisoformat(data["at"]),
            working_days_before=int(data[APPOINTMENT]["working_days_before"]),
            days_to_spare=int(data[FORM]["days_to_spare"]),
            days_after=int(data[WEEK]["days_after"]),
        )


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One message to be sent from ``start_at``; not sent by ``due_at``, a person sees to it."""

    code: str
    key: str
    start_at: datetime
    due_at: datetime


def before(*, slot_at: datetime, scheduled_at: datetime, times: Times, zone: tzinfo) -> Iterator[Notice]:
    """While the case has a slot. Another slot is another notice; one that was booked late needs no reminder."""
    local = slot_at.astimezone(zone)
    remind = _at(working_days_before(local, times.working_days_before), times.at, zone)
    day = local.date().isoformat()
    if scheduled_at <= remind:
        yield Notice(code=APPOINTMENT, key=f"notice:appointment:{day}", start_at=remind, due_at=remind + DAY)
    spare = timedelta(days=times.days_to_spare)
    if scheduled_at + spare <= slot_at:
        due = max(scheduled_at + DAY, slot_at - spare)
        yield Notice(code=FORM, key="notice:form", start_at=scheduled_at, due_at=due)


def quiet_week(flags: frozenset[str], checks: Iterable[SymptomCheck], times: Times) -> bool:
    """An uncomplicated one of a series that is not asked about a week after: the patient hears from us once more."""
    hours = times.days_after * 24
    asked = any(c.after_hours >= hours and (not c.only_if or flags.intersection(c.only_if)) for c in checks)
    return "serial" in flags and not flags & COMPLICATED and not asked


def after(*, started_at: datetime, times: Times, zone: tzinfo) -> Notice:
    """A week after the needle."""
    day = started_at.astimezone(zone) + timedelta(days=times.days_after)
    start = _at(day, times.at, zone)
    return Notice(code=WEEK, key="notice:week", start_at=start, due_at=start + DAY)


def working_days_before(moment: datetime, days: int) -> datetime:
    """Saturdays and Sundays are not counted."""
    found = moment
    while days > 0:
        found -= DAY
        days -= found.weekday() < SATURDAY
    return found


def _at(moment: datetime, at: time, zone: tzinfo) -> datetime:
    return datetime.combine(moment.date(), at, tzinfo=zone)
