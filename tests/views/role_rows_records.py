"""Who gets what from the pages about records, tests, tubes and results: rows for role_matrix.py."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from clinic import clock
from clinic.actor import Actor
from clinic.roles import Role
from procedures.models import Laboratory, LabTest, Procedure
from procedures.services import labs, records, results
from procedures.services.labs import Tube
from procedures.services.records import Content
from tests import make
from tests.views.role_rows import CLOSED, READERS, SIGNERS, WRITERS, Case, Row, allow

ENGINE = Actor.system("tests")


def done() -> Procedure:
    return make.procedure(status="completed", starts=clock.now() - timedelta(hours=3))


def completed(case: Case) -> dict[str, Any]:
    return {"code": done().code}


def drafted(case: Case) -> dict[str, Any]:
    procedure = done()
    records.save(procedure=procedure, actor=ENGINE, content=Content(), seen=None)
    return {"code": procedure.code}


def _collected() -> LabTest:
    procedure = done()
    labs.add_test(procedure=procedure, code="ascites_protein", actor=ENGINE)
    test = procedure.tests.get()
    tube = Tube(container=test.container, tests=(test.pk,))
    labs.collect(procedure=procedure, tubes=[tube], collected_at=clock.now() - timedelta(hours=2), actor=ENGINE)
    return procedure.tests.select_related("procedure").get()


def test(case: Case) -> dict[str, Any]:
    row = _collected()
    return {"code": row.procedure.code, "pk": row.pk}


def tube(case: Case) -> dict[str, Any]:
    row = _collected()
    return {"code": row.procedure.code, "pk": row.specimen_id}


def critical(case: Case) -> dict[str, Any]:
    row = _collected()
    make.result(row, level="critical")
    return {"code": row.procedure.code, "pk": row.pk}


def laboratory(case: Case) -> dict[str, Any]:
    return {"pk": Laboratory.objects.create(name="Central", zone="UTC").pk}


def resulted(case: Case) -> dict[str, Any]:
    row = _collected()
    results.enter(test=row, status="final", values={"protein": {"value": 2, "unit": "g/dL"}}, actor=ENGINE)
    return {"code": row.procedure.code, "pk": row.pk}


RECORDS: dict[str, Row] = {
    "procedures:record": allow(*READERS, others=404, kwargs=completed),
    "procedures:record_hint": allow(*READERS, others=404, method="post", kwargs=completed),
    "procedures:record_sign": allow(Role.PHYSICIAN, kwargs=drafted, **SIGNERS),
    "procedures:record_amend": allow(Role.PHYSICIAN, kwargs=completed, **SIGNERS),
    "procedures:record_note": allow(*READERS, others=404, kwargs=drafted),
    "procedures:tests": allow(*READERS, others=404, kwargs=completed),
    "procedures:test_add": allow(
        *WRITERS, ok=303, method="post", kwargs=completed, data=lambda case: {"what": "test:ascites_ldh"}, **CLOSED
    ),
    "procedures:test_cancel": allow(*WRITERS, kwargs=test, **CLOSED),
    "procedures:test_recollect": allow(*WRITERS, kwargs=test, **CLOSED),
    "procedures:specimens": allow(*WRITERS, kwargs=completed, **CLOSED),
    "procedures:labels": allow(*READERS, others=404, kwargs=completed),
    "procedures:specimen_hand_over": allow(*WRITERS, kwargs=tube, **CLOSED),
    "procedures:specimen_receive": allow(*WRITERS, kwargs=tube, **CLOSED),
    "procedures:specimen_loss": allow(*WRITERS, kwargs=tube, **CLOSED),
    "procedures:upload_results": allow(Role.NURSE, Role.DIRECTOR),
    "procedures:uploaded_results": allow(Role.NURSE, Role.DIRECTOR),
    "procedures:laboratory_courier": allow(Role.DIRECTOR, kwargs=laboratory),
    "procedures:results": allow(*READERS, others=404, kwargs=resulted),
    "procedures:result_new": allow(*WRITERS, kwargs=test, **CLOSED),
    "procedures:result_read_back": allow(*WRITERS, kwargs=critical, **CLOSED),
    "procedures:result_withdraw": allow(*WRITERS, kwargs=resulted, **CLOSED),
}
