"""The procedure record: written, checked, signed, amended, copied as a note."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic.access import actor_of, record_read
from clinic.actor import Actor
from clinic.errors import Invalid
from clinic.responses import see_other
from clinic.wording import add_to_form
from procedures import access
from procedures.domain import record as rules
from procedures.forms.records import AmendForm, RecordForm, initial_of, said
from procedures.models import Procedure, ProcedureRecord
from procedures.selectors import banner
from procedures.selectors import records as selectors
from procedures.services import records

WRITE = access.CHECK  # vitals are the nurse's; the signature is not


@require_http_methods(["GET", "HEAD", "POST"])
def record(request: HttpRequest, code: str) -> HttpResponse:
    """Write the draft; once signed, read it with its versions."""
    actor = actor_of(request)
    procedure = access.procedure_for(actor, code, need=WRITE if request.method == "POST" else None)
    if request.method == "POST":
        return _save(request, actor, procedure)
    draft = records.draft_of(procedure)
    may_write = actor.has(*WRITE)
    if draft is None and (records.signed_of(procedure) is not None or not may_write):
        return _page(request, actor, procedure, "record.html", {"may_write": may_write})
    if not may_write:
        return _page(request, actor, procedure, "record.html", {"may_write": False})
    form = RecordForm(procedure=procedure, initial=_initial(procedure, draft))
    fields = draft.fields if draft else {}
    return _page(request, actor, procedure, "form.html", {"form": form, "draft": draft, **_hints(procedure, fields)})


def _save(request: HttpRequest, actor: Actor, procedure: Procedure) -> HttpResponse:
    form = RecordForm(request.POST, procedure=procedure)
    draft = records.draft_of(procedure)
    fields = _readable(procedure, form)
    context = {"form": form, "draft": draft, **_hints(procedure, fields)}
    if not form.is_valid():
        return _page(request, actor, procedure, "form.html", context, status=422)
    try:
        saved = records.save(procedure=procedure, actor=actor, content=form.content(), seen=_seen(request))
    except records.Unreadable as error:
        form.add_problems(error.problems)
        return _page(request, actor, procedure, "form.html", context, status=422)
    except records.Stale as error:
        return _conflict(request, procedure, form, error)
    messages.success(request, _("The record is saved. It is not signed yet."))
    to_sign = request.POST.get("then") == "sign" and saved.signed_at is None
    return see_other("procedures:record_sign" if to_sign else "procedures:record", procedure.code)


@require_POST
def record_hint(request: HttpRequest, code: str) -> HttpResponse:
    """What the rules make of the numbers while they are typed. Changes nothing, saves nothing."""
    procedure = access.procedure_for(actor_of(request), code)
    form = RecordForm(request.POST, procedure=procedure)
    return render(request, "procedures/records/hint_lines.html", _hints(procedure, _readable(procedure, form)))


@require_http_methods(["GET", "HEAD", "POST"])
def record_sign(request: HttpRequest, code: str) -> HttpResponse:
    """Check the answers and sign exactly these."""
    actor = actor_of(request)
    procedure = access.procedure_for(actor, code)
    draft = records.draft_of(procedure)
    _check_signer(actor, draft, procedure)
    if draft is None and request.method != "POST":
        return see_other("procedures:record", code)
    problems: tuple[rules.Problem, ...] = ()
    if request.method == "POST":
        try:
            records.sign(procedure=procedure, actor=actor, seen=_seen(request) or procedure.requested_at)
        except records.NotComplete as error:
            problems = error.problems
        except records.Stale:
            messages.warning(request, _("The record was changed after you opened it. Read it again before you sign."))
            return _signing(request, actor, procedure, (), status=409)
        else:
            messages.success(request, _("The record is signed."))
            return see_other("followups:case", code)
    return _signing(request, actor, procedure, problems, status=422 if problems else 200)


def _signing(
    request: HttpRequest, actor: Actor, procedure: Procedure, problems: tuple[rules.Problem, ...], *, status: int
) -> HttpResponse:
    draft = records.draft_of(procedure)
    assert draft is not None
    protocol = procedure.protocol_version.parsed
    found = problems or rules.missing(protocol, draft.fields, records.content_of(draft).common)
    form = RecordForm(procedure=procedure)
    context = {
        "draft": draft,
        "sections": selectors.sections(protocol, draft),
        "problems": [{"words": said(p), "field": form.name_of(p.field) or ""} for p in found],
        "refused": status == 422,
        **_hints(procedure, draft.fields),
    }
    return _page(request, actor, procedure, "sign.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def record_amend(request: HttpRequest, code: str) -> HttpResponse:
    """Open a new version over the signed one."""
    actor = actor_of(request)
    procedure = access.procedure_for(actor, code, need=access.OPERATE)
    form = AmendForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            version = records.amend(procedure=procedure, actor=actor, reason=form.cleaned_data["reason"])
        except Invalid as error:
            add_to_form(form, error)
        else:
            messages.success(
                request, _("Version %(number)s is open. Change it, then sign.") % {"number": version.number}
            )
            return see_other("procedures:record", code)
    return _page(request, actor, procedure, "amend.html", {"form": form}, status=422 if form.errors else 200)


@require_safe
def record_note(request: HttpRequest, code: str) -> HttpResponse:
    """The procedure note as plain text, from the newest signed version, else from the draft."""
    actor = actor_of(request)
    procedure = access.procedure_for(actor, code)
    version = records.signed_of(procedure) or records.draft_of(procedure)
    record_read(request, page="record_note", patient_ids=[procedure.patient_id], subject=procedure)
    text = selectors.note(procedure, version) if version else _("Nothing has been written yet.")
    return HttpResponse(text + "\n", content_type="text/plain; charset=utf-8")


# --- small words ----------------------------------------------------------------------------


def _page(
    request: HttpRequest,
    actor: Actor,
    procedure: Procedure,
    template: str,
    context: dict[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    record_read(request, page="record", patient_ids=[procedure.patient_id], subject=procedure)
    protocol = procedure.protocol_version.parsed
    versions = selectors.versions_of(procedure)
    signed = next((row.record for row in versions if row.record.signed_at), None)
    frame = {
        "procedure": procedure,
        "protocol": protocol,
        "banner": banner.of_procedure(procedure),
        "versions": versions,
        "signed": signed,
        "shown": selectors.sections(protocol, signed) if signed else (),
        "may_amend": actor.has(*access.OPERATE),
    }
    return render(request, f"procedures/records/{template}", {**frame, **context}, status=status)


def _initial(procedure: Procedure, draft: ProcedureRecord | None) -> dict[str, Any]:
    if draft is not None:
        return {**initial_of(records.content_of(draft)), "seen": draft.saved_at.isoformat()}
    operator = procedure.operator_id or procedure.responsible_id
    return {"started_at": procedure.started_at, "operator": operator}


def _seen(request: HttpRequest) -> datetime | None:
    try:
        return parse_datetime(request.POST.get("seen", ""))
    except ValueError:
        return None


def _readable(procedure: Procedure, form: RecordForm) -> dict[str, Any]:
    """What can be read of what was typed, for the hints."""
    form.is_valid()
    values, _problems = rules.read(procedure.protocol_version.parsed, form.raw_fields())
    return values


def _hints(procedure: Procedure, fields: dict[str, Any]) -> dict[str, Any]:
    protocol = procedure.protocol_version.parsed
    return {"doses": rules.doses(protocol, fields), "cautions": rules.cautions(protocol, fields)}


def _check_signer(actor: Actor, draft: ProcedureRecord | None, procedure: Procedure) -> None:
    operator = draft.operator_id if draft is not None else None
    if actor.user_id != operator or operator is None:
        access.procedure_for(actor, procedure.code, need=access.OPERATE)


def _conflict(request: HttpRequest, procedure: Procedure, form: RecordForm, error: records.Stale) -> HttpResponse:
    """409 with both: what was typed and what stands. Nothing is merged by itself."""
    protocol = procedure.protocol_version.parsed
    content = form.content()
    fields, _problems = rules.read(protocol, content.fields)
    mine = ProcedureRecord(procedure=procedure, fields=fields, **content.columns())
    who = error.stands.saved_by.display_name if error.stands.saved_by else _("somebody")
    words = {"name": who, "at": selectors.moment(error.stands.saved_at)}
    context = {
        "message": _("%(name)s saved this record at %(at)s, after you opened it. Nothing of yours was saved over it.")
        % words,
        "differences": [
            {"label": row.label, "yours": row.new, "theirs": row.old}
            for row in selectors.changes(protocol, error.stands, mine)
        ],
        "back_url": reverse("procedures:record", args=[procedure.code]),
        "form": form,
        "procedure": procedure,
        "banner": banner.of_procedure(procedure),
        "stands": error.stands,
    }
    return render(request, "procedures/records/conflict.html", context, status=409)
