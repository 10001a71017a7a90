"""The first page after the log-in, and the pages of the log-in package that this clinic does not have."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from clinic import navigation
from clinic.access import ALL_ROLES, roles_required


@require_safe
@roles_required(*ALL_ROLES)
def home(request: HttpRequest) -> HttpResponse:
    """Each role has its own first page."""
    user = request.user
    assert user.is_authenticated
    return redirect(navigation.home_name(user))


@login_not_required
def absent(request: HttpRequest) -> HttpResponse:
    """Nobody signs themselves up here, and no e-mail address opens an account."""
    raise Http404
