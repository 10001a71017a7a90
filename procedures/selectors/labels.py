"""The labels of a case's tubes: those that were taken, and those that the ordered tests still need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from procedures.domain import barcode
from procedures.domain.barcode import Barcode
from procedures.domain.lab_content import Container
from procedures.models import LabTest, Procedure
from procedures.selectors.labs import SpecimenRow

#: Sizes of paper that the sheet can be printed on.
PAPERS = ("a4", "letter")


@dataclass(frozen=True)
class Label:
    """One label. ``bars``: the laboratory's number, and before there is one the case's; ``number`` in figures."""

    tube_number: int | None
    container: str
    collected_at: datetime | None
    number: str
    bars: Barcode | None
    orders: tuple[LabTest, ...] = ()  # what the laboratory is to send back with each result


def of(procedure: Procedure, tubes: Iterable[SpecimenRow], planned: Iterable[Container]) -> list[Label]:
    """In the order of the tubes; lost and rejected ones need none."""
    found = []
    for row in tubes:
        if not row.specimen.loss:
            number = row.specimen.accession or procedure.code
            bars = barcode.encode(number)
            collected_at, orders = row.specimen.collected_at, tuple(row.tests)
            found.append(Label(row.specimen.tube_number, row.label, collected_at, number, bars, orders))
    bars = barcode.encode(procedure.code)
    return found + [Label(item.tube_number, item.label, None, procedure.code, bars) for item in planned]
