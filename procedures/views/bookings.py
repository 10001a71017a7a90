"""A new procedure, and its slot."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from clinic import clock
from clinic.access import actor_of, record_read, roles_required
from clinic.errors import Conflict, DomainError, Invalid
from clinic.htmx import wants_partial
from clinic.models import User
from clinic.responses import see_other
from clinic.roles import Role
from clinic.wording import add_to_form, translated
from procedures import access
from procedures.domain.states import ProcedureStatus
from procedures.forms.bookings import RequestForm, SlotForm, WhenForm, first_day
from procedures.models import Patient, Procedure, ProtocolVersion
from procedures.selectors import bookings as selector
from procedures.selectors import couriers, kit
from procedures.selectors import patients as patient_selector
from procedures.selectors import slots as slot_selector
from procedures.services import bookings as service
from procedures.services import labs, slots
from procedures.views.patients import page, search_page

bookers = roles_required(*sorted(access.BOOK))


@page
@bookers
@sensitive_post_parameters("q")
def new(request: HttpRequest) -> HttpResponse:
    """A new procedure begins with the patient."""
    return search_page(request, {"choose": "request"})


@page
@bookers
@sensitive_post_parameters("note")
def request_for(request: HttpRequest, pk: int) -> HttpResponse:
    """What is to be done for this patient, and why. A changed indication sets form and panel anew."""
    actor = actor_of(request)
    patient = access.patient_for(actor, pk, need=access.BOOK)
    if request.method != "POST":
        record_read(request, page="request", patient_ids=[patient.pk], subject=patient)
    versions = selector.protocols()
    version = _chosen(request, versions)
    if version is None:
        return render(request, "procedures/bookings/no_protocol.html", {"patient": patient})
    protocol = version.parsed
    if request.method != "POST":
        form = RequestForm.start(protocol, responsible=actor.user_id if actor.has(Role.PHYSICIAN) else None)
    elif "refresh" in request.POST:
        form = RequestForm(protocol=protocol, initial=RequestForm.settled(protocol, request.POST.dict()))
    else:
        form = RequestForm(request.POST, protocol=protocol)
        if form.is_valid() and (case := _request(request, patient, form)) is not None:
            messages.success(request, _("Requested. Now choose a slot."))
            say_who_answers(request, case, form.cleaned_data["responsible"])
            return see_other("procedures:schedule", case.code)
    return _request_page(request, patient, form, versions)


@page
@bookers
@sensitive_post_parameters("reason")
def schedule(request: HttpRequest, code: str) -> HttpResponse:
    """Choose a slot, or move to another one."""
    actor = actor_of(request)
    case = access.procedure_for(actor, code, need=access.BOOK, chart=False)
    if request.method != "POST":
        record_read(request, page="schedule", patient_ids=[case.patient_id], subject=case)
        return _schedule_page(request, case, _slot_form(request, case))
    form = _slot_form(request, case)
    if not form.is_valid():
        return _schedule_page(request, case, form, status=422)
    try:
        booked = service.schedule(actor=actor, procedure=case, **form.wish())
    except slots.SlotTaken as taken:
        return _refused(request, case, form, taken)
    except Conflict as conflict:
        fresh = access.procedure_for(actor, code, chart=False)
        return _schedule_page(request, fresh, form, problem=translated(conflict), status=409)
    except slots.OutsideHours as outside:
        return _refused(request, case, form, outside)
    except Invalid as error:
        add_to_form(form, error)
        return _schedule_page(request, case, form, status=422)
    messages.success(request, _("Booked.") if case.status != ProcedureStatus.SCHEDULED else _("Moved."))
    say_missed_courier(request, booked)
    return see_other("followups:case", booked.code)


def say_missed_courier(request: HttpRequest, case: Procedure) -> None:
    """The slot stands; whoever booked it hears that its fluid comes too late, and what would be in time."""
    missed = couriers.missed_by(case, case.stay.lower, case.room_id) if case.stay else None
    if missed is None:
        return
    ready = f"{timezone.localtime(missed.ready):%H:%M}"
    if not missed.works:
        messages.warning(request, _("Fluid ready %(ready)s; the laboratory does not work that day.") % {"ready": ready})
    elif missed.last is None:
        messages.warning(request, _("Fluid ready %(ready)s; no courier comes that day.") % {"ready": ready})
    else:
        words = _("Fluid ready %(ready)s, last courier %(last)s.")
        messages.warning(request, words % {"ready": ready, "last": f"{missed.last:%H:%M}"})
    better = couriers.next_in_time(case, clock.now())
    if better is not None:
        day = f"{timezone.localtime(better.start):%a %-d %b %H:%M}"
        messages.info(request, _("A free slot that makes the courier: %(slot)s.") % {"slot": day})


def say_who_answers(request: HttpRequest, case: Procedure, chosen: User) -> None:
    """Whoever chose somebody who is away hears who answers instead."""
    if case.responsible_id != chosen.pk:
        words = _("%(away)s is away. %(who)s covers, and is responsible for this case.")
        messages.info(request, words % {"away": chosen.display_name, "who": case.responsible.display_name})


def _chosen(request: HttpRequest, versions: list[ProtocolVersion]) -> ProtocolVersion | None:
    asked = request.POST.get("protocol") or request.GET.get("protocol")
    return next((v for v in versions if v.protocol.code == asked), versions[0] if versions else None)


def _request(request: HttpRequest, patient: Patient, form: RequestForm) -> Procedure | None:
    """The case, or None with the reason in the form."""
    names = ("protocol", "indication", "variant", "urgency", "responsible", "location", "note", "code")
    try:
        return service.request(
            actor=actor_of(request), patient=patient, **{name: form.cleaned_data[name] for name in names}
        )
    except DomainError as error:
        add_to_form(form, error)
        return None


def _request_page(
    request: HttpRequest, patient: Patient, form: RequestForm, versions: list[ProtocolVersion]
) -> HttpResponse:
    protocol = form.protocol_data
    values = {name: form[name].value() for name in ("indication", "variant")}
    indication = next((i for i in protocol.indications if i.code == values["indication"]), None)
    variant = next((v for v in protocol.variants if v.code == values["variant"]), None)
    context = {
        "form": form,
        "patient": patient,
        "protocol": protocol,
        "warnings": patient_selector.warnings(patient),
        "tests": labs.with_partners(protocol, protocol.panel(indication.panel).tests) if indication else [],
        "variant": variant,
        "segments": protocol_segments(versions, protocol.code),
    }
    name = "request_form" if wants_partial(request) else "request"
    return render(request, f"procedures/bookings/{name}.html", context, status=422 if form.errors else 200)


def protocol_segments(versions: list[ProtocolVersion], chosen: str) -> list[dict[str, Any]]:
    """The kinds of procedure; each has its own address."""
    return [
        {"url": f"?protocol={code}", "label": version.parsed.label, "active": code == chosen, "count": None}
        for version in versions
        for code in (version.protocol.code,)
    ]


def _slot_form(request: HttpRequest, case: Procedure, data: dict[str, Any] | None = None) -> SlotForm:
    return SlotForm(
        data or (request.POST if request.method == "POST" else None),
        rooms=selector.rooms(case),
        room_needed=selector.room_needed(case),
        initial={"room": case.room_id, "operator": case.operator_id, "seen": slots.token(case)},
    )


def _refused(
    request: HttpRequest, case: Procedure, form: SlotForm, error: slots.SlotTaken | slots.OutsideHours
) -> HttpResponse:
    """Why the start is not free, and the next ones that are."""
    data, now = form.cleaned_data, clock.now()
    reasons = slot_selector.reasons(
        procedure=case, start=data["start"], room=data["room"], operator=data["operator"], now=now
    )
    free = slot_selector.next_free(procedure=case, after=data["start"], now=now, operator=data["operator"])
    return _schedule_page(
        request,
        case,
        _slot_form(request, case, form.by_hand()),
        problem=translated(error),
        reasons=[slot_selector.sentence(reason) for reason in reasons],
        next_free=free,
        status=error.status,
    )


def _schedule_page(
    request: HttpRequest, case: Procedure, form: SlotForm, *, status: int = 200, **more: Any
) -> HttpResponse:
    when = WhenForm(request.GET or None, rooms=selector.rooms(case))
    asked = when.cleaned_data if when.is_valid() else {}
    first, days = first_day(asked.get("first")), asked.get("days") or 7
    offered = selector.free_days(
        procedure=case, first=first, days=days, room=asked.get("in_room"), operator=asked.get("by"), now=clock.now()
    )
    context = {
        **selector.facts(case),
        "kit": kit.words_of(case, clock.now()),
        "form": form,
        "when": when,
        "first": first,
        "days": offered,
        "courier": selector.courier_note(case, offered),
        "operator": asked.get("by"),
        "moving": case.status == ProcedureStatus.SCHEDULED,
        "seen": slots.token(case),
        "warnings": patient_selector.warnings(case.patient),
        **more,
    }
    return render(request, "procedures/bookings/schedule.html", context, status=status)
