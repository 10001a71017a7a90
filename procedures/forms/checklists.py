"""What a stage of the checklist looks like on the page, and what came back from it.

Each question has fields ``q-<code>-pick``, ``-value``, ``-note`` and ``-base`` (the answer that was on the screen).
After a clash ``-now`` names the answer that stands and ``-keep`` says which one shall: ``mine`` or ``theirs``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.forms import ClinicFormMixin
from clinic.wording import translated
from procedures.domain import checklist, reported
from procedures.domain.answers import ROWS, TYPED, VALUE, AnswerState, Entry, states_for
from procedures.domain.checklist import ChecklistState, Progress, QuestionState, StageState, Status
from procedures.domain.checklist_round import AnswerRow
from procedures.domain.protocol import Question, QuestionGroup
from procedures.selectors.answer_words import state_words, words
from procedures.selectors.finding_words import Said
from procedures.services.checklists import Clash, Saved

INPUT_TYPES = {"number": "text", "text": "text", "date": "date", "datetime": "datetime-local"}
#: Offered at once; the rest behind "other answer".
AT_HAND = (AnswerState.NONE, AnswerState.UNKNOWN)


@dataclass(frozen=True, kw_only=True)
class Option:
    value: str
    label: str
    id: str
    checked: bool


@dataclass(frozen=True, kw_only=True)
class ClashWords:
    """Two answers to one question, side by side."""

    mine: str
    mine_note: str
    theirs: str
    theirs_note: str
    by: str
    at: datetime
    now: int


@dataclass(frozen=True, kw_only=True)
class QuestionField:
    """One question as it is drawn. ``entry`` is what its fields hold."""

    question: Question
    state: QuestionState
    entry: Entry
    main: tuple[Option, ...]
    more: tuple[Option, ...]
    error: str = ""
    draft_by: str = ""
    clash: ClashWords | None = None

    @property
    def name(self) -> str:
        return f"q-{self.question.code}"

    @property
    def is_typed(self) -> bool:
        return self.question.kind in TYPED

    @property
    def is_list(self) -> bool:
        return self.question.kind in ROWS

    @property
    def input_type(self) -> str:
        return INPUT_TYPES.get(self.question.kind, "text")

    @property
    def reason_at_hand(self) -> bool:
        return any(c.needs_reason for c in self.question.choices)

    @property
    def more_open(self) -> bool:
        return bool(self.error or self.entry.note or any(o.checked for o in self.more))

    @property
    def answer_words(self) -> str:
        answer = self.state.answer
        return words(self.question, answer.state, answer.value) if answer else ""

    @property
    def reported_words(self) -> str:
        """What the patient said, where it is something else than what stands."""
        given = self.state.differing
        said = reported.reading(self.question, given) if given is not None else None
        if given is None or said is None:
            return ""
        lines = [f"{line.name} {line.more}".strip() for line in given.lines]
        return ": ".join(part for part in (words(self.question, said.state, said.value), *lines, said.note) if part)

    @property
    def may_stand(self) -> bool:
        """One tap says that it is still so."""
        return self.state.answer is not None and self.state.status in (Status.TO_CONFIRM, Status.EXPIRED, Status.REASK)


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A question's place on the page; empty while the question is not asked. ``findings``: what the rules say of it."""

    code: str
    field: QuestionField | None
    findings: tuple[Said, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Section:
    group: QuestionGroup
    slots: tuple[Slot, ...]
    progress: Progress
    renewable: Mapping[str, int]
    reported: bool = False  # what one tap confirms is what the patient said


@dataclass(frozen=True, kw_only=True)
class StagePage:
    """One stage, ready to be drawn."""

    state: ChecklistState
    stage: StageState
    sections: tuple[Section, ...]
    waits_for: StageState | None

    @property
    def fields(self) -> list[QuestionField]:
        return [slot.field for section in self.sections for slot in section.slots if slot.field is not None]

    @property
    def errors(self) -> list[QuestionField]:
        return [f for f in self.fields if f.error or f.clash]

    @property
    def missing(self) -> list[QuestionField]:
        return [f for f in self.fields if f.state.status in checklist.OPEN]

    def field(self, code: str) -> QuestionField | None:
        return next((f for f in self.fields if f.question.code == code), None)


@dataclass(frozen=True, kw_only=True)
class Typed:
    """What was typed and could not be saved: shown again instead of what is stored."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    clashes: Mapping[str, Clash] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Mapping[str, Entry], saved: Saved) -> Typed:
        """Only what was not written: everything else is read from the database again."""
        clashes = {c.question: c for c in saved.clashes}
        return cls(
            entries={code: e for code, e in entries.items() if code in saved.incomplete or code in clashes},
            errors={code: translated(problem) for code, problem in saved.incomplete.items()},
            clashes=clashes,
        )


def entries_from(data: QueryDict, codes: Iterable[str]) -> dict[str, Entry]:
    """What was typed for ``codes``; a question that is not in the form is left out, and one given up for theirs too."""
    found = {}
    for code in codes:
        name = f"q-{code}"
        if not any(f"{name}-{part}" in data for part in ("pick", "value", "note", "base")):
            continue
        keep = data.get(f"{name}-keep", "")
        if keep == "theirs":
            continue
        base = data.get(f"{name}-now" if keep == "mine" else f"{name}-base", "")
        found[code] = Entry(
            pick=data.get(f"{name}-pick", ""),
            value=data.get(f"{name}-value", ""),
            note=data.get(f"{name}-note", ""),
            base=int(base) if base.isdecimal() else None,
        )
    return found


def stage_page(
    state: ChecklistState, stage: StageState, *, draft: Mapping[str, Mapping[str, Any]], typed: Typed
) -> StagePage:
    """The stage with what is stored, what is in the draft and what was just typed, in rising order."""
    shown = {q.question.code: q for q in stage.questions}
    code = stage.stage.code
    sections = []
    for group in state.protocol.groups:
        asked = [
            q for q in state.protocol.questions if q.group == group.code and (q.stage == code or code in q.reask_at)
        ]
        if not asked:
            continue
        inside = [shown[q.code] for q in asked if q.code in shown]
        slots = tuple(
            Slot(code=q.code, field=question_field(shown[q.code], draft, typed) if q.code in shown else None)
            for q in asked
        )
        sections.append(
            Section(
                group=group,
                slots=slots,
                progress=checklist.progress(inside),
                renewable=checklist.renewable(inside),
                reported=any(q.is_reported for q in inside),
            )
        )
    return StagePage(
        state=state, stage=stage, sections=tuple(sections), waits_for=None if stage.signed else state.waits_for(code)
    )


def question_field(state: QuestionState, draft: Mapping[str, Mapping[str, Any]], typed: Typed) -> QuestionField:
    question, answer = state.question, state.answer
    code = question.code
    base = answer.id if answer else None
    entry, draft_by = _stored(question, answer), ""
    if code in typed.entries:
        entry = typed.entries[code]
    elif code in draft:
        kept = draft[code]
        entry = Entry(pick=kept["pick"], value=kept["value"], note=kept["note"], base=base)
        draft_by = str(kept.get("by", ""))
    main, more = _options(question, entry.pick)
    clash = typed.clashes.get(code)
    return QuestionField(
        question=question,
        state=state,
        entry=entry,
        main=main,
        more=more,
        error=typed.errors.get(code, ""),
        draft_by=draft_by,
        clash=_clash_words(question, clash) if clash else None,
    )


def _stored(question: Question, answer: AnswerRow | None) -> Entry:
    if answer is None:
        return Entry()
    pick, value = str(answer.state), ""
    if question.kind == "choice" and answer.value is not None:
        pick = f"{VALUE}{answer.value}"
    elif answer.state is AnswerState.ANSWERED:
        pick, value = _stored_value(question, answer.value)
    return Entry(pick=pick, value=value, note=answer.note, base=answer.id)


def _stored_value(question: Question, value: Any) -> tuple[str, str]:
    if question.kind == "datetime":
        local = timezone.localtime(datetime.fromisoformat(value))
        return VALUE, f"{local:%Y-%m-%dT%H:%M}"
    if question.kind in TYPED:
        return VALUE, str(value)
    if question.kind == "confirm":
        return f"{VALUE}{'confirmed' if value else 'not_yet'}", ""
    return f"{VALUE}{'listed' if question.kind in ROWS else value}", ""


def _options(question: Question, picked: str) -> tuple[tuple[Option, ...], tuple[Option, ...]]:
    values = [(f"{VALUE}{code}", label) for code, label in _values(question)]
    states = states_for(question)
    values += [(str(s), state_words(question, s)) for s in states if s in AT_HAND]
    others = [(str(s), state_words(question, s)) for s in states if s not in AT_HAND]

    def draw(pairs: list[tuple[str, str]], first: int) -> tuple[Option, ...]:
        return tuple(
            Option(value=v, label=label, id=f"q-{question.code}_{n}", checked=v == picked)
            for n, (v, label) in enumerate(pairs, first)
        )

    return draw(values, 0), draw(others, len(values))


def _values(question: Question) -> list[tuple[str, str]]:
    if question.kind == "yes_no":
        return [("yes", _("Yes")), ("no", _("No"))]
    if question.kind == "confirm":
        return [("confirmed", _("Confirmed")), ("not_yet", _("Not yet"))]
    if question.kind in ROWS:
        return [("listed", _("The list is complete"))]
    if question.kind in TYPED:
        return [("", _("As entered"))]
    return [(c.code, c.label) for c in question.choices]


def _clash_words(question: Question, clash: Clash) -> ClashWords:
    return ClashWords(
        mine=words(question, clash.mine.state, clash.mine.value),
        mine_note=clash.mine.note,
        theirs=words(question, clash.theirs.state, clash.theirs.value),
        theirs_note=clash.theirs.note,
        by=clash.theirs.answered_by,
        at=clash.theirs.answered_at,
        now=clash.theirs.id,
    )


class ReopenForm(ClinicFormMixin, forms.Form):
    """Why everything is asked once more."""

    number = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.CharField(
        label=gettext_lazy("Why is the checklist asked again?"), widget=forms.Textarea(attrs={"rows": 3})
    )
