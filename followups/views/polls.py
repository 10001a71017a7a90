"""A list asks every half minute whether it has changed, and gets nothing when it has not."""

from __future__ import annotations

from django.http import HttpRequest

from clinic.htmx import is_refresh

SEEN = "seen"


def polled(request: HttpRequest) -> bool:
    """Does somebody who has seen the list ask whether it has changed?"""
    return is_refresh(request) and SEEN in request.GET


def unchanged(request: HttpRequest, marker: str) -> bool:
    """Is this a poll by somebody who has seen exactly this?"""
    return is_refresh(request) and request.GET.get(SEEN) == marker


def poll_url(request: HttpRequest, marker: str) -> str:
    """The page's own address, and what its reader has seen."""
    query = request.GET.copy()
    query[SEEN] = marker
    return f"{request.path}?{query.urlencode()}"
