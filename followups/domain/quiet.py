"""The hours in which a patient is left in peace. Pure.

They are times on the clinic's wall clock, so they stay there when the clocks change, and may run over midnight.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

DAY = timedelta(days=1)
#: Longer than this is a file with the two times swapped.
LONGEST_QUIET = timedelta(hours=14)


@dataclass(frozen=True)
class QuietHours:
    """From ``begins`` until before ``ends``, on the next day where that is earlier."""

    begins: time
    ends: time

    @property
    def length(self) -> timedelta:
        minutes = (self.ends.hour - self.begins.hour) * 60 + self.ends.minute - self.begins.minute
        return timedelta(minutes=minutes % (24 * 60))

    def holds(self, at: time) -> bool:
        """Whether this time of day is quiet."""
        if self.begins < self.ends:
            return self.begins <= at < self.ends
        return at >= self.begins or at < self.ends

    def after(self, moment: datetime, zone: tzinfo) -> datetime:
        """The moment itself, or the end of the quiet hours that it falls into."""
        local = moment.astimezone(zone)
        if not self.holds(local.time()):
            return moment
        day = local.date() if local.time() < self.ends else local.date() + DAY
        end = datetime.combine(day, self.ends, tzinfo=zone)
        # an hour that comes twice: the second one, when the first is over
        later = end.replace(fold=1)
        found = end if end.astimezone(moment.tzinfo) > moment else later
        return found.astimezone(moment.tzinfo)
