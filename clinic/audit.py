"""Who did or read what, to whose chart, and why: one explicit line beside each change.

Rows are append-only (a trigger refuses update and delete) and hold plain values, no foreign
keys, so that they outlive what they speak of.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.db.models import Model

from clinic import clock
from clinic.actor import Actor
from clinic.models import AuditEntry

COLUMNS = tuple(field for field in AuditEntry._meta.local_concrete_fields if not field.primary_key)


def record(
    *,
    action: str,
    actor: Actor,
    subject: Model | None = None,
    patient_id: int | None = None,
    data: dict[str, Any] | None = None,
    reason: str = "",
) -> AuditEntry:
    """Write one audit row in the caller's transaction.

    ``action`` is dotted (``procedure.cancelled``). ``data`` holds ids and codes, never names.
    """
    row = entry(action=action, actor=actor, subject=subject, patient_id=patient_id, data=data, reason=reason)
    row.save(force_insert=True)
    return row


def entry(
    *,
    action: str,
    actor: Actor,
    subject: Model | None = None,
    patient_id: int | None = None,
    data: dict[str, Any] | None = None,
    reason: str = "",
) -> AuditEntry:
    """A row as ``record`` writes it, not written yet: for whoever writes many at once (``record_all``), or in the same
    statement as the change (``insert_from``).
    """
    return AuditEntry(
        action=action,
        at=clock.now(),
        recorded_at=clock.real_now(),
        actor_id=actor.user_id,
        actor_name=actor.name,
        via=actor.via,
        subject_type=subject._meta.label_lower if subject is not None else "",
        subject_id=subject.pk if subject is not None else None,
        patient_id=patient_id,
        data=data or {},
        reason=reason,
    )


def record_all(entries: Iterable[AuditEntry]) -> None:
    """Write many rows in the caller's transaction, with one statement."""
    AuditEntry.objects.bulk_create(entries)


def insert_from(source: str) -> str:
    """Writing a row as a part of another statement: once for each row of ``source``, so not at all where it has none.

    Its parameters are ``values`` of the row.
    """
    columns = ", ".join(str(field.column) for field in COLUMNS)
    values = ", ".join(f"%s::{field.db_type(connection)}" for field in COLUMNS)
    return f"INSERT INTO {AuditEntry._meta.db_table} ({columns}) SELECT {values} FROM {source}"


def values(row: AuditEntry) -> list[Any]:
    """What ``insert_from`` writes of a row."""
    return [field.get_db_prep_save(getattr(row, field.attname), connection) for field in COLUMNS]


def record_read(
    *, actor: Actor, page: str, patient_ids: Iterable[int], subject: Model | None = None, reason: str = ""
) -> None:
    """One row for one page: a chart's reader, or a list with the ids of everyone on it."""
    ids = sorted(set(patient_ids))
    record(
        action="chart.read" if len(ids) == 1 else "list.read",
        actor=actor,
        subject=subject,
        patient_id=ids[0] if len(ids) == 1 else None,
        data={"page": page, "patients": ids} if len(ids) != 1 else {"page": page},
        reason=reason,
    )
