"""Tables without their indexes and checks while they are filled, and with every one of them afterwards."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connection, models

INDEXES = """
SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i
 WHERE i.indrelid = %s::regclass AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
"""
CONSTRAINTS = """
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN ('u', 'x')
"""
#: For the time of the filling: what is lost when the machine stops is a throw-away database.
QUICK = {"fsync": "off", "full_page_writes": "off", "max_wal_size": "'4GB'", "autovacuum": "off"}


@contextlib.contextmanager
def left_out(tables: Sequence[type[models.Model]]) -> Iterator[None]:
    """Foreign keys and triggers do not look meanwhile: what is copied has been looked at. Nothing for no tables."""
    if not tables:
        yield
        return
    with connection.cursor() as cursor:
        kept = [_take(cursor, model._meta.db_table) for model in tables]
        for name, value in QUICK.items():
            cursor.execute(f"ALTER SYSTEM SET {name} = {value}")
        cursor.execute("SELECT pg_reload_conf()")
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET maintenance_work_mem = '1GB'")
        yield
        for statement in (line for lines in kept for line in lines):
            cursor.execute(statement)
        cursor.execute("SET session_replication_role = origin")
        for name in QUICK:
            cursor.execute(f"ALTER SYSTEM RESET {name}")
        cursor.execute("SELECT pg_reload_conf()")
        cursor.execute("CHECKPOINT")


def _take(cursor: Any, table: str) -> list[str]:
    """Drop them; the statements that make them again."""
    cursor.execute(INDEXES, [table])
    indexes = cursor.fetchall()
    cursor.execute(CONSTRAINTS, [table])
    constraints = cursor.fetchall()
    for name, _definition in constraints:
        cursor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')
    for name, _definition in indexes:
        cursor.execute(f"DROP INDEX {name}")
    again = [f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" {definition}' for name, definition in constraints]
    return [*again, *[definition for _name, definition in indexes]]
