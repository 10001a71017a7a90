"""Answers for tests that need a checklist to be filled or signed and are not about its content."""

from __future__ import annotations

from typing import Any

from clinic import clock
from clinic.actor import Actor
from procedures.domain.answers import Entry
from procedures.domain.checklist import OPEN, QuestionState
from procedures.domain.protocol import Question
from procedures.models import Procedure
from procedures.selectors import checklists as selectors
from procedures.services import checklists

TYPED = {"number": "12", "text": "as told", "date": "2026-11-23", "datetime": "2026-11-20T08:00"}

#: Where the first choice would ask for more on a later day.
PICKED = {"cause_of_ascites": "cancer"}


def harmless(question: Question, base: int | None = None) -> Entry:
    """An answer that asks for as little as possible."""
    if question.kind in TYPED:
        return Entry(value=TYPED[question.kind], base=base)
    if question.kind in ("medicines", "allergies"):
        return Entry(pick="none", base=base)
    if question.kind == "choice":
        code = PICKED.get(question.code, question.choices[0].code)
        return Entry(pick=f"={code}", note="as asked", base=base)
    return Entry(pick="=no" if question.kind == "yes_no" else "=confirmed", base=base)


def fill(procedure: Procedure, actor: Actor, *stages: str, **special: Entry) -> None:
    """Answer everything that is open in ``stages`` (all of them when none is named); ``special`` by question code."""
    for _round in range(6):  # an answer may open further questions
        state = selectors.state_of(procedure, clock.now())
        wanted = [s for s in state.stages if not stages or s.stage.code in stages]
        open_now = [q for s in wanted for q in s.questions if q.status in OPEN]
        if not open_now:
            return
        entries = {q.question.code: special.get(q.question.code) or _entry(q) for q in open_now if q.answer is None}
        if entries:
            checklists.save_answers(actor=actor, procedure=procedure, entries=entries)
        bases = {q.question.code: q.answer.id for q in open_now if q.answer is not None}
        checklists.confirm(actor=actor, procedure=procedure, bases=bases)
    raise AssertionError([q.question.code for q in open_now])


def _entry(state: QuestionState) -> Entry:
    return harmless(state.question, state.answer.id if state.answer else None)


def fill_and_sign(procedure: Procedure, actor: Actor, *stages: str, **special: Any) -> None:
    """Answer and sign the stages one after another, as in real life."""
    for stage in stages:
        fill(procedure, actor, stage, **special)
        checklists.sign(actor=actor, procedure=procedure, stage=stage)
