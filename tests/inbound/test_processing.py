"""What may not go into a chart by itself, whatever else is right about it."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clinic.roles import Role
from procedures.interfaces.hl7 import processing
from procedures.services import inbound_entries
from tests import make
from tests.factories import hl7, inbound

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("mark", ["T", "D", "d", "T^T"])
def test_a_message_for_training_waits_for_a_person_though_everything_matches(mark: str) -> None:
    inbound.laboratory()
    case = inbound.tapped()
    message = inbound.send(hl7.csf_oru(hl7.csf_glucose(), processing=mark))
    assert inbound.waiting(message) == {"OBR[1]/OBX[1]": ["not_production"]}
    assert inbound.owed(message)
    assert inbound.Chart(case).current("csf_glucose") is None


@pytest.mark.parametrize("mark", ["P", "P^T", ""])
def test_a_message_of_the_daily_work_is_entered(mark: str) -> None:
    inbound.laboratory()
    case = inbound.tapped()
    inbound.send(hl7.csf_oru(hl7.csf_glucose(), processing=mark))
    assert inbound.Chart(case).status("csf_glucose") == "final"


def test_a_message_without_end_is_refused_as_a_whole_and_owned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processing, "MOST_SEGMENTS", 20)
    inbound.laboratory()
    case = inbound.tapped()
    message = inbound.send(hl7.csf_oru(hl7.csf_glucose()).raw() + b"NTE|1||x\r" * 20)
    assert (message.state, message.items.count()) == ("unreadable", 0)
    assert inbound.owed(message)
    assert inbound.Chart(case).current("csf_glucose") is None


def test_what_fails_is_logged_by_its_place_without_a_word_of_the_message(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(entry: Any) -> None:
        raise ValueError(f"cannot enter 62 mg/dL of {entry.procedure.patient}")

    monkeypatch.setattr(inbound_entries, "enter", fails)
    inbound.laboratory()
    inbound.tapped()
    with caplog.at_level(logging.ERROR):
        message = inbound.send(hl7.csf_oru(hl7.csf_glucose()))
    assert inbound.waiting(message) == {"OBR[1]/OBX[1]": ["failed"]}
    assert "error=ValueError at=test_processing.py:" in caplog.text
    assert "62" not in caplog.text.replace(f"={message.pk} ", "")
    assert "Moreau" not in caplog.text


@pytest.mark.parametrize(("status", "words"), [("W", "said since"), ("D", "deleted this since")])
def test_a_value_that_waits_and_is_taken_back_since_says_so_and_is_not_ticked(
    client: Client, status: str, words: str
) -> None:
    inbound.laboratory()
    inbound.tapped()
    stranger = hl7.Patient(numbers=(("999", "EXAMPLE HOSPITAL", "MR"),))
    order = hl7.csf_oru(hl7.csf_glucose(), hl7.csf_protein(filler="A2002"), patient=stranger)
    first = inbound.send(order)
    assert set(inbound.waiting(first)) == {"OBR[1]/OBX[1]", "OBR[2]/OBX[2]"}
    client.force_login(make.user(Role.NURSE))
    page = reverse("procedures:unmatched_message", args=[first.pk])
    before = client.get(page).content.decode()
    assert words not in before
    later = inbound.send(hl7.csf_oru(hl7.csf_glucose(status=status), patient=stranger))
    after = client.get(page).content.decode()
    assert (after.count(words), after.count(reverse("procedures:inbound_message", args=[later.pk]))) == (1, 1)
    ticked = re.compile(r'name="items" value="\d+" checked')
    assert (len(ticked.findall(before)), len(ticked.findall(after))) == (2, 1)


def test_a_value_of_another_order_takes_nothing_back() -> None:
    inbound.laboratory()
    first = inbound.send(hl7.csf_oru(hl7.csf_glucose()))
    inbound.send(hl7.csf_oru(hl7.csf_glucose(status="W", filler="A1001-9")))
    assert processing.taken_back(first, processing.report_of(first)) == {}


def test_a_file_that_lost_messages_on_its_way_says_how_many(client: Client) -> None:
    inbound.laboratory()
    client.force_login(make.user(Role.NURSE))
    whole = hl7.batch(hl7.csf_oru(hl7.csf_glucose()).raw())
    for text, missing in ((whole, ""), (whole.replace(b"BTS|1", b"BTS|3"), "announces 2 messages more")):
        answer = client.post(reverse("procedures:upload_results"), {"text": text.decode()}, follow=True)
        assert ("announces" in answer.content.decode()) == bool(missing)
        assert missing in answer.content.decode()


def test_only_who_may_arrange_the_courier_is_shown_the_way_to_it(client: Client) -> None:
    row = inbound.laboratory()
    way = reverse("procedures:laboratory_courier", args=[row.pk])
    pages = [reverse("procedures:laboratories"), reverse("procedures:laboratory", args=[row.pk])]
    for role, shown in ((Role.DIRECTOR, True), (Role.NURSE, False)):
        client.force_login(make.user(role))
        assert [way in client.get(page).content.decode() for page in pages] == [shown, shown]
