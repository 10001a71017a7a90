"""What an emergency start stood on: the minimum as it was answered by then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from procedures.domain.answers import AnswerState
from procedures.models import Answer, Procedure
from procedures.selectors import answer_words


@dataclass(frozen=True)
class Known:
    """One question of the minimum, and what was known about it when it began; empty: nobody had answered."""

    question: str
    answer: str = ""
    note: str = ""
    by: str = ""
    at: datetime | None = None


def known_at_start(procedure: Procedure) -> tuple[Known, ...]:
    """The last answer to each question of the minimum before the needle. One query."""
    protocol, start = procedure.protocol_version.parsed, procedure.started_at
    asked = [q for q in protocol.questions if q.minimum]
    rows = Answer.objects.filter(
        checklist__procedure=procedure, question__in=[q.code for q in asked], answered_at__lte=start
    )
    last = {row.question: row for row in rows.select_related("answered_by").order_by("checklist__number", "pk")}
    found = []
    for question in asked:
        row = last.get(question.code)
        if row is None:
            if not question.asked_if:  # one that depends on another answer was perhaps not asked
                found.append(Known(question.text))
            continue
        words = answer_words.words(question, AnswerState(row.state), row.value)
        by = row.answered_by.display_name if row.answered_by else ""
        found.append(Known(question.text, words, row.note, by, row.answered_at))
    return tuple(found)
