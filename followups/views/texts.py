"""Texts that patients have sent: read by a person, who writes down what was done."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from clinic.access import actor_of, record_read, roles_required
from clinic.errors import Invalid
from clinic.responses import see_other
from clinic.roles import CLINICAL
from clinic.wording import add_to_form
from followups import access
from followups.forms.texts import TextReadForm
from followups.selectors import texts as selector
from followups.services import texts as service
from procedures.access import CONTACT


@require_safe
@roles_required(*CLINICAL)
def texts(request: HttpRequest) -> HttpResponse:
    """What waits for a person, and what came in last."""
    page = selector.unread_page(request.GET.get("page"))
    unread, lately = list(page.object_list), list(selector.lately())
    people = sorted({row.patient_id for row in (*unread, *lately) if row.patient_id})
    record_read(request, page="texts", patient_ids=people)
    return render(request, "followups/texts/texts.html", {"page": page, "unread": unread, "lately": lately})


@require_http_methods(["GET", "HEAD", "POST"])
def text(request: HttpRequest, pk: int) -> HttpResponse:
    """One text: whose number it is, the words, and what was done."""
    actor = actor_of(request)
    row = access.text_for(actor, pk, need=CONTACT if request.method == "POST" else None)
    form = TextReadForm(request.POST or None) if actor.has(*CONTACT) else None
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            service.read(actor=actor, text=row, done=form.cleaned_data["done"])
        except Invalid as error:
            add_to_form(form, error)
        else:
            messages.success(request, _("Written down."))
            return see_other("followups:texts")
    same = [] if row.patient else selector.patients_with(row.number)
    ids = [row.patient_id] if row.patient_id else [patient.pk for patient in same]
    record_read(request, page="text", patient_ids=[pk for pk in ids if pk], subject=row)
    context = {"text": row, "form": form, "same": same}
    return render(request, "followups/texts/text.html", context, status=422 if form and form.errors else 200)
