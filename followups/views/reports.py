"""A patient's report, read by whoever calls back, and what came of the call."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic.access import actor_of
from clinic.errors import Invalid
from clinic.responses import see_other
from clinic.wording import add_to_form
from followups import wording
from followups.forms.triage import TriageForm
from followups.selectors import symptom_facts, symptom_report
from followups.services import triage
from followups.views import chart_page
from procedures.access import CONTACT, procedure_for
from procedures.domain import languages


@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    """Every answer with its tier, what was said before, how to reach the patient, and the outcome of this try."""
    actor = actor_of(request)
    procedure = procedure_for(actor, code)
    reports = list(symptom_report.of_case(procedure))
    row = next((r for r in reports if r.pk == pk), None)
    if row is None:
        raise Http404
    typed = request.POST.copy()
    form = TriageForm(typed or None, initial={"seen": triage.fingerprint(row)})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            triage.record(report=row, actor=actor, **data)
        except Invalid as error:
            typed["seen"] = triage.fingerprint(row)  # the page below shows what has arrived
            add_to_form(form, error)
        else:
            messages.success(request, _("Written down."))
            return see_other("followups:case", code)
    protocol = procedure.protocol_version.parsed
    before = next((r for r in reports if r.at < row.at and r.outcome in {"answered", "begun"} and r.pk != pk), None)
    context = {
        "form": form,
        "procedure": procedure,
        "report": row,
        "check": wording.check_label(row.check_code, protocol),
        "spoken": languages.NAMES[row.language][0] if row.language in languages.NAMES else row.language,
        "rows": symptom_report.rows(row, before, protocol),
        "before": before,
        "owed": symptom_report.owed(row, protocol) if row.outcome == "begun" else 0,
        "open": symptom_facts.report(row, set()),
        "may_write": actor.has(*CONTACT),
        "others": [r for r in reports if r.pk != pk],
    }
    return chart_page.show(request, "followups/contacts/report.html", procedure, context, invalid=bool(form.errors))
