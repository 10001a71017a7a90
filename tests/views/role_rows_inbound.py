"""Who gets what from the pages about what laboratories sent: rows for role_matrix.py."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

from clinic.actor import Actor
from clinic.roles import Role
from procedures.domain.test_codes import Target
from procedures.interfaces.hl7 import processing
from procedures.models import InboundItem, InboundMessage, Laboratory, Protocol
from procedures.services import inbound_decisions, laboratories
from procedures.services.inbound_decisions import Choice
from tests import make
from tests.factories import hl7, inbound
from tests.views.role_rows import READERS, Case, Row, allow

KEEPERS = (Role.NURSE, Role.DIRECTOR, Role.ADMINISTRATOR)
DOCUMENT = base64.b64encode(b"%PDF-1.4 %%EOF").decode()


def _laboratory() -> Laboratory:
    return Laboratory.objects.first() or inbound.laboratory()


def _message() -> InboundMessage:
    """One part of it waits for its code; a document is in it."""
    _laboratory()
    inbound.tapped("csf_protein")
    order = hl7.csf_protein()
    odd = replace(order.observations[0], code="X^Something^L")
    document = hl7.Obx(code="Y^Report^L", type="ED", value=f"LAB^application^pdf^Base64^{DOCUMENT}")
    return inbound.send(hl7.csf_oru(replace(order, observations=[odd, document])))


def message(case: Case) -> dict[str, Any]:
    return {"pk": _message().pk}


def unreadable(case: Case) -> dict[str, Any]:
    return {"pk": inbound.send(b"nothing").pk}


def document(case: Case) -> dict[str, Any]:
    return {"pk": _message().pk, "line": 6}


def rejecting(case: Case) -> dict[str, Any]:
    return {"items": list(InboundItem.objects.order_by("-pk").values_list("pk", flat=True)[:1]), "reason": "Not ours"}


def attaching(case: Case) -> dict[str, Any]:
    item = InboundItem.objects.order_by("pk").last()
    if item is None or item.patient is None:
        return {}
    return {"case": item.patient.procedures.get().code, "items": [item.pk], f"target_{item.pk}": "other"}


def attached(case: Case) -> dict[str, Any]:
    row = _message()
    item = InboundItem.objects.latest("pk")
    assert item.patient is not None
    inbound_decisions.attach(
        message=row,
        report=processing.report_of(row),
        procedure=item.patient.procedures.get(),
        choices=[Choice(item=item.pk, target=None)],
        actor=make.actor(Role.NURSE),
    )
    item.refresh_from_db()
    return {"pk": item.version_id}


def taken_back(case: Case) -> dict[str, Any]:
    _laboratory()
    chart = inbound.Chart(inbound.tapped("csf_protein"))
    for status in ("F", "W"):
        inbound.send(hl7.csf_oru(hl7.csf_protein(status=status)))
    return {"pk": chart.test("csf_protein").versions.latest("number").pk}


def laboratory(case: Case) -> dict[str, Any]:
    return {"pk": _laboratory().pk}


def mapped(case: Case) -> dict[str, Any]:
    row = _laboratory()
    make.protocol_version()
    code = laboratories.map_code(
        laboratory=row, protocol=Protocol.objects.get(code="paracentesis"), system="L", code="X",
        target=Target("ascites_protein"), actor=Actor.person(case.cast.nora),
    )  # fmt: skip
    return {"pk": row.pk, "mapping": code.pk}


INBOUND: dict[str, Row] = {
    "procedures:unmatched": allow(*READERS),
    "procedures:unmatched_message": allow(*READERS, kwargs=message),
    "procedures:unmatched_look": allow(*READERS, method="post", kwargs=message),
    "procedures:unmatched_attach": allow(*READERS, ok=303, method="post", kwargs=message, data=attaching),
    "procedures:unmatched_reject": allow(*READERS, ok=303, method="post", kwargs=message, data=rejecting),
    "procedures:inbound_messages": allow(*READERS),
    "procedures:inbound_message": allow(*READERS, kwargs=message),
    "procedures:inbound_again": allow(*READERS, ok=303, method="post", kwargs=message),
    "procedures:inbound_close": allow(
        *READERS, ok=303, method="post", kwargs=unreadable, data=lambda case: {"reason": "A test"}
    ),
    "procedures:inbound_document": allow(*READERS, kwargs=document),
    "procedures:inbound_undo": allow(*READERS, kwargs=attached),
    "procedures:taken_back": allow(*READERS, kwargs=taken_back),
    "procedures:laboratories": allow(*KEEPERS),
    "procedures:laboratory_new": allow(*KEEPERS),
    "procedures:laboratory": allow(*KEEPERS, kwargs=laboratory),
    "procedures:laboratory_edit": allow(*KEEPERS, kwargs=laboratory),
    "procedures:code_add": allow(*KEEPERS, ok=422, method="post", kwargs=laboratory),
    "procedures:code_remove": allow(*KEEPERS, ok=303, method="post", kwargs=mapped),
    "procedures:replay_waiting": allow(*KEEPERS, ok=303, method="post", kwargs=laboratory),
}
