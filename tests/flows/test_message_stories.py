"""Results that arrive by themselves: what messages do to a case, a few steps each, through the real path."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.factories import hl7, inbound
from tests.factories.inbound import Chart, send, tapped
from tests.flows.words import moment

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def noon(time_machine: Any) -> Any:
    """The day of the tap at noon, and a laboratory that the clinic knows."""
    time_machine.move_to(moment(7, "12:00"), tick=False)
    inbound.laboratory()
    return time_machine


def test_a_panel_in_three_messages_becomes_one_result_that_keeps_every_piece() -> None:
    chart = Chart(tapped())
    count = hl7.csf_cell_count()
    pieces = [replace(count, observations=[one], status="P") for one in count.observations]
    assert send(hl7.csf_oru(pieces[0], hl7.csf_glucose())).state == "done"
    assert chart.values("csf_cell_count") == {"white_cells": 3}
    assert chart.values("csf_glucose") == {"glucose": 62}
    send(hl7.csf_oru(replace(pieces[1], reported="20261123103000")))
    send(hl7.csf_oru(replace(pieces[2], reported="20261123110000", status="F")))
    assert chart.values("csf_cell_count") == {"white_cells": 3, "red_cells": 12, "pmn_percent": 2}
    # the order was called final only at the end: until then the whole was preliminary
    assert [v.status for v in chart.test("csf_cell_count").versions.order_by("number")] == [
        "preliminary", "preliminary", "final",
    ]  # fmt: skip
    assert "review_result:csf_cell_count" in chart.promised()


def test_any_result_implies_receipt_also_of_the_tube() -> None:
    case = tapped(accession="S1001")
    send(hl7.csf_oru(hl7.csf_protein()))
    tube = case.specimens.get()
    assert tube.received_at is not None
    assert case.tests.get(code="csf_glucose").status == "received"
