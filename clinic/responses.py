"""The answer to a POST that has done its work."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseRedirect
from django.shortcuts import resolve_url


class SeeOther(HttpResponseRedirect):
    """303: whatever the method was, what comes next is a GET."""

    status_code = 303


def see_other(to: Any, *args: Any, **kwargs: Any) -> SeeOther:
    """Redirect to a URL, a URL's name or an object, as Django's ``redirect`` does."""
    return SeeOther(resolve_url(to, *args, **kwargs))
