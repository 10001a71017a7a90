"""Statements that run thousands of times in a row: PostgreSQL reads and plans each once for a connection.

For one that changes rows by their keys, planning costs more than doing. A prepared statement belongs to its connection,
so a pooler in front of PostgreSQL must work by session, as it must for turns (``clinic.turns``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Self

import psycopg
from django.db import connection
from psycopg.sql import Literal

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


class _Prepared(psycopg.RawCursor[Any]):
    """What it is given is prepared at its first use on a connection, and psycopg knows when once more."""

    def execute(self, query: Any, params: Any = None, **_how: Any) -> Self:
        super().execute(query, params, prepare=True)
        self._query: Any = _Said(query, params or ())  # for Django's own log of queries
        return self


class _Said:
    """A statement with its keys in their places, put together only if somebody asks."""

    def __init__(self, statement: str, keys: Sequence[object]) -> None:
        self._statement, self._keys = statement, keys

    @property
    def query(self) -> bytes:
        return re.sub(r"\$(\d+)", lambda found: str(self._keys[int(found[1]) - 1]), self._statement).encode()


def cursor() -> AbstractContextManager[Any]:
    """A cursor of Django's that prepares, for statements with numbered places (``placed``)."""
    connection.ensure_connection()
    raw: Any = connection.connection
    if raw.prepare_threshold is None:
        raw.prepare_threshold = THRESHOLD
    found: AbstractContextManager[Any] = connection._prepare_cursor(_Prepared(raw))  # type: ignore[attr-defined]
    return found


def placed(sql: str, params: Sequence[Any], number: Callable[[Any], int | None]) -> str:
    """The statement with a number for each key and everything else said in it, so that partial indexes can be used.

    ``number`` of a parameter: its place from 1, or None for what is said.
    """
    raw: Any = connection.connection
    rest = iter(params)

    def said(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        param = next(rest)
        place = number(param)
        return f"${place}" if place is not None else Literal(param).as_string(raw)

    return re.sub("%%|%s", said, sql)


def forget_plans() -> None:
    """At the beginning of a burst: a plan that was made while a table was small must not outlive its growth."""
    with connection.cursor() as cursor:
        cursor.execute("DISCARD PLANS")
