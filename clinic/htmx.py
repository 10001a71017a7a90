"""What a view needs to know of HTMX."""

from __future__ import annotations

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails


class HtmxRequest(HttpRequest):
    """A request with ``django_htmx``'s details typed."""

    htmx: HtmxDetails


def wants_partial(request: HttpRequest) -> bool:
    """True for an HTMX request that is neither boosted nor a history restore: those need the whole page."""
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def is_refresh(request: HttpRequest) -> bool:
    """A poll or fragment refresh: no audit entry, no session renewal, no change."""
    return request.headers.get("X-Refresh") == "1"
