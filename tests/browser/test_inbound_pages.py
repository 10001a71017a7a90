"""What a laboratory writes may be of any length: no page of its messages scrolls sideways on a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from clinic.roles import Role
from procedures.interfaces.hl7 import files
from procedures.interfaces.hl7.intake import Origin
from procedures.models.inbound import InboundSource
from tests import make
from tests.factories import hl7, inbound


def hostile() -> bytes:
    """Every name, number and value without a blank in it."""
    patient = hl7.Patient(numbers=(("9" * 60, "AUTHORITY" * 9, "MR"),), family="L" * 70)
    sender = ("APPLICATION" * 6, "FACILITY" * 9)
    glucose = hl7.csf_glucose("W" * 300, specimen="S" * 70)
    return hl7.csf_oru(glucose, patient=patient, sender=sender, control_id="C" * 150).raw()


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_of_messages_scrolls_sideways(
    transactional_db: None, page: Any, live_server: Any, login: Callable[[Any, Any], None], width: int
) -> None:
    inbound.laboratory()
    inbound.tapped()
    row = files.take_in(hostile(), Origin(InboundSource.COMMAND), limit=100_000)[0].message
    assert row is not None
    page.set_viewport_size({"width": width, "height": 900})
    login(page, make.user(Role.NURSE))
    ways = [reverse("procedures:inbound_messages"), reverse("procedures:unmatched")]
    ways += [reverse(f"procedures:{name}", args=[row.pk]) for name in ("inbound_message", "unmatched_message")]
    for way in ways:
        assert page.goto(f"{live_server.url}{way}").status == 200
        assert page.evaluate("document.documentElement.scrollWidth") == width, way
