"""Other ways to tell the patient than the call: a letter, and a message with a link."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from clinic import clock
from clinic.access import actor_of, record_read
from clinic.errors import Invalid
from clinic.responses import see_other
from clinic.wording import translated
from followups.models.contacts import ContactChannel, ContactOutcome, ContactPurpose
from followups.patient_language import language_of, spoken_to, words_for
from followups.selectors import telling
from followups.services import contacts, told_by_link
from followups.views import patient_page
from procedures.access import CONTACT, procedure_for


@require_http_methods(["GET", "HEAD", "POST"])
def letter(request: HttpRequest, code: str) -> HttpResponse:
    """One sheet in the patient's language; the POST writes down that it was posted."""
    actor = actor_of(request)
    procedure = procedure_for(actor, code, need=CONTACT)
    lines = [line for line in telling.lines(procedure) if line.waits]
    written = [line for line in lines if line.readable]
    if request.method == "POST":
        contacts.record(
            procedure=procedure,
            actor=actor,
            purpose=ContactPurpose.RESULTS if lines else ContactPurpose.CANCELLATION,
            channel=ContactChannel.LETTER,
            outcome=ContactOutcome.LETTER_SENT,
        )
        messages.success(request, _("Written down: the letter was sent."))
        return see_other("followups:case", code)
    record_read(request, page="patient/letter.html", patient_ids=[procedure.patient_id], subject=procedure)
    protocol = procedure.protocol_version.parsed
    patient = procedure.patient
    language = language_of(patient, protocol)
    words = words_for(patient, protocol)
    context: dict[str, object] = {
        **patient_page.danger(words),
        "procedure": procedure,
        "lines": written,
        "unwritten": [line for line in lines if not line.readable],
        "spoken_to": spoken_to(patient, protocol),
        "words": words,
        "emergency_title": words.text("emergency").title,
        "letter_language": language,
        "today": clock.now(),
        "phone": settings.WARD_PHONE if patient.is_inpatient else settings.CLINIC_PHONE_24H,
    }
    with translation.override(language):
        context["sheet"] = render(request, "patient/letter_sheet.html", context).content.decode()
    return render(request, "followups/contacts/letter.html", context)


@require_POST
def send_link(request: HttpRequest, code: str) -> HttpResponse:
    """Send it, or say why not. Nothing is told by sending."""
    actor = actor_of(request)
    procedure = procedure_for(actor, code, need=CONTACT)
    try:
        told_by_link.send(procedure=procedure, actor=actor)
    except Invalid as error:
        messages.error(request, _("Not sent: %(reason)s") % {"reason": translated(error)})
    else:
        messages.success(request, _("On its way. The patient counts as told when they say that they have read it."))
    return see_other("followups:tell", code)
