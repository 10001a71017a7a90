"""Several querysets read in one statement, written once in a process: what a page shows of one case comes at once.

Django asks for each kind of row by itself, and takes several times longer to write such a small query than PostgreSQL
to answer it. Here each part is an ordinary queryset and gives the very rows that it would have given, in its order:
every column travels as the text that PostgreSQL writes for it, and is read by what reads it on this connection anyway.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import BooleanField, Expression, Field, Func, Model, QuerySet
from psycopg.adapt import Transformer
from psycopg.pq import Format
from psycopg.types.numeric import Int8

from clinic import prepared
from clinic.ready_query import reader

Parts = Mapping[str, QuerySet[Any, Any]]
Rows = dict[str, list[Any]]
Read = Callable[[Any], Any]

#: As in "varchar(20)[]".
SIZE = re.compile(r"\([^)]*\)")
#: Columns whose text is their value; Django reads JSON from text itself.
AS_TEXT = frozenset({"text", "varchar", "character varying", "jsonb"})
#: Columns that the connection's own reader makes of their text. Not here: what a cast writes otherwise than a row.
READ = frozenset(
    {
        "bigint",
        "date",
        "double precision",
        "integer",
        "interval",
        "numeric",
        "smallint",
        "time",
        "tstzrange",
        "uuid",
    }
)
BOOLEANS = {"true": True, "false": False, None: None}


class Given(Expression):
    """A key that differs from reading to reading: it stands in a part's filter where the key would."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return "%s", [self]


class IsOneOf(Func):
    """Whether the column is one of many keys: ``filter(IsOneOf(F("pk"), keys))``."""

    template, arg_joiner = "(%(expressions)s))", " = ANY("
    output_field = BooleanField()


class OneStatement:
    """``write`` takes its keys by name and gives the parts: querysets of models or of ``values_list``.

    No part has a ``prefetch_related``: what belongs to it is a part of its own.
    """

    def __init__(self, write: Callable[..., Parts]) -> None:
        self._write = write
        self._ready: _Ready | None = None

    def rows(self, **keys: object) -> Rows:
        """The rows of every part, now. One query."""
        if self._ready is None:
            connection.ensure_connection()  # its readers and its quotes are used
            given = {name: Given(name) for name in inspect.signature(self._write).parameters}
            self._ready = _Ready(self.parts(**given), tuple(given))
        return self._ready.rows(keys)

    def parts(self, **keys: object) -> Parts:
        """The querysets, as Django would ask for them one by one."""
        return self._write(**keys)


def keep_prefetched(row: Model, name: str, rows: list[Any]) -> None:
    """``row.name.all()`` is these rows, as if they had been prefetched. They were read as a part of their own."""
    kept = getattr(row, name).get_queryset()
    kept._result_cache, kept._prefetch_done = rows, True
    if not hasattr(row, "_prefetched_objects_cache"):
        row._prefetched_objects_cache = {}  # type: ignore[attr-defined]
    row._prefetched_objects_cache[name] = kept  # type: ignore[attr-defined]


class _Ready:
    """The statement, and how a row of each part is read."""

    def __init__(self, parts: Parts, keys: tuple[str, ...]) -> None:
        self._parts = {name: _Part(queryset) for name, queryset in parts.items()}
        sql = "SELECT " + ", ".join(part.sql for part in self._parts.values())
        params = [param for part in self._parts.values() for param in part.params]
        self._keys = [key for key in keys if any(isinstance(param, Given) and param.name == key for param in params)]
        self._sql = prepared.placed(sql, params, self._number)

    def _number(self, param: Any) -> int | None:
        return self._keys.index(param.name) + 1 if isinstance(param, Given) else None

    def rows(self, keys: Mapping[str, object]) -> Rows:
        values: list[Any] = [keys[name] for name in self._keys]
        given = [_sized(value) for value in values]
        with prepared.cursor() as cursor:  # so long a statement takes several times as long to plan as to answer
            cursor.execute(self._sql, given)
            found: Sequence[Any] = cursor.fetchone() or ()
        return {name: part.read(column or ()) for (name, part), column in zip(self._parts.items(), found, strict=True)}


def _sized(value: Any) -> Any:
    """One plan, however large a key."""
    if isinstance(value, list):
        return [_sized(one) for one in value]
    return Int8(value) if isinstance(value, int) else value


class _Part:
    """One queryset as one column: an array with a row of texts for each of its rows."""

    def __init__(self, queryset: QuerySet[Any, Any]) -> None:
        assert not queryset._prefetch_related_lookups  # type: ignore[attr-defined]
        compiler: Any = queryset.query.get_compiler(using=queryset.db)
        sql, self.params = compiler.as_sql()
        columns = [selected[0] for selected in compiler.select]
        assert len(columns) == compiler.col_count, "a part sorts by what it does not select"
        names = [f"c{place}" for place in range(len(columns))]
        texts = ", ".join(f"t.{name}::text" for name in names)
        self.sql = f"(SELECT array_agg(ARRAY[{texts}]) FROM ({sql}) t({', '.join(names)}))"
        converters = compiler.get_converters(columns)
        self._readers = [
            (place, read)
            for place, column in enumerate(columns)
            for read in _readers(column.output_field, *converters.get(place, ((), column)))
        ]
        self._made = reader(queryset, compiler)

    def read(self, texts: Sequence[list[Any]]) -> list[Any]:
        for row in texts:
            for place, read in self._readers:
                row[place] = read(row[place])
        return [self._made(row) for row in texts]


def _readers(field: Field[Any, Any], converters: Sequence[Any], column: Any) -> list[Read]:
    """From the text to what the connection gives, then to what Django makes of it."""
    kind = SIZE.sub("", field.db_type(connection) or "")
    found: list[Read] = []
    if kind == "boolean":
        found.append(BOOLEANS.__getitem__)
    elif kind == "timestamp with time zone":
        found.append(_moment)
    elif kind not in AS_TEXT:
        found.append(_reader(kind))
    found += [lambda value, convert=convert: convert(value, column, connection) for convert in converters]  # type: ignore[misc]
    return found


def _moment(text: str | None) -> datetime | None:
    """In UTC, as Django keeps every connection."""
    return None if text is None else datetime.fromisoformat(text)


def _reader(kind: str) -> Read:
    if kind.removesuffix("[]") not in READ | AS_TEXT:
        raise TypeError(f"{kind}: is its text the same in a cast as in a row? then add it")
    raw: Any = connection.connection
    named = raw.adapters.types[kind.removesuffix("[]")]
    load = Transformer(raw).get_loader(named.array_oid if kind.endswith("[]") else named.oid, Format.TEXT).load
    return lambda text: None if text is None else load(text.encode())
