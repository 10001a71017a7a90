"""An answer in words for people."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from procedures.domain.answers import AnswerState
from procedures.domain.protocol import Question

NONE_WORDS = {"medicines": "Takes none", "allergies": "No known allergies"}


def words(question: Question, state: AnswerState, value: Any) -> str:
    """The answer as it is said: "Yes", "12 g", "Unknown", "No known allergies"."""
    if question.kind == "choice" and value is not None:
        return next((c.label for c in question.choices if c.code == value), str(value))
    if state is not AnswerState.ANSWERED:
        return state_words(question, state)
    return _value(question, value)


def state_words(question: Question, state: AnswerState) -> str:
    """A state as it is offered and said."""
    if state is AnswerState.NONE and question.kind in NONE_WORDS:
        return _(NONE_WORDS[question.kind])
    return {
        AnswerState.ANSWERED: _("As entered"),
        AnswerState.NONE: _("None"),
        AnswerState.UNKNOWN: _("Unknown"),
        AnswerState.DECLINED: _("Declined to answer"),
        AnswerState.NOT_ASKED: _("Not asked, because"),
        AnswerState.NOT_APPLICABLE: _("Does not apply, because"),
    }[state]


def _value(question: Question, value: Any) -> str:
    if question.kind == "yes_no":
        return _("Yes") if value == "yes" else _("No")
    if question.kind == "confirm":
        return _("Confirmed") if value else _("Not yet")
    if question.kind in ("medicines", "allergies"):
        return _("The list is complete")
    if question.kind == "number":
        return f"{value} {question.unit}".strip()
    if question.kind == "date":
        return date_format(date.fromisoformat(value), "j M Y")
    if question.kind == "datetime":
        return date_format(timezone.localtime(datetime.fromisoformat(value)), "j M Y H:i")
    return str(value)
