"""Rooms, hours, closures, sessions and on-call duty: the director keeps them, the scheduler reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from clinic import clock, covers
from clinic import places as service
from clinic.access import actor_of, roles_required
from clinic.models import ClinicHours, Closure, OnCall, OperatorSession, Room
from clinic.place_forms import ClosureForm, HoursForm, OnCallForm, PlaceForm, RoomForm, SessionForm
from clinic.responses import see_other
from clinic.roles import Role

directors = roles_required(Role.DIRECTOR)


@dataclass(frozen=True)
class Kind:
    """One list on the page: its form and what to call a row of it."""

    form: type[PlaceForm]
    new: Promise
    edit: Promise
    removable: bool = True
    home: str = "places"  # the page that shows the list


KINDS: Mapping[str, Kind] = {
    "rooms": Kind(RoomForm, gettext_lazy("New room"), gettext_lazy("Room"), removable=False),
    "hours": Kind(HoursForm, gettext_lazy("New opening hours"), gettext_lazy("Opening hours")),
    "closures": Kind(ClosureForm, gettext_lazy("New closure"), gettext_lazy("Closure")),
    "sessions": Kind(SessionForm, gettext_lazy("New operator session"), gettext_lazy("Operator session")),
    "on-call": Kind(OnCallForm, gettext_lazy("New on-call duty"), gettext_lazy("On-call duty"), home="on_call"),
}


@require_safe
@roles_required(Role.DIRECTOR, Role.SCHEDULER)
def places(request: HttpRequest) -> HttpResponse:
    """Everything that decides when and where work is possible; what is over is left out."""
    now = clock.now()
    today = timezone.localdate(now)
    context = {
        "may_change": actor_of(request).has(Role.DIRECTOR),
        "rooms": Room.objects.order_by("-is_active", "name"),
        "hours": ClinicHours.objects.all(),
        "closures": Closure.objects.filter(last_day__gte=today).select_related("room"),
        "sessions": OperatorSession.objects.select_related("operator").order_by(
            "operator__full_name", "weekday", "starts"
        ),
        "on_call": OnCall.objects.filter(ends_at__gt=now).select_related("user"),
        "uncovered": covers.uncovered(now),
    }
    return render(request, "clinic/places.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@directors
def place_add(request: HttpRequest, kind: str) -> HttpResponse:
    chosen = _kind(kind)
    given = {name: request.GET[name] for name in chosen.form.base_fields if name in request.GET}
    form = chosen.form(request.POST if request.method == "POST" else None, initial=given)
    if form.is_valid():
        service.add(actor=actor_of(request), row=form.save(commit=False))
        messages.success(request, _("Added."))
        return see_other(chosen.home)
    return _form_page(request, form, {"title": chosen.new, "kind": kind, "home": chosen.home})


@require_http_methods(["GET", "HEAD", "POST"])
@directors
def place_edit(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    chosen = _kind(kind)
    row = _row(chosen, pk)
    form = chosen.form(request.POST if request.method == "POST" else None, instance=row)
    if form.is_valid():
        service.change(actor=actor_of(request), row=form.save(commit=False), fields=form.changed_data)
        messages.success(request, _("Saved."))
        return see_other(chosen.home)
    context = {"title": chosen.edit, "kind": kind, "pk": pk, "removable": chosen.removable, "home": chosen.home}
    return _form_page(request, form, context)


@require_http_methods(["GET", "HEAD", "POST"])
@directors
def place_remove(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """Say what will follow; then take the row away."""
    chosen = _kind(kind)
    row = _row(chosen, pk)
    if not chosen.removable:
        raise Http404
    if request.method != "POST":
        return render(request, "clinic/place_remove.html", {"row": row, "title": chosen.edit, "home": chosen.home})
    service.remove(actor=actor_of(request), row=row)
    messages.success(request, _("Removed."))
    return see_other(chosen.home)


def _kind(name: str) -> Kind:
    if name not in KINDS:
        raise Http404
    return KINDS[name]


def _row(kind: Kind, pk: int) -> Any:
    return get_object_or_404(kind.form._meta.model, pk=pk)


def _form_page(request: HttpRequest, form: PlaceForm, context: dict[str, Any]) -> HttpResponse:
    return render(request, "clinic/place_form.html", {"form": form, **context}, status=422 if form.errors else 200)
