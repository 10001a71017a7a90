"""Laboratories with what waits of them, and their codes in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from procedures.domain.protocol import Protocol as ProtocolData
from procedures.models import CodeMapping, InboundMessage, Laboratory
from procedures.models.inbound import InboundState
from procedures.selectors.matching import newest_protocols


@dataclass(frozen=True)
class Code:
    """A code and what it means, in words."""

    mapping: CodeMapping
    protocol: str
    test: str
    component: str


def listed() -> QuerySet[Laboratory]:
    """Those in use first, with how many messages wait and how many codes are known. One query, which reads what waits
    and not everything that ever came.
    """
    waits = InboundMessage.objects.filter(laboratory=OuterRef("pk"), state=InboundState.WAITING)
    codes = CodeMapping.objects.filter(laboratory=OuterRef("pk"), is_active=True)
    return Laboratory.objects.annotate(waits=_number(waits), codes=_number(codes)).order_by("-is_active", "name")


def _number(rows: QuerySet[Any, Any]) -> Coalesce:
    counted = rows.order_by().values("laboratory").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted), 0)


def waiting(laboratory: Laboratory) -> int:
    return InboundMessage.objects.filter(laboratory=laboratory, state=InboundState.WAITING).count()


def codes(laboratory: Laboratory) -> list[Code]:
    """The codes in use."""
    protocols = {protocol.code: protocol for protocol in newest_protocols()}
    rows = laboratory.mappings.filter(is_active=True).select_related("protocol", "made_by").order_by("code", "pk")
    return [_code(row, protocols.get(row.protocol.code)) for row in rows]


def _code(row: CodeMapping, protocol: ProtocolData | None) -> Code:
    test = next((test for test in protocol.tests if test.code == row.test), None) if protocol else None
    component = next((c.label for c in test.components if c.code == row.component), "") if test else ""
    return Code(row, row.protocol.label, test.label if test else row.test, component or row.component)
