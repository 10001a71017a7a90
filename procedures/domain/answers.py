"""What was typed for one question, read into an answer: a state and a value. Pure.

*None*, *unknown*, *declined*, *not asked because* and *does not apply because* are different answers; the last two need
their reason. What cannot be read raises Invalid with words for a person and never becomes an answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from enum import StrEnum
from typing import Any

from clinic.errors import Invalid
from procedures.domain.items import Choice
from procedures.domain.protocol import Question

#: In ``Entry.pick`` stands before a value ("=yes"); a bare word is a state ("unknown").
VALUE = "="
CONFIRMED = "confirmed"
#: Kinds whose value is typed and not picked.
TYPED = frozenset({"number", "text", "date", "datetime"})
#: Kinds whose answer speaks about rows.
ROWS = frozenset({"medicines", "allergies"})
#: Kinds to which "none" is an answer.
MAY_BE_NONE = frozenset({"text", "medicines", "allergies"})
LONGEST_TEXT = 2000


class AnswerState(StrEnum):
    """What kind of answer it is."""

    ANSWERED = "answered"
    NONE = "none"
    UNKNOWN = "unknown"
    DECLINED = "declined"
    NOT_ASKED = "not_asked"
    NOT_APPLICABLE = "not_applicable"


NEEDS_REASON = frozenset({AnswerState.NOT_ASKED, AnswerState.NOT_APPLICABLE})
#: Nobody knows: never to be read as *no*.
NOT_KNOWN = frozenset({AnswerState.UNKNOWN, AnswerState.DECLINED, AnswerState.NOT_ASKED})
#: A choice with one of these codes is that state, so that *unknown* is found wherever it was picked.
CHOICE_STATES = {
    "none": AnswerState.NONE,
    "unknown": AnswerState.UNKNOWN,
    "not_known": AnswerState.UNKNOWN,
    "declined": AnswerState.DECLINED,
    "declined_to_answer": AnswerState.DECLINED,
    "not_applicable": AnswerState.NOT_APPLICABLE,
}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What was typed. ``pick``: ``"=yes"`` for a value, ``"unknown"`` for a state, empty when nothing was picked.

    ``base`` is the answer that the person saw when they typed (its id; None: there was none).
    """

    pick: str = ""
    value: str = ""
    note: str = ""
    base: int | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.pick or self.value.strip() or self.note.strip())


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A complete answer. ``value`` is JSON; numbers are in the question's unit, moments ISO 8601 with their offset."""

    state: AnswerState
    value: Any = None
    note: str = ""


def states_for(question: Question) -> tuple[AnswerState, ...]:
    """The states that may be picked besides a value, in the order in which they are offered."""
    if question.kind == "confirm":
        return () if question.minimum else (AnswerState.NOT_APPLICABLE,)
    taken = {CHOICE_STATES[c.code] for c in question.choices if c.code in CHOICE_STATES}
    states = [AnswerState.NONE] if question.kind in MAY_BE_NONE else []
    states += [AnswerState.UNKNOWN, AnswerState.DECLINED]
    if question.kind not in ROWS:
        states.append(AnswerState.NOT_APPLICABLE)
        if not question.required:
            states.append(AnswerState.NOT_ASKED)
    return tuple(s for s in states if s not in taken)


def read(question: Question, entry: Entry, *, zone: tzinfo) -> Reading:
    """The answer in ``entry``. ``zone`` is that of a typed date and time. Raises Invalid in words."""
    pick, note = entry.pick, entry.note.strip()
    typed = entry.value.strip() if question.kind in TYPED else ""
    if pick and not pick.startswith(VALUE):
        return _state(question, pick, note, typed)
    if question.kind in TYPED:
        return Reading(state=AnswerState.ANSWERED, value=_typed(question, typed, zone), note=note)
    picked = pick.removeprefix(VALUE)
    if not picked:
        raise Invalid("Choose an answer. If nobody knows, “unknown” is an answer too.", field=question.code)
    if question.kind == "choice":
        return _choice(question, picked, note)
    return _fixed(question, picked, note)


def _state(question: Question, pick: str, note: str, typed: str) -> Reading:
    if pick not in {str(s) for s in states_for(question)}:
        raise Invalid("This answer cannot be chosen here.", field=question.code)
    if typed:
        raise Invalid("There is a value and also an answer without one. Keep one of the two.", field=question.code)
    state = AnswerState(pick)
    if state in NEEDS_REASON and not note:
        raise Invalid("Say why, in the note.", field=question.code)
    return Reading(state=state, note=note)


def _choice(question: Question, picked: str, note: str) -> Reading:
    choice: Choice | None = next((c for c in question.choices if c.code == picked), None)
    if choice is None:
        raise Invalid("This answer cannot be chosen here.", field=question.code)
    state = CHOICE_STATES.get(choice.code, AnswerState.ANSWERED)
    if not note and (choice.needs_reason or state in NEEDS_REASON):
        raise Invalid("Say why, in the note.", field=question.code)
    return Reading(state=state, value=choice.code, note=note)


def _fixed(question: Question, picked: str, note: str) -> Reading:
    """Yes or no, confirmed or not yet, the list is complete."""
    if question.kind == "yes_no" and picked in ("yes", "no"):
        return Reading(state=AnswerState.ANSWERED, value=picked, note=note)
    if question.kind == "confirm" and picked in (CONFIRMED, "not_yet"):
        return Reading(state=AnswerState.ANSWERED, value=picked == CONFIRMED, note=note)
    if question.kind in ROWS and picked == "listed":
        return Reading(state=AnswerState.ANSWERED, note=note)
    raise Invalid("This answer cannot be chosen here.", field=question.code)


def _typed(question: Question, text: str, zone: tzinfo) -> Any:
    if not text:
        raise Invalid("Enter a value. If nobody knows, choose “unknown”.", field=question.code)
    if question.kind == "number":
        return _number(question, text)
    if question.kind == "date":
        return _date(question, text)
    if question.kind == "datetime":
        return _moment(question, text, zone)
    if len(text) > LONGEST_TEXT:
        raise Invalid("At most %(limit)d characters.", field=question.code, limit=LONGEST_TEXT)
    return text


def _number(question: Question, text: str) -> int | float:
    plain = text.removesuffix(question.unit).strip() if question.unit else text
    # 1,200 may be a thousand or a little more than one: a person must say which
    if not re.fullmatch(r"\d+([.,]\d{1,2}|[.]\d+)?", plain):
        raise Invalid("“%(text)s” is not a number. Example: 12.5", field=question.code, text=text)
    number = float(plain.replace(",", "."))
    return int(number) if number.is_integer() else number


def _date(question: Question, text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise Invalid("“%(text)s” is not a date. Example: 2026-11-23", field=question.code, text=text) from None


def _moment(question: Question, text: str, zone: tzinfo) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(
            "“%(text)s” is not a date and time. Example: 2026-11-23 14:30", field=question.code, text=text
        ) from None
    if len(text) <= len("2026-11-23"):
        raise Invalid("The time of day is needed too.", field=question.code)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment.isoformat(timespec="minutes")


def matches(state: AnswerState, value: Any, wanted: str) -> bool:
    """Does an answer satisfy one word of ``asked_if``? Not known also matches ``unknown``; it never matches ``no``."""
    if state in NOT_KNOWN:
        return wanted in ("unknown", str(state)) or wanted == value
    if state is AnswerState.ANSWERED:
        return bool(wanted == value)
    return wanted in (str(state), value)
