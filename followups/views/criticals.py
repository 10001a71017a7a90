"""Critical results that nobody has read."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from clinic import clock
from clinic.access import record_read, roles_required
from clinic.roles import CLINICAL, Role
from followups.selectors import criticals, worklists


@require_safe
@roles_required(*sorted(CLINICAL))
def criticals_page(request: HttpRequest) -> HttpResponse:
    """All of them: those that no physician has taken first."""
    now = clock.now()
    rows = [worklists.row_of(promise, now) for promise in worklists.with_subjects(criticals.unread())]
    record_read(request, page="criticals", patient_ids=[row.patient.pk for row in rows if row.patient])
    taken = [row for row in rows if row.follow_up.taken_by and row.follow_up.taken_by.has(Role.PHYSICIAN)]
    context = {
        "untaken": [row for row in rows if row not in taken],
        "taken": taken,
        "back": "criticals",
    }
    return render(request, "followups/criticals/list.html", context)


@require_safe
@roles_required(*sorted(CLINICAL))
def strip(request: HttpRequest) -> HttpResponse:
    """The strip alone, for the poll of every page: a number, and nobody's name."""
    return render(request, "followups/criticals/strip.html")
