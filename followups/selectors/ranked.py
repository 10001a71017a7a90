"""Everything open, looked at once: one query ranks each promise and answers with figures, a fingerprint and the numbers
of the rows that a page shows. The rows themselves are read afterwards by their numbers: so few of them are built.

What a promise is at a moment is decided by ``domain.labels``; ``open_at`` says the same in SQL. A test compares the
two over every boundary.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from types import MappingProxyType
from typing import Any

from django.db import connection
from django.db.models import (
    BooleanField,
    Case,
    DateTimeField,
    ExpressionWrapper,
    Q,
    QuerySet,
    SmallIntegerField,
    Value,
    When,
)
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, NullIf

from followups.domain.labels import DUE_WITHIN
from followups.domain.picture import Urgency
from followups.models import FollowUp
from followups.selectors.case import ORDER

CRITICAL, OVERDUE, DUE, WAITING = (
    ORDER[word] for word in (Urgency.CRITICAL, Urgency.OVERDUE, Urgency.DUE, Urgency.WAITING)
)

#: Stands for the moment of asking while the SQL is made.
SOME_TIME = datetime(2000, 1, 1, tzinfo=UTC)
#: What is asked of a promise without its row.
COLUMNS = (
    "id",
    "kind",
    "start_at",
    "due_at",
    "opened_at",
    "role",
    "escalated_role",
    "responsible_id",
    "taken_by_id",
    "taken_at",
    "snoozed_until",
    "generation",
    "rung",
    "repeat",
)
#: What changes when a promise is opened, closed, moved, escalated, taken, put off, begun or overdue.
FINGERPRINT = """
SELECT md5(row(count(*), max(id), sum(generation), sum(rung), sum(repeat), sum(taken_by_id), count(taken_by_id),
               max(taken_at), max(snoozed_until), count(*) FILTER (WHERE start_at <= %(now)s),
               count(*) FILTER (WHERE due_at < %(now)s))::text)
"""
#: Of a promise, made of the columns above: a name and its condition.
Flags = tuple[tuple[str, Q], ...]


def open_at(now: datetime) -> QuerySet[Any]:
    """What is not kept yet. ``rank``: 0 critical, 1 overdue, 2 due, 3 waiting, as ``labels.urgency`` says."""
    usual = Cast(NullIf(KeyTextTransform("usual_at", "about"), Value("")), DateTimeField())
    rank = Case(
        When(level="critical", start_at__lte=now, then=Value(CRITICAL)),
        When(due_at__lt=now, then=Value(OVERDUE)),
        When(usual_at__lte=now, then=Value(DUE)),
        When(usual_at__isnull=False, then=Value(WAITING)),
        When(start_at__lte=now, due_at__lte=now + DUE_WITHIN, then=Value(DUE)),
        default=Value(WAITING),
        output_field=SmallIntegerField(),
    )
    return FollowUp.objects.filter(closed_at__isnull=True).alias(usual_at=usual).annotate(rank=rank)


@cache
def _compiled(flags: Flags) -> tuple[str, tuple[Any, ...]]:
    """The SQL of everything open, ranked, with these flags. Made once: it costs more than to run it."""
    marked = {name: ExpressionWrapper(condition, output_field=BooleanField()) for name, condition in flags}
    rows = open_at(SOME_TIME).annotate(**marked).order_by().values(*COLUMNS, "rank", *marked)
    sql, given = rows.query.sql_with_params()
    return sql % tuple(f"%(g{place})s" for place in range(len(given))), given


def ask(
    asked: Mapping[str, str],
    now: datetime,
    *,
    flags: Flags = (),
    also: Mapping[str, str] = MappingProxyType({}),
    **values: Any,
) -> dict[str, Any]:
    """The answer to each question: an expression over ``ranked``, which holds everything open. One query.

    ``flags`` and ``also`` add columns to it. ``values``: what the questions name (``%(name)s``).
    """
    sql, given = _compiled(flags)
    for place, value in enumerate(given):
        moment = isinstance(value, datetime)
        values[f"g{place}"] = value - SOME_TIME + now if moment else value
    # what no question names is not kept: PostgreSQL would write it all down and read it again
    named = set(re.findall(r"\w+", " ".join(question for question in asked.values() if "FROM ranked" in question)))
    kept = [f"q.{name}" for name in (*COLUMNS, "rank", *(name for name, _condition in flags)) if name in named]
    kept += [f"{words} AS {name}" for name, words in also.items() if name in named]
    # OFFSET 0: the rank is worked out once for each promise, and not again wherever a question names it
    ranked = f"SELECT {', '.join(kept)} FROM ({sql} OFFSET 0) q"
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH ranked AS MATERIALIZED ({ranked}) SELECT {', '.join(asked.values())}", values | {"now": now}
        )
        return dict(zip(asked, cursor.fetchone(), strict=True))


def numbers(condition: str, order: str, limit: str, what: str = "id") -> str:
    """The question for the ids of a page, in its order."""
    return f"ARRAY(SELECT {what} FROM ranked WHERE {condition} ORDER BY {order} {limit})"


def changed(condition: str = "TRUE") -> str:
    """The question for the fingerprint of those that are open. It reads the rows themselves: what it looks at would
    make ``ranked`` wider, and that costs more.
    """
    return f"({FINGERPRINT} FROM {FollowUp._meta.db_table} WHERE closed_at IS NULL AND ({condition}))"


def fingerprint(now: datetime, condition: str = "TRUE", **values: Any) -> str:
    """The answer to ``changed`` alone, for a poll. One query."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {changed(condition)}", values | {"now": now})
        return str(cursor.fetchone()[0])
