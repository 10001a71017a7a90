"""Who gets what from the pages about checklists and held medicines: rows for role_matrix.py."""

from __future__ import annotations

from typing import Any

from clinic import clock
from clinic.models import User
from clinic.roles import Role
from procedures.models import Hold, Procedure
from procedures.services import checklist_rows, checklists
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
    "procedures:hold_due": allow(Role.PHYSICIAN, kwargs=held, **SIGNERS),
    "procedures:hold_withdraw": allow(*WRITERS, kwargs=held, **CLOSED),
}
