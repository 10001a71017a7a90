"""What the planner reads about a text that somebody has sent us. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from followups.domain.inbound_text import Meaning


@dataclass(frozen=True, kw_only=True)
class TextFacts:
    """``read``: a person has, and has written down what was done."""

    id: int
    received_at: datetime
    meaning: Meaning
    read: bool
    known: bool  # whose number it is
