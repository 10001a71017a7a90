"""How tubes get to a laboratory."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic.access import actor_of, roles_required
from clinic.errors import Conflict, Invalid
from clinic.responses import see_other
from clinic.roles import Role
from clinic.wording import add_to_form
from procedures.forms.couriers import CourierForm
from procedures.models import Laboratory
from procedures.services import couriers


@require_http_methods(["GET", "HEAD", "POST"])
@roles_required(Role.DIRECTOR)
def courier(request: HttpRequest, pk: int) -> HttpResponse:
    """Rooms, working days, last couriers and the window of receipt of one laboratory."""
    laboratory = get_object_or_404(Laboratory, pk=pk)
    form = CourierForm(request.POST if request.method == "POST" else None, laboratory=laboratory)
    status = 422 if form.is_bound and not form.is_valid() else 200
    if form.is_bound and form.is_valid():
        try:
            couriers.arrange(laboratory=laboratory, actor=actor_of(request), **form.arguments())
        except (Invalid, Conflict) as error:
            add_to_form(form, error)
            status = error.status
        else:
            messages.success(request, _("Saved. What was collected before keeps its days and its window."))
            return see_other("procedures:laboratory_courier", pk)
    return render(
        request, "procedures/laboratories/courier.html", {"form": form, "laboratory": laboratory}, status=status
    )
