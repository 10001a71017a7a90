"""Statements that run thousands of times in a row: PostgreSQL reads and plans each once for a connection.

For one that changes rows by their keys, planning costs more than doing. A prepared statement belongs to its connection,
so a pooler in front of PostgreSQL must work by session, as it must for turns (``clinic.turns``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import connection

#: Any number: each statement here is prepared at its first use.
THRESHOLD = 5


def fetch_one(statement: str, params: Sequence[object]) -> tuple[Any, ...] | None:
    """Run it, in the transaction that is open or else in one of its own, and return its first row."""
    connection.ensure_connection()
    raw: psycopg.Connection[Any] = connection.connection
    if raw.prepare_threshold is None:  # Django's own statements are never prepared, whatever stands here
        raw.prepare_threshold = THRESHOLD
    with connection.wrap_database_errors, psycopg.Cursor(raw) as cursor:
        cursor.execute(statement.encode(), params, prepare=True)
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row


def forget_plans() -> None:
    """At the beginning of a burst: a plan that was made while a table was small must not outlive its growth."""
    with connection.cursor() as cursor:
        cursor.execute("DISCARD PLANS")
