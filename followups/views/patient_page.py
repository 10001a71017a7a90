"""What every page of a patient's link has in common: the door, the language, and nothing that leaves a trace.

A view of such a page is ``@patient_page(LinkPurpose.…)`` and gets the link whose birth date was right in this browser.
Its template extends ``patient/base.html``; its forms carry ``{% include "patient/form_key.html" %}`` instead of
Django's token, which would need a second cookie (and Django's check a referrer, which we never send).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from csp.constants import NONE, SELF
from csp.decorators import csp_replace
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from clinic import clock
from followups.models import PatientLink
from followups.patient_language import language_of
from followups.services import links
from procedures.domain import languages
from procedures.domain.protocol import Protocol

LINK, FORM_KEY, SEEN = "patient_link", "patient_form_key", "patient_seen"
#: How long a page may lie open between two answers, in seconds: a telephone is put down and found again.
IDLE = 60 * 60
#: Nothing but our own style sheet and our own forms.
POLICY = {
    "default-src": [NONE],
    "style-src": [SELF],
    "img-src": [SELF],
    "form-action": [SELF],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
}
P = ParamSpec("P")


def sealed(view: Callable[P, HttpResponse]) -> Callable[P, HttpResponse]:
    """Open to whoever has the address, kept and announced by nobody."""

    @login_not_required
    @csrf_exempt
    @csp_replace(POLICY)  # type: ignore[arg-type]  # its type knows views without arguments alone
    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(view)
    def page(*args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        response = view(*args, **kwargs)
        response["X-Robots-Tag"] = "noindex, nofollow, noarchive, nosnippet"
        response["Referrer-Policy"] = "no-referrer"
        # Django writes the address of every refusal into the log, and this address opens something
        response._has_been_logged = True  # type: ignore[attr-defined]
        return response

    return cast("Callable[P, HttpResponse]", page)


def patient_page(
    purpose: str, *, late_too: bool = False
) -> Callable[[Callable[Concatenate[HttpRequest, PatientLink, P], HttpResponse]], Callable[..., HttpResponse]]:
    """The view gets the link that this browser has opened; without one, or for another purpose, the closed page.

    ``late_too``: also when the link was used up, has expired or was locked since this browser opened it. What somebody
    says about their health is never refused while their page is open; the gate lets nobody in any more.
    """

    def decorate(view: Callable[Concatenate[HttpRequest, PatientLink, P], HttpResponse]) -> Callable[..., HttpResponse]:
        @sealed
        @wraps(view)
        def page(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            link = opened_link(request, late_too=late_too)
            if link is None or link.purpose != purpose or not _is_ours(request):
                return closed(request)
            request.session[SEEN] = clock.real_now().timestamp()
            with translation.override(language(link)):
                try:
                    return view(request, link, *args, **kwargs)
                except Http404:
                    return closed(request)

        return page

    return decorate


def enter(request: HttpRequest, link: PatientLink) -> None:
    """A session of its own: whoever was logged in here before is not any more."""
    request.session.flush()
    request.session[LINK] = link.pk
    request.session[FORM_KEY] = secrets.token_urlsafe(16)
    request.session[SEEN] = clock.real_now().timestamp()
    request.session.set_expiry(0)  # the cookie ends with the browser; the hour is counted here


def opened_link(request: HttpRequest, *, late_too: bool = False) -> PatientLink | None:
    """The link that this browser has opened, while it may be used. A session of the staff's opens none."""
    pk = request.session.get(LINK)
    if pk is None or request.user.is_authenticated:
        return None
    if clock.real_now().timestamp() - request.session.get(SEEN, 0) > IDLE:
        return None
    found = PatientLink.objects.select_related("procedure__patient", "procedure__protocol_version").filter(pk=pk)
    link = found.defer("procedure__protocol_version__data").first()
    if link is None:
        return None
    usable = links.is_alive(link) if late_too else links.is_open(link, clock.now())
    return link if usable else None


def _is_ours(request: HttpRequest) -> bool:
    """Whether a form was made for this browser: the key in it is the session's."""
    if request.method != "POST":
        return True
    key = request.session.get(FORM_KEY, "")
    return bool(key) and constant_time_compare(request.POST.get("form_key", ""), key)


def language(link: PatientLink) -> str:
    """In which language the page speaks: English throughout where the case's protocol has nothing in theirs."""
    return language_of(link.procedure.patient, link.procedure.protocol_version.parsed)


def danger(protocol: Protocol) -> dict[str, list[str]]:
    """For ``patient/emergency.html``: a sign goes on from *call 911 now if*, other lines are sentences of their own."""
    lines = next((t.paragraphs for t in protocol.texts if t.code == "emergency"), ())
    signs = [line for line in lines if line[:1].islower()]
    return {"signs": signs, "more": [line for line in lines if line not in signs]}


def show(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """Draw it now, in the language of the moment."""
    frame = {"form_key": request.session.get(FORM_KEY, ""), "phone": settings.CLINIC_PHONE_24H}
    return render(request, template, {**frame, **context}, status=status)


def closed(request: HttpRequest, *, slow: bool = False) -> HttpResponse:
    """The same for a link that is altered, guessed, expired, used, locked or withdrawn: it tells nothing apart.

    Nobody knows who reads it, so it speaks every language we have.
    """
    texts: dict[str, str] = {}
    for code in languages.NAMES:
        with translation.override(code):
            text = render(request, "patient/closed_text.html", {"slow": slow, "phone": settings.CLINIC_PHONE_24H})
            texts.setdefault(text.content.decode(), code)
    context = {"texts": [(code, text) for text, code in texts.items()]}
    return render(request, "patient/closed.html", context, status=429 if slow else 404)
