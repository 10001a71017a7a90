"""Clearance: what the safety rules find before the needle, and what a physician decides about it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from clinic import clock, timewords
from clinic.access import actor_of, need, record_read
from clinic.errors import Conflict, Invalid
from clinic.one_statement import Rows
from clinic.responses import see_other
from clinic.roles import Role
from clinic.wording import add_to_form, translated
from procedures import access
from procedures.domain.clearance import PROMISED, Decision, Standing
from procedures.domain.findings import Severity
from procedures.forms.clearance import DecisionForm
from procedures.models import Procedure, SafetyRun
from procedures.selectors import banner, clearance_page
from procedures.selectors import clearance as selector
from procedures.selectors import slots as calendar
from procedures.selectors.clearance import Clearance
from procedures.services import clearance as service
from procedures.services import safety, slots

pages = require_http_methods(["GET", "HEAD", "POST"])
SIGNERS = frozenset({Role.PHYSICIAN, Role.DIRECTOR})
DONE = {
    Decision.PROCEED: gettext_lazy("Decided: proceed."),
    Decision.HOLD_UNTIL: gettext_lazy("Decided: hold."),
    Decision.CORRECT_FIRST: gettext_lazy(
        "Decided: correct first. It is asked about again the day before, and on arrival."
    ),
    Decision.CANCEL_UNSAFE: gettext_lazy("Cancelled as unsafe. That the patient is told is promised."),
}


@pages
@sensitive_post_parameters("reason", "agreed_with", "correct")
def clearance(request: HttpRequest, code: str) -> HttpResponse:
    """Everything that is found; a physician decides about one or more of it on one form."""
    actor, writing = actor_of(request), request.method == "POST"
    case = access.procedure_for(actor, code, need=access.OPERATE if writing else None)
    rows = clearance_page.read(case)
    found = selector.of_rows(case, rows, clock.now()) if case.state in selector.BEFORE else None
    form = _form(request, case, found, rows) if found is not None and actor.has(*access.OPERATE) else None
    problem = ""
    if writing and form is not None and form.is_valid():
        try:
            row = service.decide(actor=actor, procedure=case, wish=form.wish())
        except slots.SlotTaken as taken:
            problem = _("%(why)s Nothing was decided. Choose another slot.") % {"why": translated(taken)}
        except Conflict as conflict:
            problem = translated(conflict)
        except Invalid as error:
            _mark(form, error)
        else:
            return _decided(request, case, row)
    if not writing:
        record_read(request, page="clearance", patient_ids=[case.patient_id], subject=case)
    status = 409 if problem else 422 if form is not None and form.errors else 200
    if problem:  # somebody else has changed something
        rows = clearance_page.read(case)
    return _page(request, case, rows, found, form, problem=problem, status=status)


def _decided(request: HttpRequest, case: Procedure, row: Any) -> HttpResponse:
    messages.success(request, DONE[Decision(row.decision)])
    if row.decision == Decision.PROCEED and row.over_stop:
        messages.warning(request, _("Over a stop it counts once another physician or the director has signed it."))
    return see_other("procedures:clearance", case.code)


def _mark(form: DecisionForm, error: Invalid) -> None:
    """The service names the moment as a whole; the form has it in two fields."""
    field = "hold_until_date" if error.field == "hold_until" else error.field
    add_to_form(form, Invalid(error.message, field=field, **error.params))


def _form(request: HttpRequest, case: Procedure, found: Clearance, rows: Rows) -> DecisionForm:
    now, rooms = clock.now(), calendar.rooms_for(case)
    stood = [s for s in found.stood if s.standing is not Standing.NOTHING]
    said = [(s, clearance_page.words(s.finding, now)) for s in stood]
    zone = timezone.get_current_timezone()
    offered = [
        (
            f"{slot.start.isoformat()}|{slot.room.pk if slot.room else ''}",
            f"{timewords.when(slot.start, now, zone)}{', ' + slot.room.name if slot.room else ''}",
        )
        for slot in clearance_page.safe_slots(case, found, now, rows=rows, rooms=rooms)
    ]
    initial = {
        "seen": found.digest,
        "booking": slots.token(case),
        "keys": [s.finding.key for s in stood if s.standing in (Standing.OPEN, Standing.PUT_OFF)],
    }
    return DecisionForm(
        request.POST if request.method == "POST" else None,
        initial=initial,
        findings=[(s.finding.key, f"{_severity(s.finding.severity)}: {w.title}") for s, w in said],
        slots=_with_typed(request, offered, now),
        rooms=rooms,
    )


def _with_typed(request: HttpRequest, offered: list[tuple[str, str]], now: Any) -> list[tuple[str, str]]:
    """What was offered a minute ago and is no longer free must be refused as taken, not as unknown."""
    typed = request.POST.get("slot", "") if request.method == "POST" else ""
    start = _moment(typed.partition("|")[0])
    if start is None or typed in dict(offered):
        return offered
    return [*offered, (typed, timewords.when(start, now, timezone.get_current_timezone()))]


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _severity(severity: Severity) -> str:
    return _("Stop") if severity is Severity.STOP else _("Caution")


def _page(
    request: HttpRequest,
    case: Procedure,
    rows: Rows,
    found: Clearance | None,
    form: DecisionForm | None,
    *,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    actor, now = actor_of(request), clock.now()
    decisions = rows["history"]
    run, different = selector.differences(rows["runs"])
    shown = clearance_page.shown(found, decisions, now) if found is not None else []
    owed = {s.decided.id for s in found.at_standing(Standing.TO_SIGN) if s.decided} if found is not None else set()
    context = {
        "procedure": case,
        "banner": banner.of_read(case, rows),
        "before": case.state in selector.BEFORE,
        "found": found,
        "asking": [w for w in shown if w.chip],
        "telling": [w for w in shown if not w.chip],
        "form": form if found is not None and any(w.chip for w in shown) else None,
        "problem": problem,
        "message": clearance_page.to_prescriber(case, found, now) if found is not None else "",
        "decisions": decisions,
        "owed": owed,
        "may_sign": actor.has(*SIGNERS),
        "me": actor.user_id,
        "run": run,
        "changes": clearance_page.changed(different, now),
        "may_see": _is_promised(run) and actor.has(*access.CHECK),
    }
    return render(request, "procedures/clearance/page.html", context, status=status)


def _is_promised(run: SafetyRun | None) -> bool:
    """Whether somebody still has to look at what this run found otherwise."""
    return run is not None and run.moment in PROMISED and not hasattr(run, "seen")


@require_POST
def clearance_seen(request: HttpRequest, code: str) -> HttpResponse:
    """Somebody has looked at what is different."""
    actor = actor_of(request)
    case = access.procedure_for(actor, code, need=access.CHECK)
    run = get_object_or_404(SafetyRun, procedure=case, pk=_number(request.POST.get("run", "")))
    safety.seen(actor=actor, run=run)
    messages.success(request, _("Noted: you have seen what is different."))
    return see_other("procedures:clearance", code)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 19 else 0  # digits of the largest key


@pages
def clearance_sign(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    """The second signature: what was found, what was decided and why, then one button."""
    actor, writing = actor_of(request), request.method == "POST"
    case = access.procedure_for(actor, code, need=SIGNERS)
    decision = need(selector.history(case).filter(pk=pk).first())
    problem = ""
    if writing:
        try:
            service.sign(actor=actor, decision=decision)
        except (Conflict, Invalid) as refused:
            problem = translated(refused)
        else:
            messages.success(request, _("Signed. The stop no longer keeps the procedure from starting."))
            return see_other("followups:case", code)
    else:
        record_read(request, page="clearance signature", patient_ids=[case.patient_id], subject=decision)
    now = clock.now()
    context = {
        "procedure": case,
        "banner": banner.of_procedure(case),
        "decision": decision,
        "findings": [clearance_page.words(f, now) for f in decision.run.found if f.key in decision.covers],
        "problem": problem,
        "mine": decision.by_id == actor.user_id,
        "owed": case.state in selector.BEFORE and service.is_owed(case, decision),
    }
    return render(request, "procedures/clearance/sign.html", context, status=409 if problem else 200)
