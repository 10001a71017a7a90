"""My account: how I can be reached, my password, and the cover I am asked for."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from clinic import clock, places, users
from clinic.access import ALL_ROLES, actor_of, roles_required
from clinic.models import Absence
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
    absences = Absence.objects.filter(Q(user=user) | Q(surrogate=user), ends_at__gt=clock.now())
    context = {"form": form, "absences": absences.select_related("user", "surrogate")}
    return render(request, "clinic/account.html", context, status=422 if form.errors else 200)


@require_POST
@everybody
def accept_cover(request: HttpRequest, pk: int) -> HttpResponse:
    """The surrogate says yes. Somebody else's absence is not found."""
    absence = get_object_or_404(Absence, pk=pk, surrogate_id=request.user.pk)
    places.accept_cover(actor=actor_of(request), absence=absence)
    messages.success(request, _("Accepted: you cover for %(name)s.") % {"name": absence.user.display_name})
    return see_other("account")
