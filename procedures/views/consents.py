"""What a patient agreed to: by which way, for which number, since when."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic.access import actor_of, record_read
from clinic.errors import Invalid
from clinic.responses import see_other
from clinic.wording import add_to_form
from procedures import access
from procedures.forms.consents import ConsentForm
from procedures.selectors import consents as selector
from procedures.services import consents as service


@require_http_methods(["GET", "HEAD", "POST"])
def consents(request: HttpRequest, pk: int) -> HttpResponse:
    """What holds now, what was said before, and for who may change it a new line."""
    actor = actor_of(request)
    may = actor.has(*access.BOOK)
    row = access.patient_for(actor, pk, need=access.BOOK if request.method == "POST" else None)
    form = ConsentForm(request.POST or None) if may else None
    if request.method == "POST" and form is not None and form.is_valid():
        data = form.cleaned_data
        try:
            service.record(
                actor=actor,
                patient=row,
                channel=data["channel"],
                given=data["given"] == "yes",
                how=data["how"],
                warned=data["warned"],
                note=data["note"],
            )
        except Invalid as error:
            add_to_form(form, error)
        else:
            messages.success(request, _("Written down."))
            return see_other("procedures:consents", pk)
    record_read(request, page="consents", patient_ids=[row.pk], subject=row)
    context = {
        "patient": row,
        "form": form,
        "standing": selector.standing(row).values(),
        "history": selector.history(row),
    }
    return render(request, "procedures/patients/consents.html", context, status=422 if form and form.errors else 200)
