"""Two years with the same seed are the same: facts, promises and messages, without what is random by design."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from django.db import connection

#: Table → columns; none of them a key of the database, a secret, the wall clock, or drawn at random by the product (the
#: codes of cases, and the bytes of the messages in which a laboratory repeats them).
ROWS = {
    "procedures_procedure": "status, indication, variant, outcome, disposition, lower(stay), started_at, "
    "completed_at, ended_at, closed_at, facts_version = planned_version",
    "procedures_labtest": "code, status, collected_at, received_at, ended_at",
    "procedures_resultversion": "number, status, level, values::text",
    "procedures_inboundmessage": "control_id, state, received_at",
    "procedures_inbounditem": "place, state, level",
    "followups_review": "interpretation, plan, tell, at",
    "followups_patientcontact": "purpose, channel, outcome, at",
    "followups_symptomcheck": "check_code, outcome, worst_tier, channel, at",
    "followups_followup": "subject_kind, kind, level, start_at, due_at, role, generation, rung, repeat, "
    "escalated_role, opened_at, closed_at, closed_because",
    "followups_followupnote": "action, text, at",
    "followups_message": "kind, channel, state, not_before, outcome",
    "clinic_auditentry": "action, subject_type, at, reason",
}


def of_rows() -> str:
    """One number for all of it."""
    found = hashlib.sha256()
    for table, columns in ROWS.items():
        found.update(table.encode())
        for line in _lines(table, columns):
            found.update(line.encode())
    return found.hexdigest()


def by_table() -> dict[str, str]:
    """The same for each table: where two years part."""
    return {
        table: hashlib.sha256("\n".join(_lines(table, columns)).encode()).hexdigest()[:12]
        for table, columns in ROWS.items()
    }


def _lines(table: str, columns: str) -> Iterator[str]:
    with connection.cursor() as cursor:
        # names of this module's own, nothing that anybody gives
        cursor.execute(f"SELECT concat_ws('|', {columns}) AS line FROM {table} ORDER BY 1")
        yield from (line for (line,) in cursor.fetchall())
