"""What must still happen, as the planner says it: a value, not a row. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from clinic.roles import Role
from followups.domain.kinds import Kind


@dataclass(frozen=True, kw_only=True)
class Promise:
    """``key`` is stable within the subject: the same facts give the same key, so rows are matched, not remade.

    ``start_at``: from when it can be kept. ``due_at``: from when it is overdue. ``responsible_id`` None: the role's.
    ``about`` holds codes and ids for the wording; never a name, a value or a medicine.
    """

    kind: Kind
    key: str
    start_at: datetime
    due_at: datetime
    role: Role
    responsible_id: int | None = None
    level: str = "normal"
    about: dict[str, Any] = field(default_factory=dict, hash=False)
