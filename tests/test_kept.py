"""The full clinic that is put back is the one that was told."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command

from clinic.models import AuditEntry
from procedures.models import Patient
from tests.factories import kept


@pytest.mark.django_db(transaction=True)
def test_what_is_put_back_is_what_was_told_row_for_row(settings: Any) -> None:
    settings.DEMO = True
    told = kept.full()
    before = kept.rows()
    call_command("flush", verbosity=0, interactive=False)
    assert not Patient.objects.exists()
    back = kept.full()

    assert {table for table, rows in kept.rows().items() if rows != before[table]} <= {"clinic_democlock"}
    assert (back.codes, back.cast.nora, back.promise("symptom_check")) == (
        told.codes,
        told.cast.nora,
        told.promise("symptom_check"),
    )
    last = AuditEntry.objects.latest("pk").pk
    again = AuditEntry.objects.latest("pk")
    again.pk = None
    again.save(force_insert=True)
    assert again.pk > last
