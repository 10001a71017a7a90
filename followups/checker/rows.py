"""Asking the database: plain SQL, and assertions that are nothing but SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

from followups.checker.report import Complaint, Report

Params = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Question:
    """One assertion. ``looked``: how many things it is about; ``wrong``: subject, id and words of those that are not
    as they should be. ``given``: common table expressions that both stand on.
    """

    code: str
    looked: str
    wrong: str
    given: tuple[str, ...] = ()


def ask(sql: str, params: Params | None = None) -> list[tuple[Any, ...]]:
    """All rows of one query."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def count(sql: str, params: Params | None = None) -> int:
    return int(ask(sql, params)[0][0] or 0)


def put(report: Report, questions: Iterable[Question], params: Params) -> None:
    """Ask each question, and write down what it found."""
    for question in questions:
        before = with_(question.given)
        wrong = [Complaint(question.code, *row) for row in ask(before + question.wrong, params)]
        report.asked(question.code, count(before + question.looked, params), wrong)


def with_(given: Iterable[str]) -> str:
    parts = list(given)
    return f"WITH {', '.join(parts)} " if parts else ""
