"""Held medicines of a case: the list, and what is said about each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic import clock
from clinic.access import actor_of, need, record_read
from clinic.actor import Actor
from clinic.errors import Invalid
from clinic.responses import see_other
from clinic.roles import Role
from clinic.wording import translated
from procedures import access
from procedures.forms.holds import HoldForm, LastDoseForm, MomentForm, RestartForm, ToldForm, WithdrawHoldForm
from procedures.models import Hold, Procedure
from procedures.models.holds import RestartDecision
from procedures.selectors import banner
from procedures.selectors import checklists as selectors
from procedures.services import holds as services

pages = require_http_methods(["GET", "HEAD", "POST"])


@pages
def holds(request: HttpRequest, code: str) -> HttpResponse:
    """Every held medicine of the case, and a form for the next."""
    actor = actor_of(request)
    writing = request.method == "POST"
    procedure = access.procedure_for(actor, code, need=access.CHECK if writing else None)
    form = HoldForm(request.POST if writing else None, initial=_suggested(request, actor, procedure))
    if writing and form.is_valid() and _did(form, services.hold, actor=actor, procedure=procedure, **form.values()):
        messages.success(request, _("Recorded as held."))
        return see_other("procedures:holds", code)
    if not writing:
        record_read(request, page="holds", patient_ids=[procedure.patient_id], subject=procedure)
    context = _context(actor, procedure) | {"form": form, "medicines": _not_held(procedure)}
    return render(request, "procedures/checklists/holds.html", context, status=422 if form.errors else 200)


@pages
def hold_restart(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    """What became of it: restarted, or not because."""
    now = timezone.localtime(clock.now())
    form = RestartForm(request.POST or None, initial={"at_date": now.date(), "at_time": now.time()})

    def act(actor: Actor, hold: Hold) -> Any:
        data = form.cleaned_data
        if data["decision"] == RestartDecision.RESTARTED:
            return services.restart(actor=actor, hold=hold, at=data["at"])
        return services.not_restart(actor=actor, hold=hold, reason=data["reason"])

    places = {"restart_at": "at_date", "restart_reason": "reason"}
    return _about(request, code, pk, form, act, _("What became of %(medicine)s?"), places)


@pages
def hold_told(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    """The patient was told when to take the last dose."""
    now = timezone.localtime(clock.now())
    form = ToldForm(request.POST or None, initial={"at_date": now.date(), "at_time": now.time()})
    return _about(
        request,
        code,
        pk,
        form,
        lambda actor, hold: services.told_patient(
            actor=actor, hold=hold, at=form.cleaned_data["at"], teach_back=form.cleaned_data["teach_back"]
        ),
        _("%(medicine)s: when was the patient told?"),
        {"told_patient_at": "at_date"},
    )


@pages
def hold_plan(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    """When the last dose is taken, and with whom that was agreed; another time is told to the patient anew."""
    form = LastDoseForm(request.POST or None)
    return _about(
        request,
        code,
        pk,
        form,
        lambda actor, hold: services.plan_last_dose(
            actor=actor, hold=hold, at=form.cleaned_data["at"], agreed_with=form.cleaned_data["agreed_with"]
        ),
        _("When is the last dose of %(medicine)s?"),
        {},
    )


@pages
def hold_due(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    """A physician sets when it is to be taken again."""
    form = MomentForm(request.POST or None)
    return _about(
        request,
        code,
        pk,
        form,
        lambda actor, hold: services.set_restart_due(actor=actor, hold=hold, due_at=form.cleaned_data["at"]),
        _("When is %(medicine)s to be restarted?"),
        {},
        need_roles=access.OPERATE,
    )


@pages
def hold_withdraw(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    """Before the needle: it is not held after all."""
    form = WithdrawHoldForm(request.POST or None)
    return _about(
        request,
        code,
        pk,
        form,
        lambda actor, hold: services.withdraw(actor=actor, hold=hold, reason=form.cleaned_data["reason"]),
        _("%(medicine)s is not held after all"),
        {"withdrawn_reason": "reason"},
    )


def _about(
    request: HttpRequest,
    code: str,
    pk: int,
    form: Any,
    act: Callable[[Actor, Hold], Any],
    heading: str,
    places: dict[str, str],
    need_roles: frozenset[Role] = access.CHECK,
) -> HttpResponse:
    """One form about one held medicine; back to the list when it is done."""
    actor = actor_of(request)
    procedure = access.procedure_for(actor, code, need=need_roles)
    hold: Hold = need(procedure.holds.select_related("procedure").filter(pk=pk).first())
    if request.method == "POST" and form.is_valid() and _did(form, act, actor, hold, places=places):
        messages.success(request, _("Saved."))
        return see_other("procedures:holds", code)
    record_read(request, page="hold", patient_ids=[procedure.patient_id], subject=hold)
    context = {
        "procedure": procedure,
        "banner": banner.of_procedure(procedure),
        "hold": hold,
        "form": form,
        "heading": heading % {"medicine": hold.ingredient},
    }
    return render(request, "procedures/checklists/hold.html", context, status=422 if form.is_bound else 200)


def _did(
    form: Any, service: Callable[..., Any], *args: Any, places: dict[str, str] | None = None, **kwargs: Any
) -> bool:
    try:
        service(*args, **kwargs)
    except Invalid as refused:
        place = (places or {}).get(refused.field, refused.field)
        form.add_error(place if place in form.fields else None, translated(refused))
        return False
    return True


def _context(actor: Actor, procedure: Procedure) -> dict[str, Any]:
    rows = procedure.holds.select_related("decided_by", "restart_by", "told_by").order_by("pk")
    return {
        "procedure": procedure,
        "banner": banner.of_procedure(procedure),
        "holds": list(rows),
        "can_change": actor.has(*access.CHECK),
        "is_physician": actor.has(*access.OPERATE),
        "decidable": procedure.state in services.DECIDABLE,
        "withdrawable": procedure.state not in services.NEEDLE,
    }


def _suggested(request: HttpRequest, actor: Actor, procedure: Procedure) -> dict[str, Any]:
    """Who is logged in decides if a physician, else the responsible one; the medicine that was picked from the list."""
    picked = next((m for m in _not_held(procedure) if str(m.id) == request.GET.get("medicine")), None)
    decides = actor.user_id if actor.has(Role.PHYSICIAN) else procedure.responsible_id
    return {"decided_by": decides, "ingredient": picked.name if picked else ""}


def _not_held(procedure: Procedure) -> list[Any]:
    """Lines of the medicine list that are not held yet and not said to be harmless."""
    found = selectors.rounds([procedure]).get(procedure.pk)
    open_holds = procedure.holds.filter(withdrawn_at__isnull=True, restart="")
    held = {name.casefold() for name in open_holds.values_list("ingredient", flat=True)}
    lines = found.medicines if found else ()
    return [m for m in lines if m.name.casefold() not in held and m.thins_blood is not False]
