"""Statements that run thousands of times in a row: PostgreSQL reads and plans each once for a connection.

For one that changes rows by their keys, planning costs more than doing. A prepared statement belongs to its connection,
so a pooler in front of PostgreSQL must work by session, as it must for turns (``clinic.turns``).

Prepared by SQL and not by the driver: that forgets all its statements when a transaction is rolled back, and those of
``clinic.one_statement`` on the same connection with them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.db import connection

#: What each connection has been told. A prepared statement outlives a rollback, and ends with its connection.
PREPARED: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


def fetch_one(statement: str, params: Sequence[object]) -> tuple[Any, ...] | None:
    """Run it, in the transaction that is open or else in one of its own, and return its first row."""
    connection.ensure_connection()
    raw: psycopg.Connection[Any] = connection.connection
    known = PREPARED.setdefault(raw, set())
    name = "run_" + hashlib.sha256(statement.encode()).hexdigest()[:20]
    with connection.wrap_database_errors, psycopg.ClientCursor(raw) as cursor:
        if name not in known:
            cursor.execute(f"PREPARE {name} AS {_numbered(statement)}".encode())
            known.add(name)
        cursor.execute(f"EXECUTE {name}({', '.join(['%s'] * len(params))})".encode(), params)
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row


def _numbered(statement: str) -> str:
    """With a number for each place: ``%s`` is the driver's word."""
    first, *rest = statement.split("%s")
    return (first + "".join(f"${number}{part}" for number, part in zip(count(1), rest, strict=False))).replace(
        "%%", "%"
    )


def forget_plans() -> None:
    """At the beginning of a burst: a plan that was made while a table was small must not outlive its growth."""
    with connection.cursor() as cursor:
        cursor.execute("DISCARD PLANS")
