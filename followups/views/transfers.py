"""Handing on what is pending: the list, who is to accept it, the answer, and the sheet that goes with the patient."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access import actor_of, need, record_read
from clinic.actor import Actor
from clinic.errors import Invalid
from clinic.responses import see_other
from clinic.wording import add_to_form
from followups.domain.kinds import Kind
from followups.forms.transfers import AnswerForm, OfferForm
from followups.models import FollowUp
from followups.selectors import pending
from followups.services import transfers
from followups.views import chart_page
from procedures.access import CONTACT, procedure_for
from procedures.domain.transfers import TransferAnswer, TransferWhy
from procedures.models import Procedure, Transfer
from procedures.selectors import banner


@require_http_methods(["GET", "HEAD", "POST"])
def transfer(request: HttpRequest, code: str) -> HttpResponse:
    """What is pending, and to whom it goes; while an offer waits, its list and its answer."""
    actor = actor_of(request)
    procedure = procedure_for(actor, code, need=CONTACT)
    why = _why(procedure)
    form = OfferForm(request.POST or None, initial={"why": why})
    if request.method == "POST" and form.is_valid():
        try:
            made = transfers.offer(actor=actor, procedure=procedure, **form.cleaned_data)
        except Invalid as error:
            add_to_form(form, error)
        else:
            messages.success(request, _("Offered to %(who)s. Not accepted yet.") % {"who": made.acceptor})
            return see_other("followups:transfer", code)
    return _page(request, actor, procedure, {"form": form, "why": why})


@require_POST
def transfer_answer(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    """Accepted here or on the phone, declined, withdrawn."""
    actor = actor_of(request)
    procedure = procedure_for(actor, code, need=CONTACT)
    row: Transfer = need(procedure.transfers.select_related("to_user", "procedure").filter(pk=pk).first())
    form = AnswerForm(request.POST, may_accept=transfers.may_accept(actor, row))
    if form.is_valid():
        data = form.cleaned_data
        about: dict[str, Any] = {"actor": actor, "transfer": row}
        try:
            if data["answer"] == "accept":
                transfers.accept(**about)
            elif data["answer"] == "phone":
                transfers.accept_by_phone(**about, name=data["name"], read_back=data["read_back"])
            elif data["answer"] == "decline":
                transfers.decline(**about, reason=data["reason"])
            else:
                transfers.withdraw(**about, reason=data["reason"])
        except Invalid as error:
            add_to_form(form, error)
        else:
            messages.success(request, _("Written down."))
            return see_other("followups:case", code)
    return _page(request, actor, procedure, {"answer_form": form, "why": row.why})


@require_safe
def transfer_print(request: HttpRequest, code: str) -> HttpResponse:
    """One sheet: what is pending, by when, whose it is, what to do. The list that was offered, else as it stands."""
    actor = actor_of(request)
    procedure = procedure_for(actor, code)
    offer = _last(procedure)
    if offer is not None and offer.answer in {TransferAnswer.OPEN, TransferAnswer.ACCEPTED}:
        lines = pending.of(offer)
    else:
        offer = None
        lines = pending.live(procedure, transfers.pending(procedure, TransferWhy(_why(procedure))))
    record_read(request, page="pending list", patient_ids=[procedure.patient_id], subject=procedure)
    context = {
        "procedure": procedure,
        "protocol": procedure.protocol_version.parsed,
        "indication": procedure.protocol_version.parsed.indication(procedure.indication).label,
        "offer": offer,
        "lines": lines,
        "banner": banner.of_procedure(procedure),
    }
    return render(request, "followups/transfers/print.html", context)


def _page(request: HttpRequest, actor: Actor, procedure: Procedure, context: dict[str, Any]) -> HttpResponse:
    earlier = list(procedure.transfers.select_related("to_user", "offered_by", "answered_by").order_by("-pk"))
    offer = next((row for row in earlier if row.is_open), None)
    if offer is not None:
        offer.procedure = procedure
        context.setdefault("answer_form", AnswerForm(may_accept=transfers.may_accept(actor, offer)))
        lines = pending.of(offer)
    else:
        lines = pending.live(procedure, transfers.pending(procedure, TransferWhy(context["why"])))
    shown = context.get("answer_form") if offer is not None else context.get("form")
    context |= {
        "form": shown,  # the page's title says when something in it is wrong
        "procedure": procedure,
        "offer": offer,
        "lines": lines,
        "earlier": [row for row in earlier if not row.is_open],
    }
    errors = any(f.errors for f in (context.get("form"), context.get("answer_form")) if f is not None)
    return chart_page.show(request, "followups/transfers/transfer.html", procedure, context, invalid=errors)


def _why(procedure: Procedure) -> str:
    """Why it is asked for now; a wish of ours when nobody asks."""
    rows = FollowUp.objects.filter(procedure=procedure, kind=Kind.ACCEPT_TRANSFER, closed_at__isnull=True)
    promise = rows.first()
    return str(promise.about["why"]) if promise else str(TransferWhy.RESPONSIBLE)


def _last(procedure: Procedure) -> Transfer | None:
    row = procedure.transfers.select_related("to_user", "offered_by", "answered_by").order_by("-pk").first()
    if row is not None:
        row.procedure = procedure
    return row
