"""Medicines as they are typed: what the rules know by this name."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from clinic.access import roles_required
from clinic.htmx import wants_partial
from procedures.access import CHECK
from procedures.forms.checklist_rows import row_form
from procedures.selectors import medicine_list

#: More letters than any name has: nobody types them.
LONGEST = 120


@require_safe
@roles_required(*CHECK)
def medicines(request: HttpRequest) -> HttpResponse:
    """Names that begin like what was typed; ``pick``: the name's place on the line's form, filled in."""
    picked = request.GET.get("pick", "")[:LONGEST]
    typed = picked or request.GET.get("medicines-name", "")[:LONGEST].strip()
    form = row_form("medicines", initial={"name": typed})
    if picked and wants_partial(request):
        return render(request, "procedures/checklists/_medicine_name.html", {"form": form, "picked": True})
    context = {"form": form, "typed": typed, "matches": medicine_list.search(typed)}
    partial = wants_partial(request)
    template = "procedures/checklists/_medicine_matches.html" if partial else "procedures/checklists/medicines.html"
    return render(request, template, context)
