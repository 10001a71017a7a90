"""The versions of the safety rules, and which open cases the newest judges otherwise."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic import clock
from clinic.access import actor_of, record_read, roles_required
from clinic.responses import see_other
from clinic.roles import Role
from procedures.selectors import clearance_page
from procedures.selectors import rule_sets as selector
from procedures.services import safety


@require_http_methods(["GET", "HEAD", "POST"])
@roles_required(Role.DIRECTOR)
def rule_sets(request: HttpRequest) -> HttpResponse:
    """A POST runs the newest over every open case that older rules judged."""
    if request.method == "POST":
        count = safety.rules_changed(actor=actor_of(request))
        messages.success(request, _("Run again: %(count)d cases are judged otherwise.") % {"count": count})
        return see_other("procedures:rule_sets")
    now = clock.now()
    versions = selector.versions()
    open_cases = selector.changed_cases(versions[0], now) if versions else []
    rows = [
        {"procedure": case.procedure, "waits": case.waits, "changes": clearance_page.changed(case.changes, now)}
        for case in open_cases
    ]
    record_read(request, page="rule sets", patient_ids=[case.procedure.patient_id for case in open_cases])
    context = {"versions": versions, "rows": rows, "waiting": any(case.waits for case in open_cases)}
    return render(request, "procedures/clearance/rule_sets.html", context)
