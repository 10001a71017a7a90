"""The developers' page that shows every component with example data."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from clinic import clock, gallery, statuses


@require_GET
def show_gallery(request: HttpRequest) -> HttpResponse:
    """Every component; only where nobody works with patients (DEBUG or DEMO), 404 elsewhere."""
    if not (settings.DEBUG or settings.DEMO):
        raise Http404
    now = clock.now()
    faulty = gallery.ExampleForm({"volume": "64", "note": "what was typed stays"})
    context = {
        "banner": gallery.patient_banner(),
        "kinds": list(statuses.STATUSES),
        "dues": [
            {"state": "critical", "due": now + timedelta(hours=1)},
            {"state": "overdue", "due": now - timedelta(days=2)},
            {"state": "due", "due": now + timedelta(hours=3)},
            {"state": "waiting", "due": now + timedelta(days=9)},
        ],
        "lumbar_puncture": gallery.lumbar_puncture(now),
        "requested_case": gallery.requested_case(now),
        "table": gallery.table(),
        "segments": gallery.segments(),
        "facts": gallery.facts(),
        "page": Paginator(range(1204), 20).page(3),
        "consequences": gallery.consequences(),
        "form": faulty,
    }
    return render(request, "clinic/components.html", context)
