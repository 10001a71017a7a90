"""Everything of somebody who leaves, on one screen. No patient is named: an administrator may open it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from clinic import clock
from clinic.access import actor_of, roles_required
from clinic.errors import Invalid
from clinic.models import User
from clinic.responses import see_other
from clinic.roles import STAFF, Role
from clinic.wording import add_to_form
from followups.forms.handovers import HandOverAllForm
from followups.selectors import holdings
from followups.services import handovers as service


@require_http_methods(["GET", "HEAD", "POST"])
@roles_required(*service.WHO)
def hand_over_all(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose who takes what; then their access can end."""
    person, actor, now = get_object_or_404(User, pk=pk), actor_of(request), clock.now()
    held = holdings.of(person, now)
    form = HandOverAllForm(request.POST if request.method == "POST" else None, leaving=person, held=held, now=now)
    if form.is_valid():
        try:
            given = service.hand_over(actor=actor, leaving=person, choices=form.choices())
        except Invalid as error:
            add_to_form(form, error)
        else:
            said = ngettext("Handed over: %(n)s item.", "Handed over: %(n)s items.", given) % {"n": given}
            messages.success(request, said if given else _("Nothing was open any more."))
            ends = actor.has(Role.ADMINISTRATOR) and person.is_active and actor.user_id != pk
            return see_other("user_deactivate" if ends else "followups:hand_over_all", pk)
    context = {
        "form": form,
        "person": person,
        "parts": form.parts(),
        "may_open": actor.has(*STAFF),
        "may_end": actor.has(Role.ADMINISTRATOR),
    }
    return render(request, "followups/handovers/hand_over_all.html", context, status=422 if form.errors else 200)
