"""The end of a shift: everything that somebody holds goes to the next one, on one screen."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from clinic import clock
from clinic.access import actor_of, record_read, roles_required
from clinic.errors import Invalid
from clinic.responses import see_other
from clinic.roles import Role
from clinic.wording import add_to_form
from followups import ladder_words
from followups.forms.handover import HandoverForm, seen
from followups.models import FollowUp
from followups.selectors import handover as selector
from followups.selectors.worklists import Row
from followups.services import promises


@require_http_methods(["GET", "HEAD", "POST"])
@roles_required(Role.SCHEDULER, Role.NURSE, Role.PHYSICIAN)
def handover(request: HttpRequest) -> HttpResponse:
    """What I hold, to whom, and what they should know. Whatever somebody took meanwhile is named; the rest is done."""
    if request.method == "POST":
        return _hand_over(request)
    actor, now = actor_of(request), clock.now()
    rows = selector.held(actor, now)
    form = HandoverForm(promises=_promises(rows), people=selector.people(actor, rows, now))
    return _page(request, form, rows)


def _hand_over(request: HttpRequest) -> HttpResponse:
    actor, now, generations = actor_of(request), clock.now(), seen(request.POST)
    rows = selector.shown(actor, now, generations)
    form = HandoverForm(request.POST, promises=_promises(rows), people=selector.people(actor, rows, now))
    if not form.is_valid():
        return _page(request, form, rows, status=422)
    try:
        found = promises.hand_over_shift(actor=actor, given=form.handed(generations), to=form.person)
    except Invalid as error:
        add_to_form(form, error)
        return _page(request, form, rows, status=422)
    for promise, why in [*found.refused, *_over(request, generations)]:
        messages.warning(request, _("Not handed over, %(task)s: %(why)s.") % {"task": _named(promise), "why": why})
    if found.done:
        messages.success(request, _said(found, form))
    return see_other("followups:handover")


def _over(request: HttpRequest, generations: dict[int, int]) -> list[tuple[FollowUp, str]]:
    """What was ticked and is open no more: it was on the screen, so it is spoken of."""
    ticked = [number for number in generations if f"give-{number}" in request.POST]
    why = _("done or no longer needed in the meantime")
    return [(promise, why) for promise in selector.closed(actor_of(request), ticked)]


def _said(found: promises.Handover, form: HandoverForm) -> str:
    count = len(found.done)
    if form.person is None:
        return ngettext("%(n)d task is given back.", "%(n)d tasks are given back.", count) % {"n": count}
    words = ngettext("%(n)d task is handed over to %(who)s.", "%(n)d tasks are handed over to %(who)s.", count)
    return words % {"n": count, "who": form.person.display_name}


def _named(promise: FollowUp) -> str:
    """The task and its case; a message may be kept where no name belongs."""
    kind = ladder_words.kind(promise.kind)
    return f"{kind} ({promise.procedure.code})" if promise.procedure else kind


def _promises(rows: tuple[Row, ...]) -> list[FollowUp]:
    return [row.follow_up for row in rows]


def _page(request: HttpRequest, form: HandoverForm, rows: tuple[Row, ...], *, status: int = 200) -> HttpResponse:
    patients = [row.patient.pk for row in rows if row.patient]
    record_read(request, page="handover", patient_ids=patients)
    context: dict[str, Any] = {
        "form": form,
        "lines": [
            {"row": row, "give": form[f"give-{row.follow_up.pk}"], "note": form[f"note-{row.follow_up.pk}"]}
            for row in rows
        ],
        "responsible": selector.responsible(actor_of(request)),
    }
    return render(request, "followups/promises/handover.html", context, status=status)
