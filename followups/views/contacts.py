"""Telling the patient and asking about danger signs: the pages behind the phone calls."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic.access import actor_of
from clinic.errors import Invalid
from clinic.responses import see_other
from clinic.wording import add_to_form
from followups.forms.contacts import ContactForm
from followups.forms.symptoms import SymptomForm
from followups.models.symptoms import ReportChannel
from followups.patient_language import spoken_to
from followups.selectors import sent, telling
from followups.services import contacts, symptoms, told_by_link
from followups.views import chart_page
from procedures.access import CONTACT, procedure_for
from procedures.domain.states import ProcedureStatus


@require_http_methods(["GET", "HEAD", "POST"])
def tell(request: HttpRequest, code: str) -> HttpResponse:
    """The phone card: what to say, and what happened."""
    actor = actor_of(request)
    procedure = procedure_for(actor, code, need=CONTACT)
    lines = telling.lines(procedure)
    waiting = [line for line in lines if line.waits]
    ahead = procedure.state in {ProcedureStatus.REQUESTED, ProcedureStatus.SCHEDULED}  # nothing to tell of yet
    initial = {"purpose": "results" if lines else "other" if ahead else "cancellation"}
    form = ContactForm(request.POST or None, tellable=[(line.version, line.label) for line in lines], initial=initial)
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
    protocol = procedure.protocol_version.parsed
    tries = list(procedure.contacts.select_related("by").order_by("-at", "-pk"))
    why_no_link = told_by_link.why_not(procedure, waiting)
    context = {
        "form": form,
        "procedure": procedure,
        "waiting": waiting,
        "not_told": [line for line in lines if line.not_told_because],
        "told": [line for line in lines if line.told_at],
        "spoken_to": spoken_to(procedure.patient, protocol),
        "wants_call": telling.wants_call(tries),
        "texts": [t for t in protocol.texts if t.code in {"when_to_call", "emergency"}],
        "phone_24h": settings.WARD_PHONE if procedure.patient.is_inpatient else settings.CLINIC_PHONE_24H,
        "may_link": why_no_link is None,
        "why_no_link": why_no_link,
        "tries": tries,
        "sent": sent.to_patient(procedure),
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
