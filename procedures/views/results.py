"""Results by hand: entered, withdrawn, and their versions side by side."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from clinic import clock
from clinic.access import actor_of, record_read
from clinic.actor import Actor
from clinic.errors import Invalid
from clinic.responses import see_other
from clinic.wording import add_to_form
from procedures import access
from procedures.domain import versions
from procedures.domain.states import Level, ResultStatus
from procedures.forms.labs import ReasonForm
from procedures.forms.read_backs import ReadBackForm
from procedures.forms.results import ResultForm
from procedures.models import LabTest, ResultVersion
from procedures.selectors import banner, laboratory, trends
from procedures.selectors import labs as labs_selectors
from procedures.selectors import results as selectors
from procedures.services import read_backs, results


@require_safe
def versions_page(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    """All versions of one test side by side, and what was computed from them."""
    actor = actor_of(request)
    test = access.test_for(actor, code, pk)
    context = {"may_enter": actor.has(*access.LABORATORY), "trends": trends.of_patient(test.procedure)}
    return _page(request, actor, test, "versions.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def result_new(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    """Enter what the laboratory reported; a critical value is checked twice."""
    actor = actor_of(request)
    test = access.test_for(actor, code, pk, need=access.LABORATORY)
    posted = request.POST if request.method == "POST" else None
    form = ResultForm(posted, data_of_test=selectors.test_data(test), initial=_initial(test, actor))
    context: dict[str, Any] = {"form": form, "matched": (), "second_check": False}
    if form.is_valid():
        try:
            version = results.enter(test=test, actor=actor, **form.arguments())
        except Invalid as error:
            context |= _explain(form, error)
        else:
            _say(request, test, version)
            return see_other("followups:case", code)
    return _page(request, actor, test, "enter.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def result_withdraw(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    """Take back what was reported: wrong patient, or deleted by the laboratory."""
    actor = actor_of(request)
    test = access.test_for(actor, code, pk, need=access.LABORATORY)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            results.withdraw(test=test, reason=form.cleaned_data["reason"], actor=actor)
        except Invalid as error:
            add_to_form(form, error)
        else:
            messages.success(request, _("Withdrawn: %(test)s. Its result is awaited again.") % {"test": test.label})
            return see_other("procedures:results", code, pk)
    consequences = [
        _("The result disappears from the chart; it is kept for the audit."),
        _("The result of %(test)s is awaited again.") % {"test": test.label},
        _("If the patient has heard of it, tell the patient that it was wrong."),
    ]
    context = {"form": form, "consequences": consequences}
    return _page(request, actor, test, "withdraw.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def result_read_back(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    """Write down that the laboratory phoned a critical result, or how else it was noticed."""
    actor = actor_of(request)
    test = access.test_for(actor, code, pk, need=access.LABORATORY)
    version = versions.current(list(test.versions.all()))
    if version is None or (version.level != Level.CRITICAL and not version.phoned_critical):
        messages.info(request, _("There is no critical result of this test."))
        return see_other("procedures:results", code, pk)
    initial = {"at": timezone.localtime(clock.now()), "receiver": actor.name}
    form = ReadBackForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        try:
            read_backs.record(version=version, actor=actor, **form.arguments())
        except Invalid as error:
            add_to_form(form, error)
        else:
            messages.success(request, _("Written down. The result is still to be read by a physician."))
            return see_other("procedures:results", code, pk)
    return _page(request, actor, test, "read_back.html", {"form": form}, status=422 if form.errors else 200)


def _explain(form: ResultForm, error: Invalid) -> dict[str, Any]:
    """What was refused stands beside its field; a critical value says which rules make it so."""
    if isinstance(error, results.NeedsConfirmation):
        form.ask(error.doubts)
    elif isinstance(error, results.NeedsReadBack):
        form.add_problems(error.problems)
        return {"matched": error.matched, "second_check": True}
    elif isinstance(error, results.Unreadable):
        form.add_problems(error.problems)
    else:
        add_to_form(form, error)
    return {}


def _say(request: HttpRequest, test: LabTest, version: ResultVersion) -> None:
    """What became of it: also when it does not count."""
    words = {"test": test.label, "number": version.number}
    current = versions.current(list(test.versions.all()))
    if current is not None and current.pk != version.pk:
        messages.info(request, _("%(test)s: kept as version %(number)s; a later report already counts.") % words)
    elif version.level == Level.CRITICAL:
        messages.warning(request, _("%(test)s is critical: the responsible physician must hear of it now.") % words)
    elif version.level == Level.UNKNOWN:
        messages.warning(request, _("%(test)s is saved; the rules cannot judge it, so a physician must.") % words)
    else:
        messages.success(request, _("%(test)s is saved as version %(number)s.") % words)


def _initial(test: LabTest, actor: Actor) -> dict[str, Any]:
    stored = list(test.versions.order_by("number"))
    current = versions.current(stored)
    final = current is not None and current.status != ResultStatus.PRELIMINARY
    return {
        "after": stored[-1].number if stored else 0,
        "status": str(ResultStatus.CORRECTED) if final else "",
        "reported_at": timezone.localtime(clock.now()),
        "rb_receiver": actor.name,
    }


def _page(
    request: HttpRequest,
    actor: Actor,
    test: LabTest,
    template: str,
    context: dict[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    procedure = test.procedure
    record_read(request, page="result", patient_ids=[procedure.patient_id], subject=test)
    read = laboratory.read(procedure)
    known = selectors.known_in(read.versions)
    rows = labs_selectors.rows_of(procedure, read.tests, read.versions, clock.now())
    frame = {
        "procedure": procedure,
        "protocol": procedure.protocol_version.parsed,
        "banner": banner.of_read(procedure, read.rows),
        "test": test,
        "row": next(row for row in rows if row.test.pk == test.pk),
        "data": selectors.test_data(test),
        "side": selectors.side_by_side(test, read.of(test)),
        "computed": selectors.computed_from(procedure, read.ordered, known),
        "judgement": selectors.judged_from(test, known),
    }
    return render(request, f"procedures/results/{template}", {**frame, **context}, status=status)
