"""The messages of laboratories: found, looked at, read again, closed, and what was attached wrongly taken back."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access import actor_of, need, record_read, roles_required
from clinic.errors import Invalid
from clinic.responses import see_other
from clinic.wording import add_to_form
from procedures import access
from procedures.domain.report import Document, Report
from procedures.forms.inbound import MessageSearchForm
from procedures.forms.labs import ReasonForm
from procedures.interfaces.hl7 import processing, segments
from procedures.interfaces.hl7.header import NotAMessage
from procedures.models import InboundMessage, ResultVersion
from procedures.models.inbound import InboundState
from procedures.selectors import inbound_messages as selector
from procedures.services import inbound, inbound_decisions

logger = logging.getLogger(__name__)
SIZE = 25
#: So many of the newest are listed; what is older is looked for.
MOST = 1000
clinical = roles_required(*sorted(access.INBOUND))
#: A document from outside is only handed over; if a browser shows it all the same, nothing in it runs.
SANDBOX = "sandbox; default-src 'none'"
ENDINGS = {
    "application/pdf": "pdf",
    "image/png": "png",
    "image/jpeg": "jpg",
    "text/plain": "txt",
    "application/rtf": "rtf",
}


class Newest(Paginator):  # type: ignore[type-arg]  # not subscriptable at run time
    """Counts no further than ``MOST``: nobody turns so many pages, and everything that ever came is not counted."""

    @cached_property
    def found(self) -> int:
        rows: Any = self.object_list
        return int(rows[: MOST + 1].count())

    @cached_property
    def count(self) -> int:
        return min(self.found, MOST)

    @property
    def more(self) -> bool:
        """There are more than are counted."""
        return self.found > MOST


@require_http_methods(["GET", "HEAD", "POST"])
@clinical
@sensitive_post_parameters("control_id")
def messages_page(request: HttpRequest) -> HttpResponse:
    """The newest messages, or those that are looked for."""
    form = MessageSearchForm(request.POST if request.method == "POST" else None)
    wanted = form.cleaned_data if form.is_valid() else {}
    page = Newest(selector.search(**wanted), SIZE).get_page(request.POST.get("page") or request.GET.get("page"))
    context = {"form": form, "page": page, "searched": form.is_bound}
    status = 422 if form.errors else 200
    return render(request, "procedures/inbound/messages.html", context, status=status)


@require_safe
@clinical
def message(request: HttpRequest, pk: int) -> HttpResponse:
    """Its segments, what was read from each, and what it changed."""
    return _page(request, _message(pk), ReasonForm())


@require_POST
@clinical
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Read it again: what waits may be entered now, and nothing is entered twice."""
    row = _message(pk)
    try:
        outcome = processing.replay(row, actor=actor_of(request))
    except Exception as error:  # our fault, not the person's: the message stays as it was
        logger.error("inbound message=%s not read again: %s", pk, type(error).__name__)
        messages.error(request, _("It could not be read again, for a fault of this program. Nothing was changed."))
        return see_other("procedures:inbound_message", pk)
    if outcome is None:
        messages.warning(request, _("It cannot be read."))
    else:
        words = {"new": outcome.applied, "waiting": outcome.waiting}
        messages.success(request, _("Read again. Newly entered: %(new)s. Still waiting: %(waiting)s.") % words)
    return see_other("procedures:inbound_message", pk)


@require_POST
@clinical
def close(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody asked the laboratory what it was, and says so."""
    row = _message(pk)
    form = ReasonForm(request.POST)
    if form.is_valid():
        try:
            inbound.close_unreadable(message=row, reason=form.cleaned_data["reason"], actor=actor_of(request))
        except Invalid as error:
            add_to_form(form, error)
        else:
            messages.success(request, _("Dealt with."))
            return see_other("procedures:unmatched")
    return _page(request, row, form, status=422)


@require_safe
@clinical
def document(request: HttpRequest, pk: int, line: int) -> HttpResponse:
    """An embedded document, only ever as a download and under a type that runs nothing."""
    row = _message(pk)
    found = _document(_report(row), line)
    record_read(request, page="inbound_document", patient_ids=selector.patients_of(selector.items_of(row)), subject=row)
    ending = ENDINGS.get(found.media_type, "bin")
    safe = found.media_type if found.media_type in ENDINGS else "application/octet-stream"
    response = HttpResponse(found.content, content_type=safe)
    response["Content-Disposition"] = f'attachment; filename="message-{pk}-document-{line}.{ending}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = SANDBOX
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@clinical
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a wrong attachment back: the value leaves the chart and its parts wait again."""
    rows = ResultVersion.objects.select_related("test__procedure__patient", "test__procedure__protocol_version")
    version = need(rows.filter(pk=pk, inbound_items__decided_by__isnull=False).distinct().first())
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            items = inbound_decisions.undo(version=version, reason=form.cleaned_data["reason"], actor=actor_of(request))
        except Invalid as error:
            add_to_form(form, error)
        else:
            messages.success(request, _("Taken back. It waits to be placed again."))
            return see_other("procedures:unmatched_message", items[0].message_id)
    record_read(request, page="undo", patient_ids=[version.test.procedure.patient_id], subject=version)
    consequences = [
        _("The value disappears from the chart of this case; it is kept for the audit."),
        _("Its parts wait again for somebody who says where they belong."),
        _("If somebody has read it or told the patient of it, the responsible physician hears of it."),
    ]
    context = {"form": form, "version": version, "test": version.test, "consequences": consequences}
    return render(request, "procedures/inbound/undo.html", context, status=422 if form.errors else 200)


# --- small words ----------------------------------------------------------------------------


def _message(pk: int) -> InboundMessage:
    return need(InboundMessage.objects.select_related("laboratory", "closed_by").filter(pk=pk).first())


def _report(message: InboundMessage) -> Report:
    try:
        return processing.report_of(message)
    except NotAMessage as error:
        raise Http404 from error


def _document(report: Report, line: int) -> Document:
    """Raises Http404 when there is none in this segment."""
    observations = (o for group in report.groups for o in group.observations)
    return need(next((o.document for o in observations if o.place.line == line and o.document), None))


def _page(request: HttpRequest, message: InboundMessage, form: ReasonForm, *, status: int = 200) -> HttpResponse:
    items = selector.items_of(message)
    context: dict[str, Any] = {
        "message": message,
        "rows": selector.rows_of(items),
        "form": form,
        "may_undo": selector.undone_by(items),
        "unreadable": message.state == InboundState.UNREADABLE,
    }
    try:
        raw = bytes(message.raw)
        context["shown"] = selector.shown(segments.segments(raw), processing.report_of(message), items)
    except NotAMessage:
        context["preview"] = selector.preview(bytes(message.raw))
    record_read(request, page="inbound_message", patient_ids=selector.patients_of(items), subject=message)
    return render(request, "procedures/inbound/message.html", context, status=status)
