"""A query that is written once in a process, and asked again and again with other keys.

Django takes several times longer to write the SQL of a small query than PostgreSQL to answer it. What is asked at every
change of a fact is written here as an ordinary queryset of keys, compiled at its first use, and run from then on with
the keys in their places, prepared on each connection: the same SQL, the same rows. For anything else a queryset is the
right thing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import islice
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import QuerySet
from django.db.models import query as django_query
from django.db.transaction import TransactionManagementError
from psycopg.types.numeric import Int8

from clinic import prepared

Row = TypeVar("Row")
Values = Sequence[Any]
#: How Django itself makes rows: nothing of it is typed.
making: Any = django_query
#: For more keys than these no query is kept.
FEW = 4
#: Stands in the SQL where a key will be; far from every key and every number that a query says itself.
STAND_IN = -(2**62) - 20_231


class ReadyQuery(Generic[Row]):
    """``write`` makes the queryset of so many primary keys; it must say the same for all of them.

    A queryset of models or of ``values_list``, without ``prefetch_related``. Compiled once for each number of keys.
    """

    def __init__(self, write: Callable[..., QuerySet[Any, Row]]) -> None:
        self._write = write
        self._ready: dict[int, _Ready] = {}

    def rows(self, *keys: int) -> list[Row]:
        """All of them, now."""
        ready = self._ready.get(len(keys))
        if ready is None:
            stand_ins = [STAND_IN - place for place in range(len(keys))]
            ready = self._ready[len(keys)] = _Ready(self._write(*stand_ins), stand_ins)
        return ready.rows(keys)

    def first(self, *keys: int) -> Row | None:
        """The first of few; a query that could find many limits itself."""
        return next(iter(self.rows(*keys)), None)

    def get(self, *keys: int) -> Row:
        """The one that there is. Raises the model's ``DoesNotExist``."""
        found = self.first(*keys)
        if found is None:
            raise self._write(*keys).model.DoesNotExist
        return found

    def of_all(self, keys: Collection[int]) -> Iterable[Row]:
        """Of any number of keys: none asks nothing, and many are not worth keeping."""
        if not keys:
            return ()
        return self.rows(*keys) if len(keys) <= FEW else self.queryset(*keys)

    def queryset(self, *keys: int) -> QuerySet[Any, Row]:
        """What is asked, as Django would ask it."""
        return self._write(*keys)


class _Ready:
    """The SQL of one queryset, where its keys go, and how a row is read."""

    def __init__(self, queryset: QuerySet[Any, Any], stand_ins: Sequence[int]) -> None:
        assert not queryset._prefetch_related_lookups  # type: ignore[attr-defined]
        compiler: Any = queryset.query.get_compiler(using=queryset.db)
        sql, params = compiler.as_sql()
        places = {stand_in: key for key, stand_in in enumerate(stand_ins, start=1)}
        asked = {places.get(value) for value in params if isinstance(value, int)} - {None}
        assert asked == set(places.values()), "a key that the query does not ask with"
        connection.ensure_connection()  # its quotes are used
        self._sql = prepared.placed(sql, params, lambda value: places.get(value) if isinstance(value, int) else None)
        columns = [selected[0] for selected in compiler.select[: compiler.col_count]]
        self._converters = [
            (at, convert, expression)
            for at, (converters, expression) in compiler.get_converters(columns).items()
            for convert in converters
        ]
        self._locks = queryset.query.select_for_update
        self._read = reader(queryset, compiler)

    def rows(self, keys: Sequence[int]) -> list[Any]:
        if self._locks and not connection.in_atomic_block:
            raise TransactionManagementError("select_for_update cannot be used outside of a transaction.")
        with prepared.cursor() as cursor:
            cursor.execute(self._sql, [Int8(key) for key in keys])  # one plan, however large a key
            found: Iterable[Values] = cursor.fetchall()
        if self._converters:
            found = [self._converted(row) for row in found]
        return [self._read(row) for row in found]

    def _converted(self, row: Values) -> Values:
        changed = list(row)
        for at, convert, expression in self._converters:
            changed[at] = convert(changed[at], expression, connection)
        return tuple(changed)


def reader(queryset: Any, compiler: Any) -> Callable[[Values], Any]:
    """As the queryset itself would make a row of values."""
    made = queryset._iterable_class
    if made is making.ModelIterable:
        return _model_reader(queryset, compiler)
    if made is making.FlatValuesListIterable:
        return lambda row: row[0]
    if made is making.NamedValuesListIterable:
        named: Callable[[Values], Any] = making.create_namedtuple_class(*queryset._fields)._make
        return named
    assert made is making.ValuesListIterable, made
    return tuple


def _model_reader(queryset: Any, compiler: Any) -> Callable[[Values], Any]:
    db, select, info = queryset.db, compiler.select, compiler.klass_info
    model, places = info["model"], info["select_fields"]
    begin, end = places[0], places[-1] + 1
    names = [column[0].target.attname for column in islice(select, begin, end)]
    related = making.get_related_populators(info, select, db)
    annotated = list((compiler.annotation_col_map or {}).items())

    def read(row: Values) -> Any:
        made = model.from_db(db, names, row[begin:end])
        for populator in related:
            populator.populate(row, made)
        for name, at in annotated:
            setattr(made, name, row[at])
        return made

    return read
