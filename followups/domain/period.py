"""A period of whole days of the clinic. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

#: What can be chosen with one click, in days; the first one that is shown.
CHOICES = (7, 30, 90)
USUAL = 30
#: Nobody asks for more, and an answer takes its time.
LONGEST = timedelta(days=731)


@dataclass(frozen=True)
class Period:
    """From the beginning of ``first`` to the end of ``last``, on the clinic's wall clock."""

    first: date
    last: date
    zone: tzinfo

    @classmethod
    def of_days(cls, days: int, today: date, zone: tzinfo) -> Period:
        """The last so many days, today among them."""
        return cls(today - timedelta(days=days - 1), today, zone)

    @property
    def starts(self) -> datetime:
        return datetime.combine(self.first, time.min, tzinfo=self.zone)

    @property
    def ends(self) -> datetime:
        """The first moment after it."""
        return datetime.combine(self.last + timedelta(days=1), time.min, tzinfo=self.zone)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1
