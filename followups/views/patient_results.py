"""The patient reads what was found, and says so."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from clinic.errors import Conflict
from clinic.responses import see_other
from followups.forms.patient_results import ReadResultForm
from followups.models import PatientLink
from followups.models.links import LinkPurpose
from followups.patient_language import words_for
from followups.services import told_by_link
from followups.views import patient_page


@patient_page.patient_page(LinkPurpose.RESULTS)
def results(request: HttpRequest, link: PatientLink) -> HttpResponse:
    """Opening it tells nobody anything; the answer does."""
    lines = told_by_link.lines_of(link)
    if lines is None:
        return patient_page.show(request, "patient/results_changed.html", {})
    form = ReadResultForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            told_by_link.answer(link=link, wants_call=form.wants_call, note=form.cleaned_data["note"])
        except Conflict:
            return patient_page.show(request, "patient/results_changed.html", {}, status=409)
        request.session["patient_call_wanted"] = form.wants_call
        return see_other("followups:patient_results_read")
    protocol = words_for(link.procedure.patient, link.procedure.protocol_version.parsed)
    context = {
        "form": form,
        "lines": lines,
        "label": protocol.patient_label,
        "done_at": link.procedure.started_at,
        **patient_page.danger(protocol),
        "to_call": _paragraphs(protocol.texts, "when_to_call"),
    }
    return patient_page.show(request, "patient/results.html", context, status=422 if form.errors else 200)


def _paragraphs(texts: object, code: str) -> tuple[str, ...]:
    return next((t.paragraphs for t in texts if t.code == code), ())  # type: ignore[attr-defined]


@patient_page.patient_page(LinkPurpose.RESULTS, late_too=True)
def read(request: HttpRequest, link: PatientLink) -> HttpResponse:
    """Thank you, and what happens next."""
    context = {"call": bool(request.session.get("patient_call_wanted"))}
    return patient_page.show(request, "patient/results_read.html", context)
