"""What every staff page says of critical results."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from clinic import context
from followups.selectors import criticals

NAME = "critical_untaken"


def count_with_the_frame() -> None:
    """The number comes with the frame's own query: a page costs none for it."""
    context.COUNTED[NAME] = criticals.untaken_count


def critical(request: HttpRequest) -> dict[str, Any]:
    """``critical_untaken``: how many critical results no physician has taken; ``critical_strip``: whether it is shown.

    Whoever sees no charts is not told how many there are.
    """
    if not criticals.may_see(getattr(request, "user", None)):
        return {"critical_strip": False}
    counts = getattr(request, "frame_counts", {})
    number = counts[NAME] if NAME in counts else criticals.untaken().count()  # before the engine's first pass
    return {"critical_strip": True, NAME: number}
