"""What the planner reads about people whom messages do not reach, and about roles that nobody holds. Pure.

``at`` is when it was seen. A promise that is open keeps its own start, so that planning twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from clinic.roles import Role

#: A bouncing address alarms once a day, however often it comes and goes.
ONCE = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class PersonFacts:
    """``undelivered``: channels on which the newest message has failed and nobody has dealt with it. ``open_since``:
    of the promises that are open, by channel. ``alarmed_at``: when the last reminder about a channel was made.
    """

    at: datetime
    undelivered: frozenset[str] = frozenset()
    open_since: Mapping[str, datetime] = field(default_factory=dict)
    alarmed_at: Mapping[str, datetime] = field(default_factory=dict)

    def since(self, channel: str) -> datetime:
        """From when the channel's promise counts: not within a day of its last alarm."""
        if channel in self.open_since:
            return self.open_since[channel]
        return max(self.at, self.alarmed_at[channel] + ONCE) if channel in self.alarmed_at else self.at


@dataclass(frozen=True, kw_only=True)
class ClinicFacts:
    """``empty_roles``: asked by some ladder, and nobody answers for them."""

    at: datetime
    empty_roles: tuple[Role, ...] = ()
    open_since: Mapping[str, datetime] = field(default_factory=dict)

    def since(self, role: Role) -> datetime:
        return self.open_since.get(str(role), self.at)
