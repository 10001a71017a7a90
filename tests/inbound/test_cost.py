"""What applying a message costs: as many queries for three values of a test as for one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import hl7, inbound

pytestmark = pytest.mark.django_db


def queries(message: hl7.Oru) -> int:
    with CaptureQueriesContext(connection) as asked:
        row = inbound.send(message)
    assert row.state == "done"
    return len(asked)


def of(mrn: str, values: int) -> hl7.Oru:
    """A case of its own, and a message with so many values of its cell count."""
    inbound.tapped(patient=inbound.moreau(mrn=mrn), at=inbound.TAKEN)
    counted = hl7.csf_cell_count()
    order = replace(counted, observations=counted.observations[:values], specimen="", filler=f"A{mrn}", placer="")
    return hl7.csf_oru(order, patient=hl7.Patient(numbers=((mrn, "EXAMPLE HOSPITAL", "MR"),)))


def test_the_values_of_one_test_are_written_together_and_cost_no_queries_of_their_own() -> None:
    inbound.laboratory()
    queries(of("00010001", 1))  # whatever is read once for a process
    assert queries(of("00010002", 1)) == queries(of("00010003", 3))


def test_a_panel_of_five_tests_is_planned_once() -> None:
    inbound.laboratory()
    case = inbound.tapped()
    before = case.facts_version
    panel = hl7.csf_oru(hl7.csf_cell_count(), hl7.csf_glucose(), hl7.csf_protein(), hl7.csf_gram(), hl7.csf_culture())
    assert queries(replace(panel, control_id="ONE")) <= 110
    case.refresh_from_db()
    assert case.facts_version - before <= 2  # the tap itself told once, in memory one behind
