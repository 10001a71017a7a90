"""What the checklist's pages and fragments are drawn from."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from clinic import clock, timewords
from clinic.actor import Actor
from clinic.roles import Role
from procedures import access
from procedures.domain import checklist
from procedures.domain.checklist import ChecklistState, StageState
from procedures.forms.checklist_rows import FORMS, row_form
from procedures.forms.checklists import StagePage, Typed, stage_page
from procedures.models import Procedure
from procedures.selectors import banner, checklist_page, clearance, medicine_list
from procedures.selectors import checklists as selectors
from procedures.views import checklist_findings as findings


def chosen(state: ChecklistState, wanted: str) -> StageState:
    """The stage that was asked for, else the first that still waits for a signature, else the last."""
    for stage in state.stages:
        if stage.stage.code == wanted:
            return stage
    return next((s for s in state.stages if not s.signed), state.stages[-1])


def stage_code(procedure: Procedure, wanted: str) -> str:
    """The code of the stage that was asked for; only where there is none of that name the checklist is read."""
    if any(stage.code == wanted for stage in procedure.protocol_version.parsed.stages):
        return wanted
    return chosen(selectors.state_of(procedure, clock.now()), wanted).stage.code


def codes_of(procedure: Procedure, stage: str) -> list[str]:
    """Codes of every question of a stage, shown or not."""
    questions = procedure.protocol_version.parsed.questions
    return [q.code for q in questions if q.stage == stage or stage in q.reask_at]


def renewable_codes(procedure: Procedure, stage: str, group: str) -> list[str]:
    """Codes of a group that one tap *nothing has changed* confirms."""
    found = selectors.state_of(procedure, clock.now()).stage(stage)
    return list(checklist.renewable(q for q in found.questions if q.question.group == group))


def local_clock() -> str:
    return timewords.clock(clock.now(), timezone.get_current_timezone())


def local_moment(moment: datetime) -> str:
    return timewords.when(moment, clock.now(), timezone.get_current_timezone())


def anchor(do: str, what: str, added: list[str]) -> str:
    """Where the page should be after a plain save."""
    if do == "same":
        return f"w-{what}"
    if do == "group":
        return f"g-{what}"
    return f"w-{added[-1]}" if added else "main"


def context_of(
    actor: Actor, procedure: Procedure, *, stage: str, typed: Typed, row_forms: dict[str, Any], **more: Any
) -> dict[str, Any]:
    now = clock.now()
    read = checklist_page.read(procedure, now)
    state, rules = read.state, read.rules
    page_ = stage_page(state, chosen(state, stage), draft=read.draft, typed=typed)
    found = findings.found_of(procedure, state, page_.stage.stage.code, now, rules)
    page_, panel = findings.placed(page_, found, now)
    roles = [Role(r) for r in page_.stage.stage.roles]
    forms = {kind: row_forms.get(kind) or row_form(kind) for kind in FORMS}
    return {
        "procedure": procedure,
        "protocol": state.protocol,
        "state": state,
        "rules": rules,
        "page": page_,
        "stage": page_.stage,
        "can_change": actor.has(*access.CHECK),
        "may_sign": actor.has(*roles) and actor.has(*access.CHECK),
        "waits_for": None if procedure.emergency_start else page_.waits_for,
        "row_forms": forms,
        "findings": panel,
        "unlisted": medicine_list.unlisted(rules, state.round.medicines if state.round else ()),
        "banner": banner.of_rows(procedure, read.rows, found, clearance.decided_in(read.rows["decisions"])),
        "needle_at": procedure.needle_at,
        "saved_at": None,
        **more,
    }


def page(
    request: HttpRequest,
    actor: Actor,
    procedure: Procedure,
    *,
    stage: str,
    typed: Typed | None = None,
    row_forms: dict[str, Any] | None = None,
    status: int = 200,
    sign_error: str = "",
) -> HttpResponse:
    """The whole page of one stage."""
    context = context_of(
        actor, procedure, stage=stage, typed=typed or Typed(), row_forms=row_forms or {}, sign_error=sign_error
    )
    context["medicine_names"] = medicine_list.names_in(context["rules"])
    return render(request, "procedures/checklists/page.html", context, status=status)


def sign_page(
    request: HttpRequest, actor: Actor, procedure: Procedure, stage: str, *, status: int = 200, sign_error: str = ""
) -> HttpResponse:
    """A stage's answers to read, with the signature below."""
    context = context_of(actor, procedure, stage=stage, typed=Typed(), row_forms={}, sign_error=sign_error)
    return render(request, "procedures/checklists/sign.html", context, status=status)


def after_save(
    request: HttpRequest, actor: Actor, procedure: Procedure, stage: str, only: str, typed: Typed
) -> HttpResponse:
    """The saved question's line, and out of band everything that may have changed with it."""
    context = context_of(actor, procedure, stage=stage, typed=typed, row_forms={}, saved_at=clock.now())
    found: StagePage = context["page"]
    slots = {slot.code: slot for section in found.sections for slot in section.slots}
    dependants = _dependants(procedure, only)
    status = 409 if typed.clashes else 422 if typed.errors else 200
    whole = bool(typed.clashes) or f"q-{only}-keep" in request.POST or bool(request.POST.get("same"))
    context |= {
        "slot": slots[only],
        "field": slots[only].field,
        "others": [slot for code, slot in slots.items() if code in dependants],
        "whole": whole,
    }
    response = render(request, "procedures/checklists/_saved.html", context, status=status)
    if whole:
        response["HX-Retarget"] = f"#w-{only}"
        response["HX-Reswap"] = "outerHTML"
    return response


def _dependants(procedure: Procedure, code: str) -> set[str]:
    """Questions that are asked or not depending on ``code``, directly or through others."""
    questions = procedure.protocol_version.parsed.questions
    found: set[str] = set()
    wanted = {code}
    while wanted:
        wanted = {q.code for q in questions if q.asked_if.partition("=")[0] in wanted} - found - {code}
        found |= wanted
    return found
