"""Who looked at whose chart is written down: once for each page, and never for a poll."""

from __future__ import annotations

import pytest
from django.test import Client

from clinic.models import AuditEntry
from clinic.roles import Role
from procedures.models import Patient
from tests.factories.full import Full
from tests.views import visits
from tests.views.test_every_page import client_of

pytestmark = pytest.mark.django_db

READS = {"chart.read", "list.read"}
#: Name no patient before somebody has looked for one, or never do.
NOBODY = {
    "procedures:patients",
    "procedures:patient_new",
    "procedures:new",
    "procedures:medicines",
    "procedures:unmatched",
    "procedures:inbound_messages",
    "procedures:laboratories",
    "procedures:laboratory",
    "procedures:laboratory_new",
    "procedures:laboratory_edit",
    "procedures:upload_results",
    "procedures:uploaded_results",
    "procedures:laboratory_courier",
    "followups:engine",
    "followups:dealt_with",
    "followups:mail",
    "followups:indicators",
    "followups:hand_over_all",
}
LISTS = {
    "followups:board",
    "followups:week",
    "followups:checklists",
    "followups:inbox",
    "followups:chase",
    "followups:loop",
    "procedures:rule_sets",
}
#: Lists that do not ask for themselves again: opened once, written down once, whatever header the request carries.
STILL_LISTS = {"followups:overrides", "followups:open_items", "followups:handover", "procedures:series_list"}
LOGIN = "account_login"  # leads home whoever is logged in
READERS = (Role.SCHEDULER, Role.NURSE, Role.PHYSICIAN, Role.DIRECTOR)


def about_patients(role: Role, full: Full) -> list[tuple[str, str]]:
    return [(name, path) for name, path in visits.of_role(role, full) if ":" in name and name not in NOBODY]


def reads(client: Client, path: str, **headers: str) -> tuple[str, list[AuditEntry]]:
    """What the page says, and the read entries it wrote."""
    newest = AuditEntry.objects.latest("pk").pk
    response = client.get(path, headers=headers)
    assert response.status_code == 200, path
    rows = AuditEntry.objects.filter(pk__gt=newest, action__in=READS)
    return response.content.decode(), list(rows)


def named(text: str) -> set[int]:
    """The patients whose names stand on a page."""
    return {patient.pk for patient in Patient.objects.all() if patient.family_name in text}


@pytest.mark.parametrize("role", READERS)
def test_a_page_about_a_patient_writes_one_entry_with_the_patient(role: Role, full: Full) -> None:
    client = client_of(role, full.cast)
    wrong = {}
    for name, path in about_patients(role, full):
        if name in LISTS | STILL_LISTS:
            continue
        text, rows = reads(client, path)
        found = [(row.action, row.patient_id, row.actor_id) for row in rows]
        expected = [("chart.read", pk, full.cast.playing(role).pk) for pk in named(text)]
        if found != expected or len(found) != 1:
            wrong[path] = (found, expected)

    assert wrong == {}


@pytest.mark.parametrize("role", READERS)
def test_a_list_writes_one_entry_with_everybody_on_it(role: Role, full: Full) -> None:
    client = client_of(role, full.cast)
    seen = set()
    for name, path in about_patients(role, full):
        if name not in LISTS | STILL_LISTS:
            continue
        text, rows = reads(client, path)
        ids = [{row.patient_id} if row.patient_id else set(row.data["patients"]) for row in rows]
        assert ids == ([named(text)] if named(text) else []), path
        seen |= named(text)

    assert full.patient.pk in seen or role == Role.SCHEDULER


@pytest.mark.parametrize("role", READERS)
def test_a_poll_of_a_list_writes_nothing_at_all(role: Role, full: Full) -> None:
    client = client_of(role, full.cast)
    before = AuditEntry.objects.count()
    for name, path in about_patients(role, full):
        if name in LISTS:
            client.get(path, headers={"X-Refresh": "1"})

    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize("role", READERS)
def test_no_chart_is_read_unseen_by_calling_it_a_refresh(role: Role, full: Full) -> None:
    client = client_of(role, full.cast)
    for name, path in about_patients(role, full):
        if name not in LISTS:
            text, rows = reads(client, path, **{"X-Refresh": "1"})
            assert len(rows) == (1 if name not in STILL_LISTS or named(text) else 0), path


@pytest.mark.parametrize("role", list(Role))
def test_a_page_about_nobody_writes_no_read(role: Role, full: Full) -> None:
    client = client_of(role, full.cast)
    pages = [path for name, path in visits.of_role(role, full) if (name in NOBODY or ":" not in name) and name != LOGIN]

    assert pages
    assert {path: rows for path in pages if (rows := reads(client, path)[1])} == {}


def test_the_note_as_plain_text_is_a_read(full: Full) -> None:
    _text, rows = reads(client_of(Role.DIRECTOR, full.cast), full.url("procedures:record_note"))

    assert [(row.action, row.patient_id) for row in rows] == [("chart.read", full.patient.pk)]


def test_what_is_refused_is_no_read(full: Full) -> None:
    before = AuditEntry.objects.filter(action__in=READS).count()

    assert client_of(Role.SCHEDULER, full.cast).get(full.url("procedures:checklist")).status_code == 404
    assert AuditEntry.objects.filter(action__in=READS).count() == before


def test_a_search_that_finds_somebody_is_a_read(full: Full) -> None:
    newest = AuditEntry.objects.latest("pk").pk
    client_of(Role.SCHEDULER, full.cast).post("/patients/", {"q": full.patient.family_name})
    row = AuditEntry.objects.get(pk__gt=newest, action__in=READS)

    assert row.patient_id == full.patient.pk
    assert full.patient.family_name not in str(row.data)
