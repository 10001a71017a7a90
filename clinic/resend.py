"""A form that met an expired log-in is not lost.

The page that refuses it carries what was typed, signed, together with a log-in form. After the log-in the
same person sees the fields again and sends them with one button and a fresh token. Nothing of it is kept on
the server, nothing is sent without a second look, and it works without JavaScript. Passwords and files are
never carried.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from allauth.account.app_settings import FORMS
from allauth.account.forms import LoginForm
from allauth.utils import get_form_class
from django.conf import settings
from django.core import signing
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from clinic.errors import Invalid

SALT = "clinic.resend"
NEVER_CARRIED = ("csrfmiddlewaretoken",)


@dataclass(frozen=True)
class Kept:
    """What was typed. ``user_id`` is None when the session was already gone."""

    url: str
    user_id: int | None
    fields: tuple[tuple[str, str], ...]
    files_lost: bool


def keep(request: HttpRequest, *, user_id: int | None) -> Kept:
    """Read what the refused request carried, without passwords and tokens."""
    fields = tuple(
        (name, value)
        for name in request.POST
        if name not in NEVER_CARRIED and "password" not in name
        for value in request.POST.getlist(name)
    )
    return Kept(url=request.get_full_path(), user_id=user_id, fields=fields, files_lost=bool(request.FILES))


def sign(kept: Kept) -> str:
    data = {"u": kept.url, "p": kept.user_id, "f": kept.fields, "l": kept.files_lost}
    return signing.dumps(data, salt=SALT, compress=True)


def read(signed: str) -> Kept:
    """The opposite of ``sign``. Raises Invalid for anything this clinic did not sign today."""
    try:
        data = signing.loads(signed, salt=SALT, max_age=settings.SESSION_MAX_HOURS * 3600)
    except signing.BadSignature:
        raise Invalid("What was typed can no longer be sent from this page. Please enter it again.") from None
    return Kept(
        url=data["u"],
        user_id=data["p"],
        fields=tuple((name, value) for name, value in data["f"]),
        files_lost=data["l"],
    )


def login_form(request: HttpRequest, *, bound: bool) -> Form:
    form_class = get_form_class(FORMS, "login", LoginForm)
    form: Form = form_class(data=request.POST if bound else None, request=request)
    return form


def logged_out_page(request: HttpRequest, *, kept: Kept, form: Form | None = None) -> HttpResponse:
    """*You were logged out. Log in, then send what you typed.* 401; 422 after a wrong password."""
    context: dict[str, Any] = {
        "form": form or login_form(request, bound=False),
        "kept": sign(kept),
        "ended": getattr(request, "session_ended", ""),
        "idle_minutes": settings.IDLE_MINUTES,
        "files_lost": kept.files_lost,
    }
    # HTMX is told (base.html) to show the body of a 422, not of a 401; the page then replaces the whole one.
    status = 422 if form is not None or getattr(request, "htmx", None) else 401
    response = render(request, "account/logged_out.html", context, status=status)
    response["HX-Retarget"] = "body"
    response["HX-Reswap"] = "innerHTML"
    return response
