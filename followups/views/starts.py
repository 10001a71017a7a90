"""What an emergency start leaves for others to sign, and what a procedure leaves for later days."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic import clock
from clinic.access import actor_of
from clinic.errors import Invalid
from clinic.responses import see_other
from clinic.wording import add_to_form
from followups.forms.starts import CountersignForm, LaterTestsForm
from followups.selectors import case as case_selector
from followups.selectors import later_tests as later_selector
from followups.views import chart_page
from procedures.access import COUNTERSIGN, REVIEW, procedure_for
from procedures.models.later_tests import LaterChoice
from procedures.selectors import clearance, clearance_page
from procedures.selectors import countersignatures as selector
from procedures.services import countersignatures
from procedures.services import later_tests as later_service


@require_http_methods(["GET", "HEAD", "POST"])
def countersign(request: HttpRequest, code: str) -> HttpResponse:
    """What was known when it began, what is still owed, and the second signature."""
    actor = actor_of(request)
    procedure = procedure_for(actor, code, need=COUNTERSIGN)
    if not procedure.emergency_start:
        messages.info(request, _("This case was not started as an emergency."))
        return see_other("followups:case", code)
    form = CountersignForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        agrees, comment = form.cleaned_data["agrees"] == "yes", form.cleaned_data["comment"]
        try:
            countersignatures.countersign(actor=actor, procedure=procedure, agrees=agrees, comment=comment)
        except Invalid as error:
            add_to_form(form, error)
        else:
            messages.success(request, _("Signed."))
            return see_other("followups:case", code)
    found = case_selector.load(procedure, clock.now())
    context = {
        "form": form,
        "procedure": procedure,
        "protocol": found.protocol,
        "known": selector.known_at_start(procedure),
        "passed": [clearance_page.words(f, clock.now()) for f in clearance.passed_in_emergency(procedure)],
        "owed": [case_selector.mark(p, found) for p in found.promises if p.kind != "countersign_start"],
        "signature": found.countersignature,
        "is_starter": procedure.emergency_by_id == actor.user_id,
    }
    return chart_page.show(request, "followups/starts/countersign.html", procedure, context, invalid=bool(form.errors))


@require_http_methods(["GET", "HEAD", "POST"])
def later_tests(request: HttpRequest, code: str, item: str) -> HttpResponse:
    """One item of the protocol's later tests: ordered and taken here, read elsewhere, or not needed."""
    actor = actor_of(request)
    procedure = procedure_for(actor, code, need=REVIEW if request.method == "POST" else None)
    found = later_selector.load(procedure, item, clock.now())
    if found is None:
        raise Http404
    form = LaterTestsForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        about: dict[str, Any] = {"actor": actor, "procedure": procedure, "item": item}
        try:
            if form.cleaned_data["decision"] == LaterChoice.NOT_NEEDED:
                later_service.not_needed(**about, reason=form.cleaned_data["reason"])
            else:
                later_service.read_elsewhere(**about, **form.elsewhere())
        except Invalid as error:
            add_to_form(form, error)
        else:
            messages.success(request, _("Written down."))
            return see_other("followups:case", code)
    context = {"form": form, "procedure": procedure, "found": found, "may_decide": actor.has(*REVIEW)}
    return chart_page.show(request, "followups/starts/later_tests.html", procedure, context, invalid=bool(form.errors))
