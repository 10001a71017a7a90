"""Why a promise that is no longer wanted ended: kept, or not needed any more. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from followups.domain import kinds
from followups.domain.kinds import Closed, Kind


def because(kind: Kind, about: Mapping[str, Any], facts: Any) -> Closed:
    """``kept`` only when the facts show what was promised; otherwise ``no_longer_needed``."""
    return Closed.KEPT if kinds.of(kind).kept(about, facts) else Closed.NO_LONGER_NEEDED
