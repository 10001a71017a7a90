"""Reading results, and ending what a review decided."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from clinic.access import actor_of
from clinic.errors import Invalid
from clinic.responses import see_other
from clinic.wording import add_to_form
from followups import wording
from followups.access import action_for
from followups.forms.reviews import ActionForm, NormalsForm, ReviewForm
from followups.models.reviews import Interpretation
from followups.patient_language import NAMES
from followups.selectors import acted
from followups.services import reviews, told_words
from followups.views import chart_page
from procedures.access import CONTACT, REVIEW, procedure_for, result_for
from procedures.domain import languages
from procedures.domain import versions as versions_rule
from procedures.models import ResultVersion
from procedures.selectors import laboratory, results, trends
from procedures.services import read_backs


@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, pk: int) -> HttpResponse:
    """One version of a result beside the earlier ones: what it means, what follows, what the patient hears."""
    actor = actor_of(request)
    version = result_for(actor, pk, need=REVIEW if request.method == "POST" else None)
    procedure = version.test.procedure
    prepared = told_words.prepared(version, procedure)
    other = "" if prepared.language == languages.DEFAULT else str(NAMES[prepared.language])
    form = ReviewForm(
        request.POST or None, initial=_initial(version), noticing=read_backs.is_owed(version), other_language=other
    )
    if request.method == "POST" and form.is_valid():
        try:
            saved = reviews.review(version=version, actor=actor, **form.arguments())
        except Invalid as error:
            add_to_form(form, error)
        else:
            messages.success(request, _("Read and signed. %(next)s") % {"next": _what_next(saved.plan)})
            return see_other("followups:case", version.test.procedure.code)
    read = laboratory.read(procedure)
    known = results.known_in(read.versions)
    stored = read.of(version.test)
    context = {
        "form": form,
        "version": version,
        "procedure": procedure,
        "test_label": wording.test_label(version.test.code, procedure.protocol_version.parsed),
        "is_current": getattr(versions_rule.current(stored), "pk", None) == version.pk,
        "may_review": actor.has(*REVIEW),
        "side": results.side_by_side(version.test, stored),
        "judgement": results.judged_from(version.test, known),
        "computed": results.computed_from(procedure, read.ordered, known),
        "acted": acted.on_earlier(version, stored),
        "trends": trends.of_patient(procedure),
        "reviews": version.reviews.select_related("reviewer").order_by("-pk"),
        "prepared": _prepared_rows(prepared),
        "prepared_language": prepared.language if other else "",
    }
    return chart_page.show(
        request, "followups/reviews/review.html", procedure, context, invalid=bool(form.errors), rows=read.rows
    )


def _prepared_rows(prepared: told_words.Prepared) -> list[dict[str, str]]:
    return [
        {"label": str(Interpretation(code).label), "english": text, "theirs": prepared.theirs.get(code, "")}
        for code, text in prepared.english.items()
    ]


def _initial(version: ResultVersion) -> dict[str, str]:
    """A normal result is prepared; anything else must be decided by hand."""
    if version.level != "normal":
        return {}
    return {"interpretation": "normal", "plan": "none", "tell": "with_all"}


def _what_next(plan: str) -> str:
    return _("What you decided is now promised, with a date.") if plan != "none" else ""


@require_http_methods(["GET", "HEAD", "POST"])
def review_normals(request: HttpRequest, code: str) -> HttpResponse:
    """Sign all normal finals of a case together."""
    actor = actor_of(request)
    procedure = procedure_for(actor, code, need=REVIEW)
    protocol = procedure.protocol_version.parsed
    normals = reviews.normals(procedure)
    choices = [(str(v.pk), wording.test_label(v.test.code, protocol)) for v in normals]
    form = NormalsForm(request.POST or None, choices=choices, initial={"versions": [c for c, _label in choices]})
    if request.method == "POST" and form.is_valid():
        saved = reviews.review_normals(
            procedure=procedure,
            versions=form.chosen(),
            actor=actor,
            patient_message=form.cleaned_data["patient_message"],
        )
        n = len(saved)
        messages.success(
            request, ngettext("%(n)s result read and signed.", "%(n)s results read and signed.", n) % {"n": n}
        )
        return see_other("followups:case", code)
    context = {
        "form": form,
        "procedure": procedure,
        "normals": [(v, results.side_by_side(v.test)) for v in normals],
        "computed": results.computed(procedure),
    }
    return chart_page.show(request, "followups/reviews/normals.html", procedure, context, invalid=bool(form.errors))


@require_http_methods(["GET", "HEAD", "POST"])
def action_done(request: HttpRequest, pk: int) -> HttpResponse:
    """Done, or decided otherwise: both in words."""
    actor = actor_of(request)
    action = action_for(actor, pk, need=CONTACT)
    procedure = procedure_for(actor, action.procedure.code)
    form = ActionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            reviews.finish_action(
                action=action, actor=actor, note=form.cleaned_data["note"], done=form.cleaned_data["done"] == "yes"
            )
        except Invalid as error:
            add_to_form(form, error)
        else:
            messages.success(request, _("Written down."))
            return see_other("followups:case", procedure.code)
    context = {"form": form, "action": action, "procedure": procedure}
    return chart_page.show(request, "followups/reviews/action.html", procedure, context, invalid=bool(form.errors))
