"""My account: how I can be reached, my password, and what is planned of my absence and cover."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic import clock, covers, users
from clinic.access import ALL_ROLES, actor_of, roles_required
from clinic.responses import see_other
from clinic.user_forms import OwnDetailsForm

everybody = roles_required(*ALL_ROLES)


@require_http_methods(["GET", "HEAD", "POST"])
@everybody
def account(request: HttpRequest) -> HttpResponse:
    """My details; the absences in which I am away or asked to cover, until they are over."""
    user = request.user
    assert user.is_authenticated
    form = OwnDetailsForm.of(user, request.POST if request.method == "POST" else None)
    if form.is_valid():
        users.change_own(actor=actor_of(request), user=user, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return see_other("account")
    context = {"form": form, "absences": covers.concerning(user, clock.now())}
    return render(request, "clinic/account.html", context, status=422 if form.errors else 200)
