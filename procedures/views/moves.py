"""One step of a booking, each on its own page: what will follow, a reason where one is needed, one button."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from clinic.access import actor_of, record_read, roles_required
from clinic.errors import Conflict, Invalid
from clinic.responses import see_other
from clinic.roles import Role
from clinic.wording import add_to_form, translated
from procedures import access
from procedures.domain.states import ProcedureStatus
from procedures.forms.bookings import EmptyForm, NoteForm, ReasonForm
from procedures.models import Procedure
from procedures.selectors import bookings as selector
from procedures.services import bookings
from procedures.services import moves as service
from procedures.views.patients import page

bookers = roles_required(*sorted(access.BOOK))
receivers = roles_required(*sorted(access.RECEIVE))


@dataclass(frozen=True, kw_only=True)
class Step:
    """The words of a step. ``to``: the state it leads to; a case that is there already needs no second time."""

    title: str
    label: str
    done: str
    to: ProcedureStatus
    consequences: list[str] = field(default_factory=list)
    danger: bool = False
    template: str = "procedures/bookings/step.html"


def take(
    request: HttpRequest, case: Procedure, step: Step, form: forms.Form, do: Callable[..., Any], **context: Any
) -> HttpResponse:
    """Show the step, or take it and return to the case. A second click finds it done, and says so."""
    if case.status == step.to:
        messages.info(request, _("This is done already."))
        return see_other("followups:case", case.code)
    problem: Conflict | None = None
    if form.is_valid():
        try:
            do(actor=actor_of(request), procedure=case, **form.cleaned_data)
        except Conflict as conflict:
            problem = conflict
        except Invalid as error:
            add_to_form(form, error)
        else:
            messages.success(request, step.done)
            return see_other("followups:case", case.code)
    status = 409 if problem else 422 if form.errors else 200
    context |= {**selector.facts(case), "form": form, "step": step, **_refusal(problem)}
    return render(request, step.template, context, status=status)


def _refusal(problem: Conflict | None) -> dict[str, Any]:
    if problem is None:
        return {}
    return {"problem": translated(problem), "next_free": getattr(problem, "free", [])}


def data_of(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


def _case(request: HttpRequest, code: str, name: str, need: frozenset[Role]) -> Procedure:
    """The booking side of a case; who opens the page called ``name`` is written down."""
    case = access.procedure_for(actor_of(request), code, need=need, chart=False)
    if request.method != "POST":
        record_read(request, page=name, patient_ids=[case.patient_id], subject=case)
    return case


@page
@bookers
@sensitive_post_parameters("reason")
def cancel(request: HttpRequest, code: str) -> HttpResponse:
    case = _case(request, code, "cancel", access.BOOK)
    step = Step(
        title=_("Cancel this procedure?"),
        label=_("Cancel the procedure"),
        done=_("Cancelled. What is still owed to the patient stays promised."),
        to=ProcedureStatus.CANCELLED,
        consequences=[
            _("The slot is free for somebody else."),
            _("Held medicines become due to be restarted, and the patient must be told."),
            _("It can be opened again."),
        ],
        danger=True,
    )
    return take(request, case, step, ReasonForm(data_of(request)), service.cancel)


@page
@receivers
@sensitive_post_parameters("reason")
def no_show(request: HttpRequest, code: str) -> HttpResponse:
    case = _case(request, code, "no_show", access.RECEIVE)
    step = Step(
        title=_("Did the patient not come?"),
        label=_("The patient did not come"),
        done=_("Recorded. Somebody must now rebook it or end it."),
        to=ProcedureStatus.NO_SHOW,
        consequences=[
            _("The slot is free for somebody else."),
            _("A promise to rebook or to end it is opened."),
            _("If the patient comes after all, arrival can still be recorded."),
        ],
    )
    return take(request, case, step, NoteForm(data_of(request)), service.no_show)


@page
@bookers
@sensitive_post_parameters("reason")
def unschedule(request: HttpRequest, code: str) -> HttpResponse:
    case = _case(request, code, "unschedule", access.BOOK)
    step = Step(
        title=_("Give the slot back?"),
        label=_("Give the slot back"),
        done=_("The slot is free. The case waits to be booked."),
        to=ProcedureStatus.REQUESTED,
        consequences=[_("The slot is free for somebody else."), _("A promise to book it again is opened.")],
    )
    return take(request, case, step, NoteForm(data_of(request)), bookings.unschedule)


@page
@bookers
@sensitive_post_parameters("reason")
def reopen(request: HttpRequest, code: str) -> HttpResponse:
    case = _case(request, code, "reopen", access.BOOK)
    step = Step(
        title=_("Open this procedure again?"),
        label=_("Open it again"),
        done=_("Open again. It waits to be booked."),
        to=ProcedureStatus.REQUESTED,
        consequences=[_("It waits for a slot.")],
    )
    return take(request, case, step, NoteForm(data_of(request)), service.reopen)


@page
@receivers
def arrive(request: HttpRequest, code: str) -> HttpResponse:
    case = _case(request, code, "arrive", access.RECEIVE)
    step = Step(
        title=_("Is the patient here?"),
        label=_("The patient is here"),
        done=_("Arrived."),
        to=ProcedureStatus.ARRIVED,
    )
    return take(request, case, step, EmptyForm(data_of(request)), service.arrive)


@page
@receivers
def undo_arrival(request: HttpRequest, code: str) -> HttpResponse:
    case = _case(request, code, "undo_arrival", access.RECEIVE)
    step = Step(
        title=_("Is the patient not here after all?"),
        label=_("Not here: undo the arrival"),
        done=_("The arrival is undone."),
        to=ProcedureStatus.SCHEDULED,
    )
    return take(request, case, step, EmptyForm(data_of(request)), service.undo_arrival)


@page
@bookers
@sensitive_post_parameters("reason")
def entered_in_error(request: HttpRequest, code: str) -> HttpResponse:
    case = _case(request, code, "entered_in_error", access.BOOK)
    step = Step(
        title=_("Was this case entered in error?"),
        label=_("Mark as entered in error"),
        done=_("Marked as entered in error."),
        to=ProcedureStatus.ENTERED_IN_ERROR,
        consequences=[
            _("The case counts for nothing and cannot be opened again; it stays readable."),
            _("Its slot is free, and tests that were not collected are cancelled."),
            _("If it belongs to another patient, request it there."),
        ],
        danger=True,
    )
    return take(request, case, step, ReasonForm(data_of(request)), service.entered_in_error)
