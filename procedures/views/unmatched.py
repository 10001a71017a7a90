"""Results that could not be placed: the list, and one message beside those it may mean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from clinic.access import actor_of, need, record_read, roles_required
from clinic.errors import Invalid
from clinic.responses import see_other
from clinic.wording import translated
from procedures import access
from procedures.domain.report import Standing
from procedures.domain.test_codes import Target
from procedures.interfaces.hl7 import processing
from procedures.interfaces.hl7.header import NotAMessage
from procedures.models import InboundMessage, Procedure
from procedures.models.inbound import InboundState
from procedures.selectors import patients as patients_selector
from procedures.selectors import unmatched as selector
from procedures.selectors.unmatched import OTHER_RESULT, Asked, Question
from procedures.services import inbound_decisions
from procedures.services.inbound_decisions import Choice

SIZE = 25
MOST_FOUND = 10
clinical = roles_required(*sorted(access.INBOUND))


@dataclass(frozen=True)
class Line:
    """One part in the form, with what was chosen or is suggested."""

    asked: Asked
    ticked: bool
    value: str
    standing: str
    taken_back: str = ""  # in words: the laboratory does not hold to it any more
    taken_back_by: int | None = None  # the message that says so


@require_safe
@clinical
def unmatched(request: HttpRequest) -> HttpResponse:
    """Everything that waits: how many, how old, which laboratory, and why."""
    page = Paginator(selector.open_messages(), SIZE).get_page(request.GET.get("page"))
    rows = selector.rows(page.object_list)
    return render(request, "procedures/inbound/unmatched.html", {"page": page, "rows": rows})


@require_safe
@clinical
def unmatched_message(request: HttpRequest, pk: int) -> HttpResponse:
    """What the message says, beside the best candidates."""
    message = _message(pk)
    if message.state != InboundState.WAITING:
        return redirect("procedures:inbound_message", pk)
    return _page(request, message, case=request.GET.get("case", ""))


@require_POST
@clinical
@sensitive_post_parameters("q")
def unmatched_look(request: HttpRequest, pk: int) -> HttpResponse:
    """Look for another patient. What people type is a name: it never stands in an address."""
    message = _message(pk)
    found = patients_selector.search(request.POST.get("q", ""), among=access.patients(actor_of(request)))
    also = [patient.pk for patient in found.patients[:MOST_FOUND]]
    return _page(request, message, also=also, extra={"q": request.POST.get("q", ""), "found": found})


@require_POST
@clinical
def unmatched_attach(request: HttpRequest, pk: int) -> HttpResponse:
    """Enter the ticked results in the chosen case."""
    actor = actor_of(request)
    message = _message(pk)
    case = access.procedure_for(actor, request.POST.get("case", ""))
    try:
        kept = inbound_decisions.attach(
            message=message,
            report=processing.report_of(message),
            procedure=case,
            choices=_choices(request.POST),
            remember="remember" in request.POST,
            actor=actor,
        )
    except Invalid as error:
        return _page(request, message, case=case.code, extra={"error": translated(error)}, status=422)
    words = ngettext("%(n)s result is in the case now.", "%(n)s results are in the case now.", len(kept))
    messages.success(request, words % {"n": len(kept)})
    return _next(message)


@require_POST
@clinical
def unmatched_reject(request: HttpRequest, pk: int) -> HttpResponse:
    """Nothing of the ticked results is entered, because."""
    message = _message(pk)
    try:
        gone = inbound_decisions.reject(
            message=message,
            items=_numbers(request.POST.getlist("items")),
            reason=request.POST.get("reason", ""),
            actor=actor_of(request),
        )
    except Invalid as error:
        extra = {"error": translated(error), "reason_error": error.field == "reason"}
        return _page(request, message, case=request.POST.get("case", ""), extra=extra, status=422)
    words = ngettext("%(n)s result was rejected.", "%(n)s results were rejected.", len(gone))
    messages.success(request, words % {"n": len(gone)})
    return _next(message)


# --- small words ----------------------------------------------------------------------------


def _message(pk: int) -> InboundMessage:
    return need(InboundMessage.objects.select_related("laboratory").filter(pk=pk).first())


def _next(message: InboundMessage) -> HttpResponse:
    """The rest of the message, or the list when nothing of it waits any more."""
    message.refresh_from_db(fields=["state"])
    if message.state == InboundState.WAITING:
        return see_other("procedures:unmatched_message", message.pk)
    return see_other("procedures:unmatched")


def _numbers(written: Iterable[str]) -> list[int]:
    return [int(number) for number in written if number.isdigit()]


def _choices(data: QueryDict) -> list[Choice]:
    """Raises Invalid when something is ticked and nothing is said of it."""
    found = []
    for pk in _numbers(data.getlist("items")):
        value = data.get(f"target_{pk}", "")
        test, _dot, component = value.partition(".")
        if not value:
            raise Invalid("Choose for each ticked result which test it is.", field="items")
        standing = data.get(f"standing_{pk}", "")
        known = {str(s): s for s in inbound_decisions.TO_SAY}
        target = None if value == OTHER_RESULT else Target(test, component)
        found.append(Choice(item=pk, target=target, standing=known.get(standing)))
    return found


def _page(
    request: HttpRequest,
    message: InboundMessage,
    *,
    case: str = "",
    also: Iterable[int] = (),
    extra: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    actor = actor_of(request)
    chosen: Procedure | None = access.procedure_for(actor, case) if case else None
    try:
        report = processing.report_of(message)
    except NotAMessage:
        return redirect("procedures:inbound_message", message.pk)
    question = selector.question(message, report, chosen=chosen, also=also)
    record_read(request, page="unmatched", patient_ids=question.patients, subject=message)
    context = {
        "message": message,
        "question": question,
        "lines": _lines(question, request.POST, processing.taken_back(message, report)),
        "standings": [(str(Standing.PRELIMINARY), _("Preliminary")), (str(Standing.FINAL), _("Final")),
                      (str(Standing.CORRECTED), _("Corrected"))],
        "remember": "remember" in request.POST if "items" in request.POST else question.remember,
        "reason": request.POST.get("reason", ""),
    }  # fmt: skip
    return render(request, "procedures/inbound/message_waits.html", {**context, **(extra or {})}, status=status)


def _lines(question: Question, data: QueryDict, gone: dict[str, tuple[int, Standing]]) -> list[Line]:
    """What was typed is never lost. What the laboratory has taken back since is not ticked by itself."""
    sent = "case" in data or "items" in data
    ticked = set(data.getlist("items"))
    return [
        Line(
            asked=asked,
            ticked=str(asked.item.pk) in ticked if sent else asked.item.place not in gone,
            value=data.get(f"target_{asked.item.pk}", asked.suggested),
            standing=data.get(f"standing_{asked.item.pk}", ""),
            taken_back=_taken_back_words(gone[asked.item.place][1]) if asked.item.place in gone else "",
            taken_back_by=gone[asked.item.place][0] if asked.item.place in gone else None,
        )
        for asked in question.asked
    ]


def _taken_back_words(standing: Standing) -> str:
    if standing is Standing.WRONG:
        return _("The laboratory has said since that this is another patient's.")
    return _("The laboratory has deleted this since.")
