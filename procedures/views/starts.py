"""The needle: start, emergency start, abandon, complete, go on elsewhere. Clinical pages, with the patient's banner."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from clinic import clock
from clinic.access import actor_of, record_read, roles_required
from clinic.errors import Conflict, Invalid
from clinic.responses import see_other
from clinic.roles import Role
from clinic.wording import add_to_form
from procedures import access
from procedures.domain.states import ProcedureStatus
from procedures.forms.bookings import CompleteForm, ContinueForm, EmergencyForm, ReasonForm, StartForm
from procedures.models import Procedure
from procedures.selectors import banner
from procedures.selectors import bookings as selector
from procedures.services import endings, gates
from procedures.services import starts as service
from procedures.views.moves import Step, data_of, take
from procedures.views.patients import page

checkers = roles_required(*sorted(access.CHECK))
operators = roles_required(*sorted(access.OPERATE))


def _case(request: HttpRequest, code: str, name: str, need: frozenset[Role]) -> Procedure:
    actor = actor_of(request)
    case = access.procedure_for(actor, code, need=need)
    if request.method != "POST":
        record_read(request, page=name, patient_ids=[case.patient_id], subject=case)
    return case


def _me(request: HttpRequest) -> int | None:
    """Who is here to operate: whoever asks, if a physician."""
    actor = actor_of(request)
    return actor.user_id if actor.has(Role.PHYSICIAN) else None


@page
@checkers
def start(request: HttpRequest, code: str) -> HttpResponse:
    """The gate in words; the button only where it is open."""
    case = _case(request, code, "start", access.CHECK)
    if case.status == ProcedureStatus.IN_PROGRESS:
        messages.info(request, _("This is done already."))
        return see_other("followups:case", code)
    form = StartForm(data_of(request), initial={"operator": case.operator_id or _me(request)})
    blockers, status = gates.start_blockers(case, clock.now()), 200
    if form.is_valid():
        try:
            service.start(actor=actor_of(request), procedure=case, operator=form.cleaned_data["operator"])
        except gates.StartBlocked as blocked:
            blockers, status = blocked.blockers, blocked.status
        else:
            messages.success(request, _("Started."))
            return see_other("followups:case", code)
    return _start_page(request, case, form, "start", blockers, status)


@page
@operators
@sensitive_post_parameters("reason")
def emergency(request: HttpRequest, code: str) -> HttpResponse:
    """Start on the six-item minimum, by one physician's override."""
    case = _case(request, code, "emergency", access.OPERATE)
    if case.status == ProcedureStatus.IN_PROGRESS:
        messages.info(request, _("This is done already."))
        return see_other("followups:case", code)
    form = EmergencyForm(data_of(request), initial={"operator": case.operator_id or _me(request), "room": case.room_id})
    blockers, status = gates.emergency_blockers(case, clock.now()), 200
    if form.is_valid():
        try:
            started = service.emergency_start(actor=actor_of(request), procedure=case, **form.cleaned_data)
        except gates.StartBlocked as blocked:
            blockers, status = blocked.blockers, blocked.status
        else:
            return _emergency_started(request, started)
    return _start_page(request, case, form, "emergency", blockers, status)


@page
@checkers
@sensitive_post_parameters("reason")
def abandon_start(request: HttpRequest, code: str) -> HttpResponse:
    """The needle did not go in: back to arrived."""
    case = _case(request, code, "abandon_start", access.CHECK)
    step = Step(
        title=_("Was it abandoned before the needle went in?"),
        label=_("Back to arrived"),
        done=_("Not started after all."),
        to=ProcedureStatus.ARRIVED,
        consequences=[_("The next start passes the checklist again.")],
        template="procedures/bookings/clinical_step.html",
    )
    return take(
        request, case, step, ReasonForm(data_of(request)), service.abandon_start, banner=banner.of_procedure(case)
    )


@page
@checkers
@sensitive_post_parameters("outcome_reason")
def complete(request: HttpRequest, code: str) -> HttpResponse:
    """How it ended, and where the patient goes."""
    case = _case(request, code, "complete", access.CHECK)
    step = Step(
        title=_("How did it end?"),
        label=_("Complete"),
        done=_("Completed. Now record the procedure and collect the specimens."),
        to=ProcedureStatus.COMPLETED,
        template="procedures/bookings/clinical_step.html",
    )
    return take(request, case, step, CompleteForm(data_of(request)), endings.complete, banner=banner.of_procedure(case))


@page
@checkers
@sensitive_post_parameters("note")
def continue_elsewhere(request: HttpRequest, code: str) -> HttpResponse:
    """A linked case at another location."""
    case = _case(request, code, "continue", access.CHECK)
    initial = {"variant": case.variant, "location": "radiology"}
    form = ContinueForm(data_of(request), protocol=case.protocol_version.parsed, initial=initial)
    if form.is_valid():
        try:
            linked = endings.continue_as(actor=actor_of(request), procedure=case, **form.cleaned_data)
        except Conflict:
            raise
        except Invalid as error:
            add_to_form(form, error)
        else:
            messages.success(request, _("Requested as a linked case. The checklist is asked again. Choose a slot."))
            return see_other("procedures:schedule", linked.code)
    context = {**selector.facts(case), "form": form, "banner": banner.of_procedure(case)}
    return render(request, "procedures/bookings/continue.html", context, status=422 if form.errors else 200)


def _start_page(
    request: HttpRequest, case: Procedure, form: Any, name: str, blockers: list[str], status: int
) -> HttpResponse:
    context = {
        **selector.facts(case),
        "form": form,
        "blockers": blockers,
        "banner": banner.of_procedure(case),
        "may_override": actor_of(request).has(*access.OPERATE),
        "passes": gates.safety_blockers(case, clock.now()) if name == "emergency" else [],
    }
    return render(request, f"procedures/bookings/{name}.html", context, status=422 if form.errors else status)


def _emergency_started(request: HttpRequest, case: Procedure) -> HttpResponse:
    messages.success(request, _("Started as an emergency. What was left out is now promised."))
    if case.stay is None:
        words = _("The patient has another booking at this time, so none was reserved for this one. Move the other.")
        messages.warning(request, words)
    if case.room is not None and case.room_time is None:
        messages.warning(request, _("The room is booked for another case, so it was not reserved for this one."))
    return see_other("followups:case", case.code)
