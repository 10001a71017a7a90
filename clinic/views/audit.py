"""The director asks who read or changed a chart."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from clinic import audit_seal, audit_search, clock
from clinic.access import actor_of, roles_required
from clinic.roles import Role


@require_safe
@roles_required(Role.DIRECTOR)
def audit(request: HttpRequest) -> HttpResponse:
    """Filtered by chart, person, kind and day; opening the page is itself an entry."""
    form = audit_search.AuditSearch(request.GET)
    if not form.is_valid():
        return render(request, "clinic/audit.html", {"form": form, "entries": []}, status=422)
    found = audit_search.find(form.cleaned_data)
    audit_search.record_search(actor=actor_of(request), wanted=form.cleaned_data)
    older = request.GET.copy()
    older["before"] = str(found.next_before or "")
    context = {
        "form": form,
        "entries": found.entries,
        "older": older.urlencode() if found.next_before else "",
        "seal": audit_seal.state(clock.real_now()),
        "newest": not form.cleaned_data.get("before"),
    }
    return render(request, "clinic/audit.html", context)
