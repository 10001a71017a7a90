"""The case: one page from the request to the moment the patient has been told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from clinic import clock
from clinic.access import actor_of, record_read
from clinic.roles import CLINICAL
from followups.access import BOOKING_KINDS
from followups.selectors import case as selector
from followups.selectors import picture, steps
from procedures.access import procedure_for
from procedures.models import Procedure
from procedures.selectors import kit


@require_safe
def case(request: HttpRequest, code: str) -> HttpResponse:
    """Facts above, promises below, who owes what by when. A scheduler sees the booking side alone."""
    actor = actor_of(request)
    chart = actor.has(*CLINICAL)
    procedure = procedure_for(actor, code, chart=chart)
    found = selector.load(procedure, clock.now(), chart=chart)
    if not chart:
        found = replace(found, promises=tuple(p for p in found.promises if p.kind in BOOKING_KINDS))
    record_read(request, page="case" if chart else "booking", patient_ids=[procedure.patient_id], subject=procedure)
    buttons = steps.of(found, actor)
    context: dict[str, Any] = {
        "case": found,
        "procedure": procedure,
        "chart": chart,
        "picture": picture.build(found, chart=chart),
        "promises": [(p, selector.mark(p, found)) for p in found.promises],
        "primary": buttons[0] if buttons else None,
        "more": buttons[1:],
        "labels": _labels(procedure),
        "kit": kit.in_words(found.findings) if found.round is not None else (),
    }
    if chart:
        context["banner"] = selector.banner_of(found)
        context["sent"] = found.sent
    return render(request, "followups/cases/case.html", context)


def _labels(procedure: Procedure) -> dict[str, str]:
    """The protocol's words for the codes of the booking."""
    data = procedure.protocol_version.parsed
    return {
        "protocol": data.label,
        "short": data.short,
        "indication": data.indication(procedure.indication).label,
        "variant": data.variant(procedure.variant).label,
        "location": next((c.label for c in data.locations if c.code == procedure.location), procedure.location),
    }


@require_safe
def summary(request: HttpRequest, code: str) -> HttpResponse:
    """The case on one sheet, to print: for downtime and for a hand-over."""
    actor = actor_of(request)
    procedure = procedure_for(actor, code)
    found = selector.load(procedure, clock.now())
    record_read(request, page="case summary", patient_ids=[procedure.patient_id], subject=procedure)
    context = {
        "case": found,
        "procedure": procedure,
        "promises": [(p, selector.mark(p, found)) for p in found.promises],
        "labels": _labels(procedure),
        "banner": selector.banner_of(found),
    }
    return render(request, "followups/cases/summary.html", context)
