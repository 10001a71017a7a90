"""A patient answers how they are: 911 first, then one question on each screen, and what happens next.

Every answer is sent, graded and kept before the next question is shown. An answer of tier A or B leads to a screen that
says what to do now; only from there the questions go on.
"""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse

from clinic import clock
from clinic.errors import Invalid
from clinic.responses import see_other
from clinic.wording import add_to_form
from followups.forms.answer import AnswerForm, WordsForm
from followups.models import PatientLink
from followups.models.links import LinkPurpose
from followups.models.symptoms import Relation
from followups.patient_language import words_for
from followups.services import symptom_reports as reports
from followups.services import symptoms
from followups.views.patient_page import danger, patient_page, show
from procedures.domain import symptoms as rules
from procedures.domain.patient_content import SymptomQuestion
from procedures.domain.protocol import Protocol

#: Tiers that have a screen of their own, before anything else is asked.
AT_ONCE = ("A", "B")

page = patient_page(LinkPurpose.SYMPTOMS, late_too=True)


@page
def begin(request: HttpRequest, link: PatientLink) -> HttpResponse:
    """What 911 is for, in the protocol's own words, and who answers."""
    if request.method == "POST":
        relation = Relation.CAREGIVER if request.POST.get("relation") == Relation.CAREGIVER else Relation.SELF
        reports.begin(link=link, relation=relation, now=clock.now())
        return _onward(link)
    context = {**danger(_protocol(link)), "again": reports.latest(link) is not None}
    return show(request, "patient/begin.html", context)


@page
def question(request: HttpRequest, link: PatientLink, code: str) -> HttpResponse:
    """One question. Going back to it and answering otherwise is allowed; nothing that was said is forgotten."""
    protocol, asked = _asked(link, code)
    answers = reports.answers_of(reports.latest(link))
    form = AnswerForm(request.POST or None, question=asked, initial={"answer": answers.get(code, "")})
    if request.method == "POST" and form.is_valid():
        try:
            saved = reports.answer(link=link, question=code, answer=form.cleaned_data["answer"], now=clock.now())
        except Invalid as error:
            add_to_form(form, error)
        else:
            if saved.tier in AT_ONCE:
                return see_other("followups:patient_now", code)
            return _onward(link, after=code)
    context = {
        "form": form,
        "question": asked,
        "chosen": form["answer"].value(),
        "advice": _advice_before(link, protocol, code, answers),
        **_place(link, protocol, code, answers),
    }
    return show(request, "patient/question.html", context, status=422 if form.errors else 200)


@page
def now(request: HttpRequest, link: PatientLink, code: str) -> HttpResponse:
    """What to do at once, because of this answer. It stays what it was also when the answer was changed since."""
    _asked(link, code)
    report = reports.latest(link)
    tiers = [a.tier for a in report.answers.all() if a.question == code] if report else []
    worst = rules.worst(tiers)
    if worst not in AT_ONCE:
        return _onward(link, after=code)
    if request.method == "POST":
        return _onward(link, after=code)
    return show(request, "patient/now.html", {"tier": worst})


@page
def last(request: HttpRequest, link: PatientLink) -> HttpResponse:
    """Everything that was said, room for more, and the end. The POST that ends it uses the link up."""
    form = WordsForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            owed = reports.finish(link=link, words=form.cleaned_data["words"], now=clock.now())
        except Invalid as error:
            add_to_form(form, error)
        else:
            return see_other("followups:patient_question", owed.code) if owed else see_other("followups:patient_done")
    report = reports.latest(link)
    protocol = _protocol(link)
    answers = reports.answers_of(report)
    if report is None or not answers:
        return see_other("followups:patient_symptoms")
    context = {"form": form, "given": _given(link, protocol, answers), "error": bool(form.errors)}
    return show(request, "patient/last.html", context, status=422 if form.errors else 200)


@page
def done(request: HttpRequest, link: PatientLink) -> HttpResponse:
    """What was said, what happens now, and when to call."""
    report = reports.latest(link)
    if report is None or report.finished_at is None:
        return see_other("followups:patient_symptoms")
    protocol = _protocol(link)
    call = next((t for t in protocol.texts if t.code == "when_to_call"), None)
    context = {
        "tier": report.worst_tier,
        "words": bool(report.note),
        "given": _given(link, protocol, reports.answers_of(report)),
        "call": call,
    }
    return show(request, "patient/done.html", context)


def _protocol(link: PatientLink) -> Protocol:
    """In the patient's words and language."""
    return words_for(link.procedure.patient, link.procedure.protocol_version.parsed)


def _asked(link: PatientLink, code: str) -> tuple[Protocol, SymptomQuestion]:
    """The question of this check; a page that nobody was sent to is not there."""
    protocol = _protocol(link)
    found = {q.code: q for q in symptoms.questions_of(protocol, reports.check_of(protocol, link))}
    if code not in found:
        raise Http404
    return protocol, found[code]


def _onward(link: PatientLink, after: str = "") -> HttpResponse:
    protocol = _protocol(link)
    answers = reports.answers_of(reports.latest(link))
    owed = reports.next_question(protocol, reports.check_of(protocol, link), answers, after)
    return see_other("followups:patient_question", owed.code) if owed else see_other("followups:patient_last")


def _given(link: PatientLink, protocol: Protocol, answers: dict[str, str]) -> list[dict[str, Any]]:
    """Question, answer and advice in words, in the order in which they are asked."""
    rows = []
    for asked in symptoms.questions_of(protocol, reports.check_of(protocol, link)):
        if asked.code in answers and rules.is_asked(asked, answers):
            choice = rules.choice(asked, answers[asked.code])
            rows.append({"question": asked, "answer": choice.label, "advice": choice.advice})
    return rows


def _place(link: PatientLink, protocol: Protocol, code: str, answers: dict[str, str]) -> dict[str, Any]:
    """*Question 3 of about 9*, and the one before it."""
    asked = [
        q
        for q in symptoms.questions_of(protocol, reports.check_of(protocol, link))
        if rules.is_asked(q, answers) or q.code == code
    ]
    place = next(index for index, q in enumerate(asked) if q.code == code)
    return {"number": place + 1, "of": len(asked), "before": asked[place - 1].code if place else ""}


def _advice_before(link: PatientLink, protocol: Protocol, code: str, answers: dict[str, str]) -> str:
    """What is said at once about the answer before this question."""
    before = _place(link, protocol, code, answers)["before"]
    given = next((row for row in _given(link, protocol, answers) if row["question"].code == before), None)
    return str(given["advice"]) if given else ""
