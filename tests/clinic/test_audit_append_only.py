"""The database itself refuses to change the audit trail."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import Error, connection, transaction

from clinic import audit
from clinic.actor import Actor
from clinic.models import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry() -> AuditEntry:
    return audit.record(action="test.done", actor=Actor.system(), patient_id=7)


def refused(change: Any) -> str:
    with pytest.raises(Error) as caught, transaction.atomic():
        change()
    return str(caught.value)


def test_an_entry_cannot_be_changed_through_the_model(entry: AuditEntry) -> None:
    entry.actor_name = "somebody else"

    assert "update or delete" in refused(lambda: entry.save(update_fields=["actor_name"]))


def test_entries_cannot_be_changed_in_bulk(entry: AuditEntry) -> None:
    assert "update or delete" in refused(lambda: AuditEntry.objects.update(patient_id=8))


def test_an_entry_cannot_be_deleted(entry: AuditEntry) -> None:
    assert "update or delete" in refused(lambda: AuditEntry.objects.filter(pk=entry.pk).delete())


@pytest.mark.parametrize("statement", ["UPDATE clinic_auditentry SET reason = 'x'", "DELETE FROM clinic_auditentry"])
def test_plain_sql_is_refused_too(entry: AuditEntry, statement: str) -> None:
    def run() -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    assert "update or delete" in refused(run)
    assert AuditEntry.objects.get(pk=entry.pk).actor_name == "engine"


def test_the_actor_is_kept_as_text_and_the_change_keeps_its_transaction() -> None:
    class Boom(Exception):
        pass

    with pytest.raises(Boom), transaction.atomic():
        audit.record(action="test.undone", actor=Actor.system())
        raise Boom

    assert not AuditEntry.objects.filter(action="test.undone").exists()


def test_reading_one_chart_names_the_patient_and_reading_a_list_names_all() -> None:
    audit.record_read(actor=Actor.system(), page="case", patient_ids=[5])
    audit.record_read(actor=Actor.system(), page="board", patient_ids=[9, 5, 9])

    one, many = AuditEntry.objects.order_by("id")
    assert (one.action, one.patient_id) == ("chart.read", 5)
    assert (many.action, many.patient_id, many.data["patients"]) == ("list.read", None, [5, 9])
