"""The form before the visit, as the patient sees it: one question on a screen, all of it once more, sent once."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from clinic import clock
from clinic.errors import Conflict, Invalid
from clinic.responses import see_other
from followups.forms.before import QuestionForm, SendForm
from followups.models import PatientLink
from followups.models.links import LinkPurpose
from followups.patient_language import words_for
from followups.selectors import given_words
from followups.services import before
from followups.views import patient_page
from procedures.domain import reported
from procedures.domain.patient_content import PatientQuestion
from procedures.domain.protocol import Protocol
from procedures.domain.reported import Given

QUESTION, CHECK = "followups:patient_before_question", "followups:patient_before_check"
page = patient_page.patient_page(LinkPurpose.BEFORE)


@page
def start(request: HttpRequest, link: PatientLink) -> HttpResponse:
    """What this is, and where one goes on."""
    given = before.given_of(link)
    asked = reported.asked(_protocol(link), given)
    todo = _next(_protocol(link), given)
    context = {
        "first": todo or asked[0].code if asked else "",
        "begun": bool(given),
        "count": len(asked),
        "all": todo is None and bool(given),
    }
    return patient_page.show(request, "patient/before/start.html", context)


@page
def question(request: HttpRequest, link: PatientLink, question: str) -> HttpResponse:
    """One question. A POST keeps the answer and goes on; *more lines* keeps what is there and comes back."""
    protocol, given = _protocol(link), before.given_of(link)
    asked = {item.code: item for item in reported.asked(protocol, given)}
    if question not in asked:  # not asked any more since another answer was changed
        return see_other("followups:patient_before")
    own = given.get(question, Given())
    form = QuestionForm(asked[question], protocol.question(question), own, request.POST or None)
    status = 200
    if request.method == "POST":
        if form.is_valid() or ("more" in request.POST and form.may_be_kept):
            before.keep(link=link, code=question, given=form.answer(), now=clock.now())
            return _onward(request, link, protocol, question, form)
        status = 422
    elif request.GET.get("lines", "").isdecimal():
        form.widen(int(request.GET["lines"]))
    codes = list(asked)
    place = codes.index(question)
    context = {
        "asked": asked[question],
        "form": form,
        "number": place + 1,
        "count": len(codes),
        "back": reverse(QUESTION, args=[codes[place - 1]]) if place else reverse("followups:patient_before"),
        "returns": request.GET.get("check") or request.POST.get("check"),
    }
    return patient_page.show(request, "patient/before/question.html", context, status=status)


def _onward(request: HttpRequest, link: PatientLink, protocol: Protocol, code: str, form: QuestionForm) -> HttpResponse:
    """The next question; back to the overview where one came from there, unless the answer opened another question."""
    if "more" in request.POST:
        return see_other(f"{reverse(QUESTION, args=[code])}?lines={form.more_lines}#lines")
    given = before.given_of(link)
    codes = [item.code for item in reported.asked(protocol, given)]
    following = codes[codes.index(code) + 1 :]
    todo = next((c for c in following if c not in given), None) if request.POST.get("check") else None
    if request.POST.get("check"):
        return see_other(QUESTION, todo) if todo else see_other(CHECK)
    return see_other(QUESTION, following[0]) if following else see_other(CHECK)


@page
def check(request: HttpRequest, link: PatientLink) -> HttpResponse:
    """Everything that was answered, to look at once more; the POST sends it."""
    protocol = _protocol(link)
    form = SendForm(request.POST or None)
    error = ""
    if request.method == "POST" and form.is_valid():
        try:
            before.send(link=link, answered_by=form.cleaned_data["answered_by"], now=clock.now())
        except Invalid:
            error = _("Some questions have no answer yet. They are marked below.")
        except before.Spent:
            return patient_page.closed(request)
        except Conflict:
            return patient_page.show(request, "patient/before/too_late.html", {}, status=409)
        else:
            return see_other("followups:patient_before_sent")
    given = before.given_of(link)
    context = {
        "form": form,
        "error": error,
        "problems": form.problems or ([("answers", error)] if error else []),
        "answers": [_said(protocol, item, given) for item in reported.asked(protocol, given)],
        "open": len(reported.open_questions(protocol, given)),
    }
    return patient_page.show(request, "patient/before/check.html", context, status=422 if error or form.errors else 200)


@patient_page.patient_page(LinkPurpose.BEFORE, late_too=True)
def sent(request: HttpRequest, link: PatientLink) -> HttpResponse:
    """It is with us; what happens next."""
    if not link.spent_at:
        return see_other("followups:patient_before")
    return patient_page.show(request, "patient/before/sent.html", {})


def _protocol(link: PatientLink) -> Protocol:
    """In the patient's words and language."""
    return words_for(link.procedure.patient, link.procedure.protocol_version.parsed)


def _next(protocol: Protocol, given: Mapping[str, Given]) -> str | None:
    """The first question that has not been looked at."""
    return next((item.code for item in reported.asked(protocol, given) if item.code not in given), None)


def _said(protocol: Protocol, item: PatientQuestion, given: Mapping[str, Given]) -> given_words.Said:
    return given_words.of(item, protocol.question(item.code), given.get(item.code))
