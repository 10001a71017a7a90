"""Telling the patient and asking about danger signs: the pages behind the phone calls."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic.access import actor_of
from clinic.errors import Invalid
from clinic.responses import see_other
from clinic.wording import add_to_form
from followups import wording
from followups.forms.contacts import ContactForm
from followups.forms.symptoms import SymptomForm
from followups.models.symptoms import ReportChannel
from followups.services import contacts, symptoms
from followups.views import chart_page
from procedures.access import CONTACT, procedure_for
from procedures.models import Procedure, ResultVersion


def tellable_with_labels(procedure: Procedure) -> list[tuple[ResultVersion, str]]:
    """What may be told, as it is called: test, version, and what the reviewer wants said."""
    protocol = procedure.protocol_version.parsed
    rows = []
    for version in contacts.tellable(procedure):
        reviews = sorted(version.reviews.all(), key=lambda r: r.pk)
        said = reviews[-1].patient_message
        label = f"{wording.test_label(version.test.code, protocol)} ({version.get_status_display()})"
        rows.append((version, f"{label}: {said}" if said else label))
    return rows


@require_http_methods(["GET", "HEAD", "POST"])
def tell(request: HttpRequest, code: str) -> HttpResponse:
    """The phone card: what to say, and what happened."""
    actor = actor_of(request)
    procedure = procedure_for(actor, code, need=CONTACT)
    tellable = tellable_with_labels(procedure)
    initial = {"purpose": "results" if tellable else "cancellation"}
    form = ContactForm(request.POST or None, tellable=tellable, initial=initial)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            contacts.record(
                procedure=procedure,
                actor=actor,
                purpose=data["purpose"],
                channel=data["channel"],
                outcome=data["outcome"],
                at=data["at"],
                spoke_with=data["spoke_with"],
                versions=form.told(),
                understood=form.was_understood(),
                note=data["note"],
            )
        except Invalid as error:
            add_to_form(form, error)
        else:
            messages.success(request, _("Written down."))
            return see_other("followups:case", code)
    context = {
        "form": form,
        "procedure": procedure,
        "tries": procedure.contacts.select_related("by").order_by("-at", "-pk"),
    }
    return chart_page.show(request, "followups/contacts/tell.html", procedure, context, invalid=bool(form.errors))


@require_http_methods(["GET", "HEAD", "POST"])
def symptom_check(request: HttpRequest, code: str, check_code: str) -> HttpResponse:
    """The protocol's questions for one check, asked on the phone."""
    actor = actor_of(request)
    procedure = procedure_for(actor, code, need=CONTACT)
    protocol = procedure.protocol_version.parsed
    check = symptoms.check_of(protocol, check_code)
    if check is None:
        raise Http404
    patient = procedure.patient
    form = SymptomForm(
        request.POST or None,
        questions=symptoms.questions_of(protocol, check),
        initial={"language": patient.language, "interpreter": patient.interpreter_needed},
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            symptoms.record(
                procedure=procedure,
                check_code=check_code,
                actor=actor,
                outcome=data["outcome"],
                answers=form.answers(),
                answered_by=data["answered_by"],
                reason=data["reason"],
                note=data["note"],
                handled=data["handled"],
                channel=data["channel"] or ReportChannel.PHONE,
                relation=data["relation"],
                language=data["language"],
                interpreter=data["interpreter"],
            )
        except Invalid as error:
            add_to_form(form, error)
        else:
            messages.success(request, _("Written down."))
            return see_other("followups:case", code)
    context = {
        "form": form,
        "procedure": procedure,
        "check": check,
        "emergency": next((t for t in protocol.texts if t.code == "emergency"), None),
        "earlier": procedure.symptom_checks.select_related("by").prefetch_related("answers").order_by("-at"),
    }
    return chart_page.show(request, "followups/contacts/symptoms.html", procedure, context, invalid=bool(form.errors))
