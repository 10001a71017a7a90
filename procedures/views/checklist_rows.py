"""Lines of the medicine and allergy lists: added on the checklist's page or on their own, changed, withdrawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from clinic.access import actor_of, need, record_read
from clinic.actor import Actor
from clinic.errors import Invalid
from clinic.htmx import wants_partial
from clinic.responses import see_other
from clinic.wording import translated
from procedures import access
from procedures.domain.protocol import Question
from procedures.forms.checklist_rows import FORMS, WithdrawForm, row_form
from procedures.forms.checklists import Typed
from procedures.models import Procedure
from procedures.selectors import banner, medicine_list
from procedures.services import checklist_rows as services
from procedures.views import checklist_parts as parts

pages = require_http_methods(["GET", "HEAD", "POST"])
ADD: dict[str, Any] = {"medicines": services.add_medicine, "allergies": services.add_allergy}
CHANGE: dict[str, Any] = {"medicines": services.change_medicine, "allergies": services.change_allergy}
WITHDRAW: dict[str, Any] = {"medicines": services.withdraw_medicine, "allergies": services.withdraw_allergy}
LABELS = {
    "name": gettext_lazy("Medicine"),
    "code": gettext_lazy("Recognised as"),
    "dose": gettext_lazy("Dose in other words"),
    "amount": gettext_lazy("One dose"),
    "unit": gettext_lazy("Unit"),
    "times_per_day": gettext_lazy("Times a day"),
    "route": gettext_lazy("How it is taken"),
    "tier": gettext_lazy("Kind of dose"),
    "planned_stop_at": gettext_lazy("Planned last dose"),
    "indication": gettext_lazy("Taken for"),
    "prescriber": gettext_lazy("Prescriber"),
    "status": gettext_lazy("Still taken?"),
    "last_dose_at": gettext_lazy("Last dose"),
    "thins_blood": gettext_lazy("Affects bleeding?"),
    "substance": gettext_lazy("Substance"),
    "category": gettext_lazy("Kind"),
    "reaction": gettext_lazy("What happened"),
    "severity": gettext_lazy("How severe"),
}


@dataclass(kw_only=True)
class Rows:
    """Codes of the questions to which a line was added, and the forms that were refused, by list."""

    added: list[str] = field(default_factory=list)
    refused: dict[str, Any] = field(default_factory=dict)


def question_of(procedure: Procedure, kind: str) -> Question:
    return next(q for q in procedure.protocol_version.parsed.questions if q.kind == kind)


def add_typed(request: HttpRequest, actor: Actor, procedure: Procedure) -> Rows:
    """Add the lines that were typed into the page, whichever button was pressed: nothing typed is lost."""
    rows = Rows()
    for kind in FORMS:
        form = row_form(kind, request.POST)
        if not form.has_changed() and request.POST.get("do") != f"add:{kind}":
            continue
        if add(form, kind, actor, procedure, anyway=f"{kind}-instead" in request.POST):
            rows.added.append(question_of(procedure, kind).code)
        else:
            rows.refused[kind] = form
    return rows


def add(form: Any, kind: str, actor: Actor, procedure: Procedure, *, anyway: bool) -> bool:
    """True when the line was added; else the form carries why not."""
    if not form.is_valid():
        return False
    try:
        ADD[kind](actor=actor, procedure=procedure, instead_of_none=anyway, **form.values())
    except Invalid as refused:
        _beside(form, refused)
        return False
    return True


def _beside(form: Any, refused: Invalid) -> None:
    place = form.places.get(refused.field, refused.field)
    form.add_error(place if place in form.fields else None, translated(refused))


@pages
def checklist_row_new(request: HttpRequest, code: str, kind: str) -> HttpResponse:
    """A new line: a page of its own, and what the checklist's *add* button posts to."""
    actor = actor_of(request)
    procedure = access.procedure_for(actor, code, need=access.CHECK)
    form = _form_or_404(kind, request.POST or None)
    question = question_of(procedure, kind)
    added = request.method == "POST" and add(form, kind, actor, procedure, anyway=f"{kind}-instead" in request.POST)
    if wants_partial(request):
        return _list_again(request, actor, procedure, kind, None if added else form)
    if added:
        messages.success(request, _("Added."))
        return see_other(_back(procedure, question, request))
    return _page(request, procedure, question, form, row=None)


@pages
def checklist_row(request: HttpRequest, code: str, kind: str, pk: int) -> HttpResponse:
    """Change a line: the old one stays in the history."""
    actor = actor_of(request)
    procedure = access.procedure_for(actor, code, need=access.CHECK)
    row = _row_or_404(procedure, kind, pk)
    form = _form_or_404(kind, request.POST or None, initial=FORMS[kind].initial_of(row))
    question = question_of(procedure, kind)
    if request.method == "POST" and form.is_valid():
        try:
            CHANGE[kind](actor=actor, procedure=procedure, pk=pk, **form.values())
        except Invalid as refused:
            _beside(form, refused)
        except services.RowConflict as conflict:
            return _conflict_page(request, procedure, question, conflict)
        else:
            messages.success(request, _("Changed."))
            return see_other(_back(procedure, question, request))
    return _page(request, procedure, question, form, row=row)


