"""The one refusal that Django's own templates (403, 404, 500) do not explain."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Mostly a page that was opened before the last log-in: the token belongs to the log-in before it."""
    message = _(
        "This page was opened before your last log-in, so it was not sent. Go back: what you typed is still "
        "there. Copy it, reload the page and send it again."
    )
    return render(request, "errors/refused.html", {"status": 403, "message": message}, status=403)
