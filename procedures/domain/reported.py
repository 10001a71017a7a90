"""What a patient has said before the visit, as plain values, and how it stands to the checklist. Pure.

It is never more than reported: a nurse confirms it. Where a nurse had confirmed something else before, both stand side
by side until somebody has asked again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from procedures.domain.answers import CHOICE_STATES, NEEDS_REASON, NOT_KNOWN, ROWS, AnswerState, Reading
from procedures.domain.names import spaced
from procedures.domain.patient_content import PatientQuestion
from procedures.domain.protocol import Protocol, Question

#: Picks of a list question.
SOME, NONE = "some", "none"
#: What people write when there is nothing, in the languages in which they are asked.
NOTHING = frozenset({"NO", "NONE", "NOTHING", "NO TENGO", "NADA", "NINGUNO", "NINGUNA"})
#: The note of an answer that needs a reason, when the patient gave none.
SAYS_SO = "The patient says so."


@dataclass(frozen=True, kw_only=True)
class Line:
    """A medicine or an allergy. ``more``: how much and how often, or what happened. ``still``: yes, no or unknown."""

    name: str
    more: str = ""
    still: str = ""


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a patient picked and wrote for one question."""

    pick: str = ""
    words: str = ""
    lines: tuple[Line, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.pick or self.words or self.lines)


@dataclass(frozen=True, kw_only=True)
class Report:
    """All that a patient said at once."""

    id: int
    at: datetime
    answered_by: str  # somebody who helped; empty: the patient
    given: Mapping[str, Given]


def to_data(given: Mapping[str, Given]) -> dict[str, Any]:
    """Plain data that :func:`from_data` turns back."""
    return {
        code: {
            "pick": each.pick,
            "words": each.words,
            "lines": [{"name": line.name, "more": line.more, "still": line.still} for line in each.lines],
        }
        for code, each in given.items()
    }


def from_data(data: Mapping[str, Any]) -> dict[str, Given]:
    return {
        code: Given(pick=each["pick"], words=each["words"], lines=tuple(Line(**line) for line in each["lines"]))
        for code, each in data.items()
    }


def asked(protocol: Protocol, given: Mapping[str, Given]) -> tuple[PatientQuestion, ...]:
    """The questions that this patient is asked, given the answers so far."""
    shown: list[PatientQuestion] = []
    for item in protocol.patient_questions:
        code, _, wanted = item.asked_if.partition("=")
        parent = given.get(code, Given())
        if not code or (any(q.code == code for q in shown) and parent.pick in wanted.split("|")):
            shown.append(item)
    return tuple(shown)


def open_questions(protocol: Protocol, given: Mapping[str, Given]) -> tuple[PatientQuestion, ...]:
    """Those without an answer. A question in words may be left empty: nobody has to know a story."""
    kinds = {question.code: question.kind for question in protocol.questions}
    return tuple(
        item for item in asked(protocol, given) if kinds[item.code] != "text" and not given.get(item.code, Given()).pick
    )


def reading(question: Question, given: Given) -> Reading | None:
    """The answer of the checklist that was given; None for words that were left empty."""
    words, pick = given.words.strip(), given.pick
    if question.kind == "text":
        if not words:
            return None
        nothing = spaced(words) in NOTHING
        return Reading(state=AnswerState.NONE) if nothing else Reading(state=AnswerState.ANSWERED, value=words)
    if question.kind in ROWS:
        state = {SOME: AnswerState.ANSWERED, NONE: AnswerState.NONE}.get(pick, AnswerState.UNKNOWN)
        return Reading(state=state, note=words)
    if question.kind == "choice":
        state = CHOICE_STATES.get(pick, AnswerState.ANSWERED)
        return Reading(state=state, value=pick, note=words or (SAYS_SO if state in NEEDS_REASON else ""))
    if pick == "unknown":
        return Reading(state=AnswerState.UNKNOWN, note=words)
    return Reading(state=AnswerState.ANSWERED, value=pick, note=words)


def missing(lines: Iterable[Line], names: Iterable[str]) -> tuple[Line, ...]:
    """Lines that name nothing of the list: *aspirin 81 mg* names its aspirin."""
    known = [f" {spaced(name)} " for name in names]
    return tuple(line for line in lines if not any(name in f" {spaced(line.name)} " for name in known))


def differs(question: Question, given: Given, *, state: AnswerState, value: Any, names: Iterable[str] = ()) -> bool:
    """Whether the patient says something else than what stands. That they do not know contradicts nobody."""
    said = reading(question, given)
    if said is None or said.state in NOT_KNOWN:
        return False
    names = list(names)
    if question.kind in ROWS:
        if said.state is AnswerState.NONE:
            return bool(names) or state in NOT_KNOWN
        return bool(missing(given.lines, names))
    if question.kind == "text":
        return state in NOT_KNOWN or (state is AnswerState.NONE) != (said.state is AnswerState.NONE)
    return (said.state, said.value) != (state, value)
