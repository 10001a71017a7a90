"""What happens around every request: the log-in's end, who may come in, no caching, and errors in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import auth
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.http import urlencode

from clinic import resend, sessions
from clinic.errors import DomainError
from clinic.htmx import is_refresh, wants_partial
from clinic.wording import translated

#: Refusals that have a page of their own.
PAGES = {409: "409.html"}

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class NeverCached:
    """No page is kept by a browser or a proxy: a shared ward computer's back button must show nobody's chart."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response["Cache-Control"] = "no-store, private"
        patch_vary_headers(response, ["HX-Request"])
        return response


class IdleLogout:
    """End a log-in that nobody has touched for IDLE_MINUTES, or that is older than SESSION_MAX_HOURS.

    A poll (``X-Refresh: 1``) neither renews a session nor ends it; an expired one gets an empty 401.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return self.get_response(request)
        ended = sessions.why_ended(request.session)
        if is_refresh(request):
            return HttpResponse(status=401) if ended else self.get_response(request)
        if ended:
            request.session_ended = ended  # type: ignore[attr-defined]
            request.session_ended_for = request.user.pk  # type: ignore[attr-defined]
            auth.logout(request)
        else:
            sessions.touch(request.session)
        return self.get_response(request)


class LoginRequired(LoginRequiredMiddleware):
    """Every page needs a log-in unless its view is marked ``login_not_required``.

    A password that somebody else has set must be changed before anything else: until then two people know it
    and no signature means anything.
    """

    def process_view(
        self, request: HttpRequest, view_func: Any, view_args: Any, view_kwargs: Any
    ) -> HttpResponseBase | None:
        user = request.user
        if not user.is_authenticated:
            return super().process_view(request, view_func, view_args, view_kwargs)
        open_to_all = not getattr(view_func, "login_required", True)
        if user.password_temporary and not open_to_all and not self._changes_password(request):
            return redirect("account_change_password")
        return None

    def _changes_password(self, request: HttpRequest) -> bool:
        match = request.resolver_match
        return match is not None and match.url_name in {"account_change_password", "account_logout"}

    def handle_no_permission(  # type: ignore[override]  # a kept form is no redirect
        self, request: HttpRequest, view_func: Any
    ) -> HttpResponseBase:
        if is_refresh(request):
            return HttpResponse(status=401)
        if request.method not in {"GET", "HEAD"}:
            kept = resend.keep(request, user_id=getattr(request, "session_ended_for", None))
            return resend.logged_out_page(request, kept=kept)
        return self._to_login(request)

    def _to_login(self, request: HttpRequest) -> HttpResponseBase:
        htmx = getattr(request, "htmx", None)
        here = (htmx.current_url_abs_path if htmx else None) or request.get_full_path()
        query = {"next": here}
        if ended := getattr(request, "session_ended", ""):
            query["ended"] = ended
        url = f"{reverse('account_login')}?{urlencode(query)}"
        if not htmx:
            return redirect(url)
        # A fragment cannot hold the log-in page: the whole page goes there.
        return HttpResponse(status=401, headers={"HX-Redirect": url})


class DomainErrors:
    """A DomainError that no view has caught becomes a page, or a fragment, that says in words what is wrong."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, DomainError):
            return None
        template = (
            "errors/message.html" if wants_partial(request) else PAGES.get(exception.status, "errors/refused.html")
        )
        context = {"status": exception.status, "message": translated(exception)}
        return render(request, template, context, status=exception.status)
