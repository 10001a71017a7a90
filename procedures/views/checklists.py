"""The checklist's pages: a stage at a time, saved as one goes, signed at its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from clinic import clock
from clinic.access import actor_of, record_read
from clinic.actor import Actor
from clinic.errors import Invalid
from clinic.htmx import wants_partial
from clinic.responses import see_other
from clinic.wording import add_to_form, translated
from procedures import access
from procedures.domain.checklist import ChecklistState, StageState
from procedures.forms.checklists import ReopenForm, Typed, entries_from, stage_page
from procedures.models import Procedure
from procedures.selectors import banner, medicine_list
from procedures.selectors import checklists as selectors
from procedures.services import checklists
from procedures.views import checklist_parts as parts
from procedures.views import checklist_rows

pages = require_http_methods(["GET", "HEAD", "POST"])


@pages
def checklist(request: HttpRequest, code: str) -> HttpResponse:
    """One stage: read it, answer it, add lines, confirm what still holds, sign it. Works as a plain form."""
    actor = actor_of(request)
    if request.method == "POST":
        procedure = access.procedure_for(actor, code, need=access.CHECK)
        return _posted(request, actor, procedure)
    procedure = access.procedure_for(actor, code)
    if not wants_partial(request):
        record_read(request, page="checklist", patient_ids=[procedure.patient_id], subject=procedure)
    return parts.page(request, actor, procedure, stage=request.GET.get("stage", ""))


def _posted(request: HttpRequest, actor: Actor, procedure: Procedure) -> HttpResponse:
    """Save whatever came, then do what the pressed button says."""
    stage = parts.stage_code(procedure, request.POST.get("stage", ""))
    entries = entries_from(request.POST, parts.codes_of(procedure, stage))
    saved = _saved(actor, procedure, entries)
    rows = checklist_rows.add_typed(request, actor, procedure)
    again: dict[str, Any] = {"stage": stage, "typed": Typed.of(entries, saved), "row_forms": rows.refused}
    if saved.clashes:
        return parts.page(request, actor, procedure, status=409, **again)
    if saved.incomplete or rows.refused:
        return parts.page(request, actor, procedure, status=422, **again)
    changed = bool(saved.written or rows.added)
    do, _sep, what = request.POST.get("do", "save").partition(":")
    if do == "sign":
        return _sign_here(request, actor, procedure, stage, changed)
    if do in ("same", "group"):
        codes = [what] if do == "same" else parts.renewable_codes(procedure, stage, what)
        bases = {c: e.base for c, e in entries.items() if c in codes and c not in saved.written and e.base}
        checklists.confirm(actor=actor, procedure=procedure, bases=bases)
    messages.success(request, _("Saved %(time)s.") % {"time": parts.local_clock()})
    return see_other(f"{_url(procedure, stage)}#{parts.anchor(do, what, rows.added)}")


def _saved(actor: Actor, procedure: Procedure, entries: Mapping[str, Any]) -> checklists.Saved:
    try:
        return checklists.save_answers(actor=actor, procedure=procedure, entries=entries)
    except checklists.AnswerConflict as conflict:
        return conflict.saved


def _sign_here(request: HttpRequest, actor: Actor, procedure: Procedure, stage: str, changed: bool) -> HttpResponse:
    """Sign what was on the screen. What was saved just now has not been seen as it stands: one more look."""
    if changed:
        messages.warning(request, _("Your last answers were saved. Look once more, then sign."))
        return see_other(f"{_url(procedure, stage)}#sign")
    try:
        checklists.sign(actor=actor, procedure=procedure, stage=stage, seen=request.POST.get("seen", ""))
    except Invalid as refused:
        return parts.page(request, actor, procedure, stage=stage, status=422, sign_error=translated(refused))
    return _after_signing(request, procedure, stage)


def _after_signing(request: HttpRequest, procedure: Procedure, stage: str) -> HttpResponse:
    """On to the next stage that is not signed, or back to the case."""
    label = procedure.protocol_version.parsed.stage(stage).label
    messages.success(request, _("“%(stage)s” is signed.") % {"stage": label})
    waiting = selectors.state_of(procedure, clock.now()).unsigned_blocking
    if waiting:
        return see_other(_url(procedure, waiting[0].stage.code))
    return see_other("followups:case", procedure.code)


@pages
def checklist_save(request: HttpRequest, code: str) -> HttpResponse:
    """One changed question (``only``), saved as one goes. Answers with the pieces of the page that follow from it."""
    actor = actor_of(request)
    if request.method != "POST":
        access.procedure_for(actor, code)
        return see_other("procedures:checklist", code)
    procedure = access.procedure_for(actor, code, need=access.CHECK)
    only = request.POST.get("only", "")
    stage = parts.stage_code(procedure, request.POST.get("stage", ""))
    if only not in parts.codes_of(procedure, stage):
        raise Http404
    entries = entries_from(request.POST, [only])
    saved = _saved(actor, procedure, entries)
    base = entries[only].base if only in entries else None
    if request.POST.get("same") and not saved.written and base:
        checklists.confirm(actor=actor, procedure=procedure, bases={only: base})
    return parts.after_save(request, actor, procedure, stage, only, Typed.of(entries, saved))


@pages
def checklist_sign(request: HttpRequest, code: str, stage: str) -> HttpResponse:
    """A stage to read once more and to sign."""
    actor = actor_of(request)
    writing = request.method == "POST"
    procedure = access.procedure_for(actor, code, need=access.CHECK if writing else None)
    found = _stage_or_404(selectors.state_of(procedure, clock.now()), stage)
    if not writing:
        record_read(request, page="checklist sign", patient_ids=[procedure.patient_id], subject=procedure)
        return parts.sign_page(request, actor, procedure, stage)
    try:
        checklists.sign(actor=actor, procedure=procedure, stage=found.stage.code, seen=request.POST.get("seen", ""))
    except Invalid as refused:
        return parts.sign_page(request, actor, procedure, stage, status=422, sign_error=translated(refused))
    return _after_signing(request, procedure, stage)


def _stage_or_404(state: ChecklistState, stage: str) -> StageState:
    try:
        return state.stage(stage)
    except KeyError:
        raise Http404 from None


@pages
def checklist_reopen(request: HttpRequest, code: str) -> HttpResponse:
    """Ask everything once more, with a reason: old answers are shown to confirm."""
    actor = actor_of(request)
    procedure = access.procedure_for(actor, code, need=access.CHECK)
    found = selectors.state_of(procedure, clock.now()).round
    if found is None:
        return see_other("procedures:checklist", code)
    form = ReopenForm(request.POST or None, initial={"number": found.number})
    if request.method == "POST" and form.is_valid():
        try:
            checklists.reopen(actor=actor, procedure=procedure, **form.cleaned_data)
        except Invalid as refused:
            add_to_form(form, refused)
        else:
            messages.success(request, _("Everything is shown to be confirmed."))
            return see_other("procedures:checklist", code)
    record_read(request, page="checklist reopen", patient_ids=[procedure.patient_id], subject=procedure)
    context = {"procedure": procedure, "banner": banner.of_procedure(procedure), "form": form}
    status = 422 if form.is_bound else 200
    return render(request, "procedures/checklists/reopen.html", context, status=status)


@require_safe
def checklist_print(request: HttpRequest, code: str) -> HttpResponse:
    """The whole checklist on paper: every shown question with its answer, who and when."""
    actor = actor_of(request)
    procedure = access.procedure_for(actor, code)
    record_read(request, page="checklist print", patient_ids=[procedure.patient_id], subject=procedure)
    state = selectors.state_of(procedure, clock.now())
    context = {
        "procedure": procedure,
        "banner": banner.of_procedure(procedure),
        "pages": [stage_page(state, stage, draft={}, typed=Typed()) for stage in state.stages],
        "state": state,
        "unlisted": medicine_list.unlisted_in(state.round),
    }
    return render(request, "procedures/checklists/print.html", context)


def _url(procedure: Procedure, stage: str) -> str:
    return f"{reverse('procedures:checklist', args=[procedure.code])}?stage={stage}"
