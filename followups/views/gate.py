"""Where a patient's link leads first: the clinic, the emergency number, and the question for the birth date."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _

from clinic import clock
from clinic.client_address import client_address
from clinic.responses import see_other
from followups.forms.birth_date import BirthDateForm
from followups.models import PatientLink
from followups.models.links import LinkPurpose
from followups.services import links, slow_down
from followups.views import patient_page

#: The page behind the gate, by what the link is for.
BEHIND: Mapping[str, str] = {
    LinkPurpose.SYMPTOMS: "followups:patient_symptoms",
    LinkPurpose.BEFORE: "followups:patient_before",
}


@patient_page.sealed
def gate(request: HttpRequest, token: str) -> HttpResponse:
    """Opening the address changes nothing, however often a mail scanner does it. The right birth date opens it."""
    address = client_address(request)
    if slow_down.too_many(address):
        return patient_page.closed(request, slow=True)
    link = links.find(token)
    if link is None:
        slow_down.count(address)
        return patient_page.closed(request)
    if link.purpose not in BEHIND or not links.is_open(link, clock.now()):
        return patient_page.closed(request)
    with translation.override(patient_page.language(link)):
        return _ask(request, link, address)


def _ask(request: HttpRequest, link: PatientLink, address: str) -> HttpResponse:
    form = BirthDateForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if form.birth_date == link.procedure.patient.birth_date:
            links.opened(link, clock.now())
            patient_page.enter(request, link)
            return see_other(BEHIND[link.purpose])
        slow_down.count(address)
        if links.wrong_birth_date(link, clock.now()).locked_at:
            return patient_page.closed(request)
        form.add_error(None, _("This is not the birth date that we have. Please look at it again, or call us."))
    staff = request.user.is_authenticated
    context = {"form": form, "staff": staff}
    return patient_page.show(request, "patient/gate.html", context, status=422 if form.errors else 200)
