"""The sheets that a patient takes home, and the form they are sent: in their language, on one page of paper."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic import clock
from clinic.access import actor_of, record_read
from clinic.errors import Invalid
from clinic.responses import see_other
from clinic.wording import translated
from followups import patient_language
from followups.selectors import leaflets as selector
from followups.services import before, leaflets, links
from procedures.access import CONTACT, procedure_for
from procedures.domain import translations
from procedures.domain.protocol import Protocol
from procedures.models import Procedure
from procedures.selectors import banner

SHEETS = {"before": selector.before, "after": selector.after}
pages = require_http_methods(["GET", "HEAD", "POST"])


@pages
def leaflet(request: HttpRequest, code: str, which: str) -> HttpResponse:
    """The sheet as it is printed, in the patient's language or in another that we have. A POST says it was given."""
    if which not in SHEETS:
        raise Http404
    actor = actor_of(request)
    procedure = procedure_for(actor, code, need=CONTACT if request.method == "POST" else None)
    protocol = procedure.protocol_version.parsed
    language = _language(request, procedure, protocol)
    if request.method == "POST":
        leaflets.given(actor=actor, procedure=procedure, which=which, language=language)
        messages.success(request, _("Written down: given to the patient."))
        return see_other(f"{reverse('followups:leaflet', args=[code, which])}?language={language}")
    record_read(request, page=f"leaflet {which}", patient_ids=[procedure.patient_id], subject=procedure)
    sheet = SHEETS[which](procedure, protocol.in_language(language))
    with patient_language.speaking_in(language):
        drawn = render_to_string(f"patient/leaflets/{which}.html", sheet)
    context = {
        "procedure": procedure,
        "protocol": protocol,
        "which": which,
        "sheet": sheet,
        "drawn": drawn,
        "may_give": actor.has(*CONTACT),
        "given": selector.last_given(procedure, which),
        **_languages(procedure, protocol, language),
        "banner": banner.of_procedure(procedure),
    }
    return render(request, "followups/leaflets/leaflet.html", context)


def _language(request: HttpRequest, procedure: Procedure, protocol: Protocol) -> str:
    wanted = request.POST.get("language") or request.GET.get("language", "")
    if wanted in translations.languages(protocol):
        return wanted
    return patient_language.language_of(procedure.patient, protocol)


def _languages(procedure: Procedure, protocol: Protocol, language: str) -> dict[str, Any]:
    """What the staff is told: which language this is, and that it is theirs, or that an interpreter is needed."""
    return {
        "language": language,
        "spoken": patient_language.spoken_to(procedure.patient, protocol),
        "language_name": patient_language.NAMES[language],
        "others": [
            (code, patient_language.NAMES[code]) for code in translations.languages(protocol) if code != language
        ],
    }


@pages
def before_form(request: HttpRequest, code: str) -> HttpResponse:
    """The form of before the visit: whether it was answered, and the address that opens it."""
    actor = actor_of(request)
    procedure = procedure_for(actor, code, need=CONTACT if request.method == "POST" else None)
    error = ""
    if request.method == "POST":
        try:
            before.offer(actor=actor, procedure=procedure)
        except Invalid as refused:
            error = translated(refused)
        else:
            messages.success(request, _("The address is ready. It is good for 72 hours and for one answer."))
            return see_other("followups:before_form", code)
    record_read(request, page="form before the visit", patient_ids=[procedure.patient_id], subject=procedure)
    now = clock.now()
    link = before.current(procedure, now) if actor.has(*CONTACT) else None
    protocol = procedure.protocol_version.parsed
    context = {
        "procedure": procedure,
        "protocol": protocol,
        "refused": _(before.why_not(procedure)) if before.why_not(procedure) else "",
        "error": error,
        "link": link,
        "address": links.url(link) if link is not None else "",
        "report": procedure.patient_reports.order_by("-pk").first(),
        "may_offer": actor.has(*CONTACT),
        "spoken": patient_language.spoken_to(procedure.patient, protocol),
        "banner": banner.of_procedure(procedure),
    }
    return render(request, "followups/leaflets/form.html", context, status=422 if error else 200)