@pages
def checklist_row_withdraw(request: HttpRequest, code: str, kind: str, pk: int) -> HttpResponse:
    """Take a line off the list, with a reason."""
    actor = actor_of(request)
    procedure = access.procedure_for(actor, code, need=access.CHECK)
    row, question = _row_or_404(procedure, kind, pk), question_of(procedure, kind)
    form = WithdrawForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            WITHDRAW[kind](actor=actor, procedure=procedure, pk=pk, reason=form.cleaned_data["reason"])
        except services.RowConflict as conflict:
            return _conflict_page(request, procedure, question, conflict)
        messages.success(request, _("Taken off the list. The history keeps it."))
        return see_other(_back(procedure, question, request))
    record_read(request, page="checklist line", patient_ids=[procedure.patient_id], subject=row)
    context = {"procedure": procedure, "banner": banner.of_procedure(procedure), "form": form, "row": row, "kind": kind}
    context["back"] = _back(procedure, question, request)
    return render(request, "procedures/checklists/row_withdraw.html", context, status=422 if form.is_bound else 200)


def _form_or_404(kind: str, *args: Any, **kwargs: Any) -> Any:
    if kind not in FORMS:
        raise Http404
    return row_form(kind, *args, **kwargs)


def _row_or_404(procedure: Procedure, kind: str, pk: int) -> Any:
    models = {"medicines": services.MEDICINES.model, "allergies": services.ALLERGIES.model}
    if kind not in models:
        raise Http404
    return need(models[kind].objects.filter(pk=pk, checklist__procedure=procedure, withdrawn=False).first())


def _back(procedure: Procedure, question: Question, request: HttpRequest) -> str:
    """The stage one came from, at the list."""
    stage = request.POST.get("stage") or request.GET.get("stage") or question.stage
    if stage not in (question.stage, *question.reask_at):
        stage = question.stage
    return f"{reverse('procedures:checklist', args=[procedure.code])}?stage={stage}#w-{question.code}"


def _page(request: HttpRequest, procedure: Procedure, question: Question, form: Any, *, row: Any) -> HttpResponse:
    record_read(request, page="checklist line", patient_ids=[procedure.patient_id], subject=row or procedure)
    context = {
        "procedure": procedure,
        "banner": banner.of_procedure(procedure),
        "question": question,
        "kind": question.kind,
        "form": form,
        "row": row,
        "back": _back(procedure, question, request),
        "medicine_names": medicine_list.names() if question.kind == "medicines" else (),
        "stage_code": request.POST.get("stage") or request.GET.get("stage") or question.stage,
    }
    return render(request, "procedures/checklists/row.html", context, status=422 if form.is_bound else 200)


def _list_again(request: HttpRequest, actor: Actor, procedure: Procedure, kind: str, refused: Any) -> HttpResponse:
    """The question with its lines and an empty form for the next one; with the typed one when it was refused."""
    code = question_of(procedure, kind).code
    forms = {kind: refused} if refused is not None else {}
    context = parts.context_of(actor, procedure, stage=request.POST.get("stage", ""), typed=Typed(), row_forms=forms)
    slots = {slot.code: slot for section in context["page"].sections for slot in section.slots}
    context |= {"slot": need(slots.get(code)), "others": [], "whole": True}
    context["field"] = context["slot"].field
    status = 422 if refused is not None else 200
    return render(request, "procedures/checklists/_saved.html", context, status=status)


def _conflict_page(
    request: HttpRequest, procedure: Procedure, question: Question, conflict: services.RowConflict
) -> HttpResponse:
    """What was typed and what somebody else saved, side by side."""
    theirs = conflict.theirs
    gone = _("taken off the list")
    differences = [
        {
            "label": LABELS[name],
            "yours": _shown(theirs, name, value),
            "theirs": gone if theirs.withdrawn else _shown(theirs, name, getattr(theirs, name)),
        }
        for name, value in conflict.mine.items()
        if name in LABELS and (theirs.withdrawn or value != getattr(theirs, name))
    ]
    who = theirs.recorded_by.display_name if theirs.recorded_by else ""
    message = _("%(who)s changed this line in the meantime. Nothing of yours was saved over it.") % {"who": who}
    context = {"message": message, "differences": differences, "back_url": _back(procedure, question, request)}
    return render(request, "409.html", context, status=409)


def _shown(row: Any, name: str, value: Any) -> str:
    """A column's value in words."""
    if value is None or value == "":
        return _("not said")
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if name.endswith("_at"):
        return parts.local_moment(value)
    choices = dict(row._meta.get_field(name).flatchoices)
    return str(choices.get(value, value))
