"""Critical results that nobody has read."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from clinic import clock
from clinic.access import record_read, roles_required
from clinic.roles import CLINICAL
from followups.selectors import criticals


@require_safe
@roles_required(*sorted(CLINICAL))
def criticals_page(request: HttpRequest) -> HttpResponse:
    """All of them: those that no physician has taken first."""
    found = criticals.load(clock.now(), request.GET.get("page"))
    record_read(request, page="criticals", patient_ids=[row.patient.pk for row in found.rows if row.patient])
    context = {"found": found, "back": "criticals"}
    return render(request, "followups/criticals/list.html", context)


@require_safe
@roles_required(*sorted(CLINICAL))
def strip(request: HttpRequest) -> HttpResponse:
    """The strip alone, for the poll of every page: a number, and nobody's name."""
    return render(request, "followups/criticals/strip.html")
