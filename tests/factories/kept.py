"""The full clinic: told once in each process, put back by copying its rows.

What a test has written is undone or truncated after it, and telling the whole week again takes seconds.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from clinic import clock
from followups.services import demo_clock
from tests.factories.full import Full, fill
from tests.factories.people import PASSWORD, make_cast

#: Made by Django itself after each truncation.
DJANGOS = {"django_content_type", "auth_permission", "django_migrations", "django_site"}


@dataclass(frozen=True)
class Kept:
    full: Full
    rows: dict[str, bytes]  # by table
    numbers: dict[str, int]  # the last one given, by sequence
    now: datetime


_kept: list[Kept] = []


def full() -> Full:
    """The clinic on Wednesday at ten, in an empty database. Needs a demonstration (``settings.DEMO``)."""
    if not _may_put_back():
        return fill(make_cast(PASSWORD))
    if not _kept:
        made = fill(make_cast(PASSWORD))
        _kept.append(Kept(full=copy.deepcopy(made), rows=rows(), numbers=_numbers(), now=clock.now()))
        return made
    _put_back(_kept[0])
    return copy.deepcopy(_kept[0].full)


def _may_put_back() -> bool:
    """A database of TEST_DATABASE_URL may know us as an ordinary user."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        return bool(cursor.fetchone()[0])


def rows() -> dict[str, bytes]:
    """Everything that the database holds, by table."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table in DJANGOS:
                continue
            with cursor.copy(f'COPY "{table}" TO STDOUT (FORMAT binary)') as out:
                found[table] = b"".join(bytes(part) for part in out)
    return found


def _numbers() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT sequencename, last_value FROM pg_sequences WHERE last_value IS NOT NULL")
        return dict(cursor.fetchall())


@transaction.atomic
def _put_back(kept: Kept) -> None:
    """Without triggers: they have seen these rows. A number that was given is not given again."""
    given = _numbers()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table, rows in kept.rows.items():
            cursor.execute(f'DELETE FROM "{table}"')  # of a request that outlived its test
            with cursor.copy(f'COPY "{table}" FROM STDIN (FORMAT binary)') as into:
                into.write(rows)
        cursor.execute("SET LOCAL session_replication_role = origin")
        for sequence, number in kept.numbers.items():
            if given.get(sequence, 0) < number:
                cursor.execute("SELECT setval(quote_ident(%s)::regclass, %s)", [sequence, number])
    demo_clock.set_to(kept.now)
