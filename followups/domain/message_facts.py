"""A laboratory's message as the planner sees it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class MessageFacts:
    """``waiting``: how many of its parts wait for a person; ``level``: how the worst of them looks."""

    id: int
    received_at: datetime
    waiting: int = 0
    level: str = "normal"
    unreadable: bool = False
