"""The one signal: facts of a subject have changed. Nothing here knows who listens.

Sent with ``.send()`` inside the transaction that changed the fact.
"""

from __future__ import annotations

from typing import Any

from django.db.models import F
from django.dispatch import Signal

#: Arguments: ``subject_kind`` ("procedure", "series", "message"), ``subject_id``, ``strict`` (True: a failing plan
#: rolls it back).
facts_changed = Signal()


def changed(procedure: Any, *, strict: bool = False) -> None:
    """Bump the procedure's ``facts_version`` and tell whoever plans. Call last in the transaction.

    ``strict`` is for signing, clearance and start alone: those roll back when no plan can be made. A result, a
    specimen event, a contact or a complication is never lost for a failing planner.
    """
    type(procedure)._default_manager.filter(pk=procedure.pk).update(facts_version=F("facts_version") + 1)
    facts_changed.send(sender=type(procedure), subject_kind="procedure", subject_id=procedure.pk, strict=strict)
    if procedure.series_id is not None:
        series_changed(procedure.series)


def series_changed(series: Any) -> None:
    """What a series owes depends on its cases as well: planned anew after each of them."""
    type(series)._default_manager.filter(pk=series.pk).update(facts_version=F("facts_version") + 1)
    facts_changed.send(sender=type(series), subject_kind="series", subject_id=series.pk, strict=False)


def message_changed(message: Any) -> None:
    """What waits of a laboratory's message, or that it cannot be read, is promised to a person."""
    type(message)._default_manager.filter(pk=message.pk).update(facts_version=F("facts_version") + 1)
    facts_changed.send(sender=type(message), subject_kind="message", subject_id=message.pk, strict=False)


def patient_changed(patient: Any) -> None:
    """A patient-level change (contact, encounter class, deceased) concerns every unclosed procedure."""
    for procedure in patient.procedures.filter(closed_at__isnull=True).order_by("pk"):
        changed(procedure)
