"""The director asks who read or changed a chart."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinic import audit, audit_search
from clinic.actor import Actor
from clinic.models import AuditEntry
from tests.factories.people import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def dora(client: Client, cast: Cast) -> Client:
    client.force_login(cast.dora)
    return client


def search(**wanted: object) -> list[str]:
    return [entry.action for entry in audit_search.find(dict(wanted)).entries]


def test_a_chart_lists_who_read_it_alone_on_a_list_and_who_changed_it(cast: Cast) -> None:
    nora, pia = Actor.person(cast.nora), Actor.person(cast.pia)
    audit.record_read(actor=nora, page="case", patient_ids=[5])
    audit.record_read(actor=nora, page="board", patient_ids=[4, 5])
    audit.record_read(actor=nora, page="board", patient_ids=[4, 6])
    audit.record(action="procedure.cancelled", actor=pia, patient_id=5)
    audit.record(action="procedure.cancelled", actor=pia, patient_id=6)

    assert search(patient=5) == ["procedure.cancelled", "list.read", "chart.read"]
    assert search(patient=5, action="read") == ["list.read", "chart.read"]
    assert search(patient=5, action="change") == ["procedure.cancelled"]
    assert search(patient=5, user=cast.nora) == ["list.read", "chart.read"]


def test_log_ins_are_neither_reading_nor_changing(dora: Client) -> None:
    assert search(action="login") == ["login.succeeded"]
    assert search(action="read") == []
    assert search(action="change") == []


def test_a_day_is_the_clinics_day(cast: Cast) -> None:
    with time_machine.travel(datetime(2026, 11, 24, 4, 59, tzinfo=UTC), tick=False):  # still Monday in New York
        audit.record(action="monday.done", actor=Actor.person(cast.nora))
    with time_machine.travel(datetime(2026, 11, 24, 5, 0, tzinfo=UTC), tick=False):
        audit.record(action="tuesday.done", actor=Actor.person(cast.nora))

    assert search(day=date(2026, 11, 23)) == ["monday.done"]
    assert search(day=date(2026, 11, 24)) == ["tuesday.done"]


def test_looking_into_the_trail_leaves_a_trace(dora: Client, cast: Cast) -> None:
    dora.get(reverse("audit"), {"patient": "5", "user": str(cast.nora.pk), "action": "read"})

    entry = AuditEntry.objects.get(action="audit.read")
    assert (entry.actor_id, entry.patient_id) == (cast.dora.pk, 5)
    assert entry.data == {"user": cast.nora.pk, "action": "read"}


def test_the_page_shows_the_entries_and_goes_on_to_older_ones(dora: Client, cast: Cast) -> None:
    for number in range(60):
        audit.record(action="test.done", actor=Actor.person(cast.nora), patient_id=5, data={"number": number})

    first = dora.get(reverse("audit"), {"patient": "5"})
    entries = first.context["entries"]
    assert [entry.data["number"] for entry in entries] == list(range(59, 34, -1))
    second = dora.get(f"{reverse('audit')}?{first.context['older']}")
    assert [entry.data.get("number") for entry in second.context["entries"]] == list(range(34, 9, -1))
    third = dora.get(f"{reverse('audit')}?{second.context['older']}")
    assert [entry.data["number"] for entry in third.context["entries"]] == list(range(9, -1, -1))
    assert third.context["older"] == ""


def test_the_page_costs_the_same_however_long_the_trail(dora: Client, cast: Cast) -> None:
    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            dora.get(reverse("audit"))
        return len(queries)

    for _ in range(3):
        audit.record(action="test.done", actor=Actor.person(cast.nora))
    few = cost()
    for _ in range(45):
        audit.record(action="test.done", actor=Actor.person(cast.nora))

    assert cost() == few
    assert few <= 12


def test_a_search_that_makes_no_sense_is_said_in_words(dora: Client) -> None:
    response = dora.get(reverse("audit"), {"patient": "Zimmermann", "day": "soon"})

    assert response.status_code == 422
    assert "Enter a whole number." in response.content.decode()


def test_a_reason_is_shown_and_cannot_smuggle_markup(dora: Client, cast: Cast) -> None:
    audit.record(action="test.done", actor=Actor.person(cast.nora), reason="<script>alert(1)</script>")

    page = dora.get(reverse("audit")).content.decode()

    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
