"""Who gets what from the pages about checklists and held medicines: rows for role_matrix.py."""

from __future__ import annotations

from typing import Any

from clinic import clock
from clinic.actor import Actor
from clinic.models import User
from clinic.roles import Role
from procedures.domain.clearance import Decision
from procedures.models import Hold, Procedure, SafetyRun
from procedures.selectors import clearance as selector
from procedures.services import checklist_rows, checklists, clearance, rulesets
from procedures.services.clearance import Wish
from tests import make
from tests.views.role_rows import CLOSED, READERS, SIGNERS, WRITERS, Case, Row, allow


def planned() -> Procedure:
    """A case whose checklist somebody has begun."""
    procedure = make.procedure(status="scheduled")
    checklists.open_round(actor=make.actor(Role.NURSE), procedure=procedure)
    return procedure


def begun(case: Case) -> dict[str, Any]:
    return {"code": planned().code}


def stage(case: Case) -> dict[str, Any]:
    return {**begun(case), "stage": "pre_visit"}


def new_line(case: Case) -> dict[str, Any]:
    return {**begun(case), "kind": "medicines"}


def line(case: Case) -> dict[str, Any]:
    procedure = planned()
    row = checklist_rows.add_medicine(
        actor=make.actor(Role.NURSE), procedure=procedure, name="Aspirin", status="ongoing"
    )
    return {"code": procedure.code, "kind": "medicines", "pk": row.pk}


def held(case: Case) -> dict[str, Any]:
    procedure = make.procedure(status="scheduled")
    by: User = procedure.responsible
    row = Hold.objects.create(procedure=procedure, ingredient="Apixaban", decided_by=by, decided_at=clock.now())
    return {"code": procedure.code, "pk": row.pk}


def decided(case: Case) -> dict[str, Any]:
    """A stop over which a physician decided to proceed."""
    rulesets.publish(data=rulesets.read(), actor=Actor.system("tests"))
    procedure = make.procedure("lumbar_puncture", status="scheduled")
    checklist_rows.add_medicine(
        actor=make.actor(Role.NURSE), procedure=procedure, name="Apixaban", dose="5 mg twice daily", status="ongoing"
    )
    found = selector.of(procedure, clock.now())
    assert found is not None
    keys = [stood.finding.key for stood in found.uncleared]
    wish = Wish(decision=Decision.PROCEED, keys=keys, seen=found.digest, reason="Cannot wait")
    row = clearance.decide(actor=make.actor(Role.PHYSICIAN), procedure=procedure, wish=wish)
    return {"code": procedure.code, "pk": row.pk}


def stopped(case: Case) -> dict[str, Any]:
    return {"code": decided(case)["code"]}


def newest_run() -> int:
    return SafetyRun.objects.latest("pk").pk if SafetyRun.objects.exists() else 0


CHECKLISTS: dict[str, Row] = {
    "procedures:checklist": allow(*READERS, others=404, kwargs=begun),
    "procedures:checklist writing": allow(*WRITERS, ok=303, method="post", kwargs=begun, **CLOSED),
    "procedures:checklist_save": allow(
        *WRITERS,
        method="post",
        kwargs=begun,
        data=lambda case: {"stage": "pre_visit", "only": "latex", "q-latex": "=no"},
        **CLOSED,
    ),
    "procedures:checklist_sign": allow(*READERS, others=404, kwargs=stage),
    "procedures:checklist_sign writing": allow(*WRITERS, ok=422, method="post", kwargs=stage, **CLOSED),
    "procedures:checklist_reopen": allow(*WRITERS, kwargs=begun, **CLOSED),
    "procedures:checklist_print": allow(*READERS, others=404, kwargs=begun),
    "procedures:medicines": allow(*WRITERS, others=403),
    "procedures:checklist_row_new": allow(*WRITERS, kwargs=new_line, **CLOSED),
    "procedures:checklist_row": allow(*WRITERS, kwargs=line, **CLOSED),
    "procedures:checklist_row_withdraw": allow(*WRITERS, kwargs=line, **CLOSED),
    "procedures:holds": allow(*READERS, others=404, kwargs=begun),
    "procedures:holds writing": allow(*WRITERS, ok=422, method="post", kwargs=begun, **CLOSED),
    "procedures:hold_restart": allow(*WRITERS, kwargs=held, **CLOSED),
    "procedures:hold_told": allow(*WRITERS, kwargs=held, **CLOSED),
    "procedures:hold_plan": allow(*WRITERS, kwargs=held, **CLOSED),
    "procedures:hold_due": allow(Role.PHYSICIAN, kwargs=held, **SIGNERS),
    "procedures:hold_withdraw": allow(*WRITERS, kwargs=held, **CLOSED),
    "procedures:clearance": allow(*READERS, others=404, kwargs=stopped),
    "procedures:clearance writing": allow(Role.PHYSICIAN, ok=422, method="post", kwargs=stopped, **SIGNERS),
    "procedures:clearance_seen": allow(
        *WRITERS, ok=303, method="post", kwargs=stopped, data=lambda case: {"run": newest_run()}, **CLOSED
    ),
    "procedures:clearance_sign": allow(
        Role.PHYSICIAN, Role.DIRECTOR, kwargs=decided, others=404, deviating={Role.NURSE: 403}
    ),
    "procedures:clearance_sign writing": allow(
        Role.PHYSICIAN, Role.DIRECTOR, ok=303, method="post", kwargs=decided, others=404, deviating={Role.NURSE: 403}
    ),
    "procedures:rule_sets": allow(Role.DIRECTOR),
    "procedures:rule_sets writing": allow(Role.DIRECTOR, ok=303, method="post"),
}
