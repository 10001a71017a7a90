"""Laboratories, and what their codes mean here."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access import actor_of, need, roles_required
from clinic.errors import Conflict
from clinic.responses import see_other
from clinic.roles import Role
from clinic.wording import add_to_form
from procedures import access
from procedures.forms.inbound import LaboratoryForm, MappingForm
from procedures.interfaces.hl7 import processing
from procedures.models import CodeMapping, InboundMessage, Laboratory, Protocol
from procedures.models.inbound import InboundState
from procedures.selectors import laboratories as selector
from procedures.selectors.matching import newest_protocols
from procedures.services import laboratories as service

logger = logging.getLogger(__name__)
#: So many messages are read again at one click; the next click goes on.
MOST_AT_ONCE = 200
keepers = roles_required(*sorted(access.LABORATORIES))
METHODS = ["GET", "HEAD", "POST"]


@require_safe
@keepers
def laboratories(request: HttpRequest) -> HttpResponse:
    """Which there are, and how much of each waits."""
    context = {"rows": selector.listed(), "may_arrange": _may_arrange(request)}
    return render(request, "procedures/laboratories/list.html", context)


@require_http_methods(METHODS)
@keepers
def laboratory_new(request: HttpRequest) -> HttpResponse:
    return _edit(request, None)


@require_http_methods(METHODS)
@keepers
def laboratory_edit(request: HttpRequest, pk: int) -> HttpResponse:
    return _edit(request, _laboratory(pk))


def _edit(request: HttpRequest, row: Laboratory | None) -> HttpResponse:
    form = LaboratoryForm(request.POST if request.method == "POST" else None, instance=row)
    status = 200
    if form.is_valid():
        stored = Laboratory.objects.get(pk=row.pk) if row else None  # the form has written into its own copy
        try:
            saved = service.save(laboratory=stored, values=form.values(), actor=actor_of(request))
        except Conflict as error:
            add_to_form(form, error)
            status = 409
        else:
            messages.success(request, _("Saved: %(name)s.") % {"name": saved.name})
            return see_other("procedures:laboratory", saved.pk)
    elif form.errors:
        status = 422
    return render(request, "procedures/laboratories/edit.html", {"form": form, "laboratory": row}, status=status)


@require_safe
@keepers
def laboratory(request: HttpRequest, pk: int) -> HttpResponse:
    """One laboratory with its codes."""
    return _page(request, _laboratory(pk), _form(None))


@require_POST
@keepers
def code_add(request: HttpRequest, pk: int) -> HttpResponse:
    """What a code means; one that meant another before means this now."""
    row = _laboratory(pk)
    form = _form(request.POST)
    if not form.is_valid():
        return _page(request, row, form, status=422)
    protocol, target = form.chosen()
    service.map_code(
        laboratory=row,
        protocol=need(Protocol.objects.filter(code=protocol).first()),
        system=form.cleaned_data["system"],
        code=form.cleaned_data["code"],
        label=form.cleaned_data["label"],
        target=target,
        actor=actor_of(request),
    )
    messages.success(request, _("Remembered. Read again what waits, so that it counts for that too."))
    return see_other("procedures:laboratory", pk)


@require_POST
@keepers
def code_remove(request: HttpRequest, pk: int, mapping: int) -> HttpResponse:
    """The code means nothing any more; what was entered by it stays."""
    row = need(CodeMapping.objects.filter(laboratory_id=pk, pk=mapping).first())
    service.remove_code(mapping=row, actor=actor_of(request))
    messages.success(request, _("Removed. What was entered by it stays."))
    return see_other("procedures:laboratory", pk)


@require_POST
@keepers
def replay_waiting(request: HttpRequest, pk: int) -> HttpResponse:
    """Read again what waits of this laboratory, after its codes or numbers have changed."""
    row = _laboratory(pk)
    waiting = InboundMessage.objects.filter(state=InboundState.WAITING, laboratory=row).order_by("pk")
    pks = list(waiting.values_list("pk", flat=True)[:MOST_AT_ONCE])
    entered = failed = 0
    for message in InboundMessage.objects.filter(pk__in=pks).order_by("pk").iterator(chunk_size=10):
        try:
            outcome = processing.replay(message, actor=actor_of(request))
        except Exception as error:  # this one stays as it was; the others are read
            logger.error("inbound message=%s not read again: %s", message.pk, type(error).__name__)
            failed += 1
        else:
            entered += outcome.applied if outcome else 0
    words = ngettext("%(n)s message was read again.", "%(n)s messages were read again.", len(pks)) % {"n": len(pks)}
    messages.success(request, f"{words} {_('Newly entered: %(n)s.') % {'n': entered}}")
    if failed:
        messages.error(request, _("Could not be read again: %(n)s.") % {"n": failed})
    return see_other("procedures:laboratory", pk)


def _laboratory(pk: int) -> Laboratory:
    return need(Laboratory.objects.filter(pk=pk).first())


def _may_arrange(request: HttpRequest) -> bool:
    """Whether this person sees the courier's page."""
    return actor_of(request).has(Role.DIRECTOR)


def _form(data: Any) -> MappingForm:
    return MappingForm(data, protocols=list(newest_protocols()))


def _page(request: HttpRequest, row: Laboratory, form: MappingForm, *, status: int = 200) -> HttpResponse:
    context = {"laboratory": row, "codes": selector.codes(row), "form": form, "waiting": selector.waiting(row)}
    context["may_arrange"] = _may_arrange(request)
    return render(request, "procedures/laboratories/laboratory.html", context, status=status)
