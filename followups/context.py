"""What every staff page says of critical results."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from followups.selectors import criticals


def critical(request: HttpRequest) -> dict[str, Any]:
    """``critical_untaken``: how many critical results nobody has taken. Counted only where a page shows it.

    None for whoever sees no charts, who is not told how many there are.
    """
    if not criticals.may_see(getattr(request, "user", None)):
        return {"critical_strip": False}
    return {"critical_strip": True, "critical_untaken": SimpleLazyObject(lambda: criticals.untaken().count())}
