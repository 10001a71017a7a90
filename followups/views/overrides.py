"""What people decided knowingly against a rule or a usual step, on a page and as a file."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clinic import clock, spreadsheets
from clinic.access import actor_of, record_read, roles_required
from clinic.roles import Role
from followups.selectors import overrides as selector
from followups.services import exports
from followups.views import periods

PAGE = "followups:overrides"


@require_safe
@roles_required(Role.DIRECTOR)
def overrides(request: HttpRequest) -> HttpResponse:
    """Who, when, why; the newest first."""
    form = periods.asked(request, clock.now())
    context = periods.context(form, PAGE)
    if not form.is_valid():
        return render(request, "followups/loop/overrides.html", context, status=422)
    found = selector.load(form.period, request.GET.get("page"))
    record_read(request, page="overrides", patient_ids=found.patients)
    return render(request, "followups/loop/overrides.html", context | {"found": found})


@require_safe
@roles_required(Role.DIRECTOR)
def overrides_file(request: HttpRequest) -> HttpResponseBase:
    """All of the period for a spreadsheet; patients by number and case alone."""
    form = periods.asked(request, clock.now())
    if not form.is_valid():
        return render(request, "followups/loop/overrides.html", periods.context(form, PAGE), status=422)
    period = form.period
    count, patients = selector.patients(period)
    asked = {"first": period.first.isoformat(), "last": period.last.isoformat()}
    exports.record(actor=actor_of(request), what="overrides", rows=count, asked=asked, patients=patients)
    head = [_("When"), _("What"), _("Who"), _("Why"), _("Patient's number"), _("Case")]
    rows = (_line(row, period.zone) for row in selector.every(period))
    return spreadsheets.download(f"overrides-{period.first}-{period.last}", head, rows)


def _line(row: selector.Override, zone: tzinfo) -> list[Any]:
    at = row.at.astimezone(zone).isoformat(timespec="minutes")
    return [at, row.what, row.who, row.why, row.patient.mrn, row.procedure.code]
