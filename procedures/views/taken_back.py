"""A result that a laboratory took back: who had acted on it, and what was done."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic.access import actor_of, need, record_read, roles_required
from clinic.errors import Invalid
from clinic.responses import see_other
from clinic.roles import Role
from clinic.wording import add_to_form
from procedures import access
from procedures.forms.inbound import DoneForm
from procedures.models import TakenBack
from procedures.selectors import banner
from procedures.services import inbound_decisions


@require_http_methods(["GET", "HEAD", "POST"])
@roles_required(*sorted(access.INBOUND))
def taken_back(request: HttpRequest, pk: int) -> HttpResponse:
    """``pk``: the version that took it back."""
    actor = actor_of(request)
    rows = TakenBack.objects.select_related("version__test", "dealt_by")
    row = need(rows.filter(version_id=pk).first())
    test = row.version.test
    procedure = access.procedure_for(actor, test.procedure.code)
    may_deal = actor.has(Role.PHYSICIAN, Role.DIRECTOR) and row.dealt_at is None
    form = DoneForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            inbound_decisions.deal(version=row.version, done=form.cleaned_data["done"], actor=actor)
        except Invalid as error:
            add_to_form(form, error)
        else:
            messages.success(request, _("Recorded."))
            return see_other("followups:case", procedure.code)
    record_read(request, page="taken_back", patient_ids=[procedure.patient_id], subject=row.version)
    context = {
        "row": row,
        "test": test,
        "procedure": procedure,
        "protocol": procedure.protocol_version.parsed,
        "banner": banner.of_procedure(procedure),
        "gone": test.versions.filter(number__lt=row.version.number).order_by("number"),
        "form": form,
        "may_deal": may_deal,
    }
    return render(request, "procedures/inbound/taken_back.html", context, status=422 if form.errors else 200)
