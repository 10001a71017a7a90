"""Absence and cover: everybody's own, all of them for the director."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic import clock, covers
from clinic.absence_forms import AbsenceForm, DeclineForm, PassOnForm
from clinic.access import ALL_ROLES, actor_of, roles_required
from clinic.errors import Invalid
from clinic.models import Absence, User
from clinic.responses import see_other
from clinic.roles import Role
from clinic.wording import add_to_form

everybody = roles_required(*ALL_ROLES)
page = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@everybody
def absences(request: HttpRequest) -> HttpResponse:
    """When I am away, whom I cover, and what I am asked; the director sees everybody's, uncovered ones first."""
    user, now = _me(request), clock.now()
    mine = list(covers.concerning(user, now))
    director = user.has(Role.DIRECTOR)
    others = list(covers.of_others(user, now)) if director else []
    context = {
        "asked": [a for a in mine if a.surrogate_id == user.pk and a.is_asked],
        "away": [a for a in mine if a.user_id == user.pk],
        "covering": [a for a in mine if a.surrogate_id == user.pk and a.is_covered],
        "declined": [a for a in mine if a.surrogate_id == user.pk and a.declined_at],
        "others": sorted(others, key=lambda a: (a.is_covered, a.starts_at)),
        "uncovered": [a for a in others if not a.is_covered],
        "director": director,
    }
    return render(request, "clinic/absences.html", context)


@page
@everybody
def absence_new(request: HttpRequest) -> HttpResponse:
    """I am going to be away; a director may say it of anybody."""
    user = _me(request)
    person = None if user.has(Role.DIRECTOR) else user
    form = AbsenceForm(_typed(request), now=clock.now(), person=person, initial={"user": user.pk})
    if form.is_valid():
        who = form.cleaned_data.get("user") or user
        try:
            absence = covers.plan(actor=actor_of(request), user=who, **form.wish())
        except Invalid as error:
            add_to_form(form, error)
        else:
            messages.success(request, _saved(absence))
            return see_other("absences")
    return _form(request, form, _("Plan an absence"))


@page
@everybody
def absence_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Other days, or another surrogate."""
    absence = _theirs(request, pk)
    initial = {name: getattr(absence, name) for name in ("starts_at", "ends_at")}
    initial["surrogate"] = absence.surrogate_id
    form = AbsenceForm(_typed(request), now=clock.now(), person=absence.user, absence=absence, initial=initial)
    if form.is_valid():
        try:
            changed = covers.change(actor=actor_of(request), absence=absence, **form.wish())
        except Invalid as error:
            add_to_form(form, error)
        else:
            messages.success(request, _saved(changed))
            return see_other("absences")
    return _form(request, form, _("Change the absence"), absence)


@page
@everybody
def absence_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Not away after all, or back earlier."""
    absence = _theirs(request, pk)
    begun = absence.starts_at < clock.now()
    if request.method == "POST":
        covers.cancel(actor=actor_of(request), absence=absence)
        messages.success(request, _("The absence has ended.") if begun else _("The absence is cancelled."))
        return see_other("absences")
    return render(request, "clinic/absence_cancel.html", {"absence": absence, "begun": begun})


@require_POST
@everybody
def accept_cover(request: HttpRequest, pk: int) -> HttpResponse:
    """The surrogate says yes. Somebody else's absence is not found."""
    absence = _asked(request, pk)
    try:
        covers.accept(actor=actor_of(request), absence=absence)
    except Invalid as error:
        messages.error(request, _(error.message) % error.params)
        return see_other("absences")
    messages.success(request, _("Accepted: you cover for %(name)s.") % {"name": absence.user.display_name})
    return see_other("absences")


@page
@everybody
def decline_cover(request: HttpRequest, pk: int) -> HttpResponse:
    """The surrogate says no, and why."""
    absence = _asked(request, pk)
    form = DeclineForm(_typed(request))
    if form.is_valid():
        covers.decline(actor=actor_of(request), absence=absence, reason=form.cleaned_data["reason"])
        messages.success(request, _("Declined. Until somebody accepts, the role on duty is asked."))
        return see_other("absences")
    return _answer(request, "clinic/cover_decline.html", form, absence)


@page
@everybody
def pass_on_cover(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody else is asked instead."""
    user = _me(request)
    rows = Absence.objects.select_related("user", "surrogate")
    if not user.has(Role.DIRECTOR):
        rows = rows.filter(Q(user=user) | Q(surrogate=user))
    absence = get_object_or_404(rows, pk=pk, ends_at__gt=clock.now())
    form = PassOnForm(_typed(request), absence=absence, now=clock.now())
    if form.is_valid():
        to = form.cleaned_data["to"]
        try:
            covers.pass_on(actor=actor_of(request), absence=absence, to=to)
        except Invalid as error:
            add_to_form(form, error)
        else:
            asked = _("%(who)s is asked to cover.") % {"who": to.display_name} if to else _("Nobody covers now.")
            messages.success(request, f"{asked} {_('Until somebody accepts, the role on duty is asked.')}")
            return see_other("absences")
    return _answer(request, "clinic/cover_pass_on.html", form, absence)


def _me(request: HttpRequest) -> User:
    assert request.user.is_authenticated
    return request.user


def _typed(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


def _theirs(request: HttpRequest, pk: int) -> Absence:
    """One's own absence that is not over; anybody's for the director. Any other is not found."""
    user = _me(request)
    rows = Absence.objects.select_related("user", "surrogate").filter(ends_at__gt=clock.now())
    return get_object_or_404(rows if user.has(Role.DIRECTOR) else rows.filter(user=user), pk=pk)


def _asked(request: HttpRequest, pk: int) -> Absence:
    """An absence for which the reader is asked to cover."""
    rows = Absence.objects.select_related("user", "surrogate")
    return get_object_or_404(rows, pk=pk, surrogate_id=request.user.pk, ends_at__gt=clock.now())


def _saved(absence: Absence) -> str:
    if absence.is_covered and absence.surrogate is not None:
        return _("Saved. %(who)s covers.") % {"who": absence.surrogate.display_name}
    if absence.surrogate is None:
        return _("Saved. Nobody covers: what waits goes to whoever is on duty for the role.")
    return _("Saved. %(who)s is asked to cover; until then the role on duty is asked.") % {
        "who": absence.surrogate.display_name
    }


def _form(request: HttpRequest, form: AbsenceForm, title: str, absence: Absence | None = None) -> HttpResponse:
    context = {"form": form, "title": title, "absence": absence}
    return render(request, "clinic/absence_form.html", context, status=422 if form.errors else 200)


def _answer(request: HttpRequest, template: str, form: Any, absence: Absence) -> HttpResponse:
    return render(request, template, {"form": form, "absence": absence}, status=422 if form.errors else 200)
