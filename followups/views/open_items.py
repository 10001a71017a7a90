"""Everything that is open: to print before the computers go down, and as a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clinic import clock, spreadsheets
from clinic.access import CHART_ROLES, actor_of, record_read, roles_required
from clinic.roles import Role
from followups.selectors import loop
from followups.selectors import open_items as selector
from followups.selectors.worklists import Row
from followups.services import exports


@require_safe
@roles_required(*CHART_ROLES)
def open_items(request: HttpRequest) -> HttpResponse:
    """A list to print: what, about whom, how to reach them, who owes it, and room to write down what was done."""
    found = selector.load(clock.now(), waiting=request.GET.get("show") == "all")
    record_read(request, page="open items", patient_ids=found.patients)
    segments = [
        {"url": "?", "label": _("What cannot wait"), "active": not found.waiting, "count": None},
        {"url": "?show=all", "label": _("Everything"), "active": found.waiting, "count": found.counts["open"]},
    ]
    context = {
        "found": found,
        "segments": segments,
        "most": selector.MOST,
        "may_export": actor_of(request).has(Role.DIRECTOR),
    }
    return render(request, "followups/loop/open_items.html", context)


@require_safe
@roles_required(Role.DIRECTOR)
def open_items_file(request: HttpRequest) -> HttpResponseBase:
    """What a figure of the loop board counts, for a spreadsheet; patients by number and case alone."""
    now, figure = clock.now(), request.GET.get("show", "open")
    if figure not in loop.FIGURES:
        raise Http404
    count, patients = selector.patients(now, figure)
    exports.record(actor=actor_of(request), what="open items", rows=count, asked={"figure": figure}, patients=patients)
    head = [
        _("State"), _("Due"), _("What"), _("Kind"), _("Who"), _("Open since"), _("Escalated to"), _("Put off until"),
        _("Patient's number"), _("Case"),
    ]  # fmt: skip
    return spreadsheets.download(f"open-items-{timezone.localdate(now)}", head, _lines(selector.streamed(now, figure)))


def _lines(rows: Iterator[Row]) -> Iterator[list[Any]]:
    for row in rows:
        promise = row.follow_up
        yield [
            row.mark.state, _local(promise.due_at), row.mark.label, promise.kind, row.mark.owner,
            _local(promise.opened_at), promise.escalated_role, _local(promise.snoozed_until),
            row.mrn, row.code,
        ]  # fmt: skip


def _local(moment: Any) -> str:
    """With its offset: a spreadsheet knows no zone."""
    return "" if moment is None else timezone.localtime(moment).isoformat(timespec="minutes")
