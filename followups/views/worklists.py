"""Lists of work: the checklist queue, the inbox, the chase list, the loop board."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from clinic import clock
from clinic.access import CHART_ROLES, actor_of, record_read, roles_required
from clinic.actor import Actor
from clinic.htmx import is_refresh
from clinic.roles import Role
from followups.selectors import checklist_queue, loop_board, worklists
from followups.selectors.checklist_queue import Part
from followups.selectors.groups import CHASE, INBOX, Page
from followups.selectors.worklists import Of, Worklist
from followups.views import periods
from followups.views.polls import poll_url, polled, unchanged

Words = dict[str, Any]


@require_safe
@roles_required(*CHART_ROLES)
def checklists(request: HttpRequest) -> HttpResponse:
    """Whose checklist is next, and what it lacks."""
    now = clock.now()
    pulse = checklist_queue.pulse(now)
    if unchanged(request, pulse.marker):
        return HttpResponse(status=204)
    asked = request.GET.get("part", "")
    part = Part(asked) if asked in set(Part) else None
    found = checklist_queue.load(part=part, counts=pulse.counts, now=now, number=request.GET.get("page"))
    record_read(request, page="checklists", patient_ids=found.patients, polled=True)
    context = {
        "queue": found,
        "segments": _parts(found),
        "query": f"part={part}" if part else "",
        "poll": poll_url(request, pulse.marker),
    }
    return _answer(request, "checklists", context)


@require_safe
@roles_required(Role.PHYSICIAN, Role.DIRECTOR)
def inbox(request: HttpRequest) -> HttpResponse:
    """What waits for me: critical, overdue, to review, to decide, to do, to tell."""
    actor = actor_of(request)
    return _promises(request, actor, INBOX, usual=Of.MINE if actor.has(Role.PHYSICIAN) else Of.ALL)


@require_safe
@roles_required(Role.NURSE, Role.DIRECTOR)
def chase(request: HttpRequest) -> HttpResponse:
    """What must be chased: specimens, results, patients to call, checklists and records."""
    return _promises(request, actor_of(request), CHASE, usual=Of.ALL)


@require_safe
@roles_required(Role.DIRECTOR)
def loop(request: HttpRequest) -> HttpResponse:
    """Is anything lost? The figures, the engine's health, and behind each figure exactly its promises."""
    now = clock.now()
    if polled(request) and unchanged(request, loop_board.marker(now)):
        return HttpResponse(status=204)
    asked = request.GET.get("show", "")
    found = loop_board.load(show=asked, now=now, number=request.GET.get("page"))
    record_read(request, page="loop board", patient_ids=found.patients, polled=True)
    context = {
        "loop": found,
        "query": f"show={found.show}" if found.show else "",
        "back": f"loop&show={found.show}" if found.show else "loop",
        "poll": poll_url(request, found.marker),
        "tabs": periods.tabs("followups:loop"),
    }
    return _answer(request, "loop", context)


def _promises(request: HttpRequest, actor: Actor, page: Page, *, usual: Of) -> HttpResponse:
    now, asked = clock.now(), request.GET.get("of", "")
    of = Of(asked) if asked in set(Of) else usual
    if polled(request) and unchanged(request, worklists.marker(page, actor, of, now)):
        return HttpResponse(status=204)
    parked = request.GET.get("show") == "waiting"
    found = worklists.load(page=page, actor=actor, of=of, now=now, number=request.GET.get("page"), show_parked=parked)
    record_read(request, page=page.code, patient_ids=found.patients, polled=True)
    context = {
        "work": found,
        "segments": _segments(found),
        "query": f"of={of}&show=waiting" if parked else f"of={of}",
        "back": f"{page.code}&of={of}&show=waiting" if parked else f"{page.code}&of={of}",
        "poll": poll_url(request, found.marker),
    }
    return _answer(request, page.code, context)


def _answer(request: HttpRequest, name: str, context: Mapping[str, Any]) -> HttpResponse:
    """The whole page, or its list alone for a poll."""
    template = f"followups/worklists/{name}_list.html" if is_refresh(request) else f"followups/worklists/{name}.html"
    return render(request, template, dict(context))


def _segments(found: Worklist) -> list[Words]:
    labels = {Of.MINE: _("Mine"), Of.ROLE: _("My role's"), Of.COVERED: _covered(found), Of.ALL: _("All")}
    return [
        {"url": f"?of={of}", "label": labels[of], "active": of is found.of, "count": found.tally.segments[of]}
        for of in Of
    ]


def _covered(found: Worklist) -> str:
    people = found.covers
    if not people:
        return _("Covered")
    if len(people) == 1:
        return _("Covered for %(who)s") % {"who": people[0].full_name}
    return ngettext("Covered for %(n)s person", "Covered for %(n)s people", len(people)) % {"n": len(people)}


def _parts(found: checklist_queue.Queue) -> list[Words]:
    """All, then each part; *earlier* only while there is something in it."""
    short = {
        Part.OWED: _("Owed after an emergency"),
        Part.EARLIER: _("Earlier"),
        Part.TODAY: _("Today"),
        Part.TOMORROW: _("Tomorrow"),
        Part.LATER: _("Later"),
    }
    rows: list[Words] = [{"url": "?", "label": _("All"), "active": found.part is None, "count": found.total}]
    for part in (Part.TODAY, Part.TOMORROW, Part.LATER, Part.EARLIER, Part.OWED):
        if found.counts[part] or part not in (Part.EARLIER,) or found.part is part:
            active = found.part is part
            rows.append({"url": f"?part={part}", "label": short[part], "active": active, "count": found.counts[part]})
    return rows
