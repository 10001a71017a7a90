"""Where a checklist stands: which questions are asked, which are answered, what may be signed. Pure.

Rules that hold for every protocol:

* A question is shown when ``asked_if`` says so. Only shown questions count.
* An answer counts while it is confirmed and not expired. *Unknown* is an answer, never a *no*; it is counted apart.
* Sign-in and time-out belong to the day of the needle: what was answered or signed there before that day began must be
  asked and signed again.
* A question with ``reask_at`` is asked once more at that stage: its answer must be given after the stage before was
  first signed, and on the day of the needle. The answer may be the same.
* A signature is good for the answers that were signed (their digest). Another answer: sign again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from procedures.domain.answers import NOT_KNOWN, ROWS, AnswerState, matches
from procedures.domain.checklist_round import AllergyRow, AnswerRow, MedicineRow, Round, SignatureRow
from procedures.domain.protocol import Protocol, Question, QuestionGroup, Stage
from procedures.domain.reported import Given, differs

#: Stages that belong to the day of the needle.
DAY_OF = frozenset({"sign_in", "time_out"})
#: A stage is signed after this one, if the protocol has both.
AFTER = {"sign_in": "pre_visit", "time_out": "sign_in", "sign_out": "time_out"}


class Status(StrEnum):
    """Where one question stands."""

    COMPLETE = "complete"
    MISSING = "missing"
    TO_CONFIRM = "to_confirm"  # from an earlier round, or reported by the patient
    EXPIRED = "expired"
    REASK = "reask"  # answered before, to be asked again at this stage
    OPTIONAL = "optional"  # not answered, and need not be


#: Stands between a stage and its signature.
OPEN = frozenset({Status.MISSING, Status.TO_CONFIRM, Status.EXPIRED, Status.REASK})


@dataclass(frozen=True, kw_only=True)
class QuestionState:
    question: Question
    answer: AnswerRow | None
    status: Status
    reasked: bool = False  # belongs to an earlier stage
    rows: tuple[MedicineRow, ...] | tuple[AllergyRow, ...] = ()
    differing: Given | None = None  # the patient said this, after somebody had answered something else

    @property
    def is_unknown(self) -> bool:
        return self.answer is not None and self.answer.state in NOT_KNOWN

    @property
    def is_reported(self) -> bool:
        """Waits for somebody to confirm what the patient said."""
        own = self.answer is not None and self.answer.reported
        return self.status is Status.TO_CONFIRM and (own or self.differing is not None)


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Counts over shown questions; ``total`` leaves out optional ones without an answer."""

    total: int
    done: int
    missing: int
    to_confirm: int  # also those to be asked again
    expired: int
    unknown: int

    @property
    def open(self) -> int:
        return self.total - self.done


@dataclass(frozen=True, kw_only=True)
class StageState:
    stage: Stage
    questions: tuple[QuestionState, ...]
    digest: str
    signature: SignatureRow | None  # the newest of this round, whether it still counts or not
    signed: bool
    changed: bool  # signed, but over other answers

    @property
    def progress(self) -> Progress:
        return progress(self.questions)

    @property
    def complete(self) -> bool:
        return self.progress.open == 0

    @property
    def opened(self) -> bool:
        return any(q.answer is not None for q in self.questions)


@dataclass(frozen=True, kw_only=True)
class ChecklistState:
    """A case's checklist at a moment. ``round`` is None before anybody has begun."""

    protocol: Protocol
    round: Round | None
    stages: tuple[StageState, ...]

    @property
    def opened(self) -> bool:
        return self.round is not None

    @property
    def questions(self) -> tuple[QuestionState, ...]:
        """Every shown question once, at the stage it belongs to."""
        return tuple(q for s in self.stages for q in s.questions if not q.reasked)

    @property
    def reported(self) -> int:
        """How many answers of the patient wait to be confirmed."""
        return sum(q.is_reported for q in self.questions)

    @property
    def unsigned_blocking(self) -> tuple[StageState, ...]:
        return tuple(s for s in self.stages if s.stage.blocks_start and not s.signed)

    def stage(self, code: str) -> StageState:
        """Raises KeyError for a stage the protocol does not have."""
        for stage in self.stages:
            if stage.stage.code == code:
                return stage
        raise KeyError(code)

    def waits_for(self, code: str) -> StageState | None:
        """The stage that must be signed before this one, if it is not."""
        earlier = next((s for s in self.stages if s.stage.code == AFTER.get(code)), None)
        return earlier if earlier is not None and not earlier.signed else None


def evaluate(protocol: Protocol, round_: Round | None, *, now: datetime, day_began: datetime) -> ChecklistState:
    """Where the checklist stands at ``now``. ``day_began``: local midnight of the needle's day."""
    shown = shown_questions(protocol, round_.answers if round_ else {})
    stages = tuple(_stage(protocol, s, shown, round_, now, day_began) for s in protocol.stages)
    return ChecklistState(protocol=protocol, round=round_, stages=stages)


def shown_questions(protocol: Protocol, answers: Mapping[str, AnswerRow]) -> frozenset[str]:
    """Codes of the questions that are asked, given the answers so far."""
    by_code = {q.code: q for q in protocol.questions}

    def is_shown(question: Question, seen: frozenset[str]) -> bool:
        if not question.asked_if:
            return True
        code, _, wanted = question.asked_if.partition("=")
        parent, answer = by_code.get(code), answers.get(code)
        if parent is None or answer is None or code in seen:
            return False
        if not any(matches(answer.state, answer.value, word) for word in wanted.split("|")):
            return False
        return is_shown(parent, seen | {code})

    return frozenset(q.code for q in protocol.questions if is_shown(q, frozenset({q.code})))


def _stage(
    protocol: Protocol, stage: Stage, shown: frozenset[str], round_: Round | None, now: datetime, day_began: datetime
) -> StageState:
    asked = [q for q in protocol.questions if q.code in shown and (q.stage == stage.code or stage.code in q.reask_at)]
    digest = _digest(asked, round_)
    signature = round_.last_signature(stage.code) if round_ else None
    too_old = signature is not None and stage.code in DAY_OF and signature.signed_at < day_began
    standing = signature is not None and not too_old
    questions = tuple(
        _question(q, stage, round_, now, day_began if stage.code in DAY_OF else None, standing) for q in asked
    )
    same = signature is not None and signature.digest == digest
    return StageState(
        stage=stage,
        questions=questions,
        digest=digest,
        signature=signature,
        signed=standing and same and progress(questions).open == 0,
        changed=standing and not same,
    )


def _question(
    question: Question, stage: Stage, round_: Round | None, now: datetime, day_began: datetime | None, signed: bool
) -> QuestionState:
    answer = round_.answers.get(question.code) if round_ else None
    rows = round_.rows(question.kind) if round_ else ()
    reasked = question.stage != stage.code
    status = status_of(question, answer, rows, now)
    if status is Status.COMPLETE and answer is not None and round_ is not None:
        if not reasked and day_began and answer.answered_at < day_began:
            status = Status.EXPIRED
        elif reasked and not signed and _asked_before(question, stage.code, answer, round_, day_began):
            status = Status.REASK
    differing = _differing(question, answer, round_)
    if differing is not None and status is Status.COMPLETE:
        status = Status.TO_CONFIRM
    return QuestionState(
        question=question, answer=answer, status=status, reasked=reasked, rows=rows, differing=differing
    )


def _differing(question: Question, answer: AnswerRow | None, round_: Round | None) -> Given | None:
    """What the patient said since, if it is something else. Whoever answers after that has heard it."""
    report = round_.report if round_ else None
    given = report.given.get(question.code) if report else None
    if round_ is None or report is None or given is None or answer is None:
        return None
    if answer.reported or answer.answered_at >= report.at:
        return None
    names = [row.named for row in round_.rows(question.kind)]
    return given if differs(question, given, state=answer.state, value=answer.value, names=names) else None


def status_of(
    question: Question, answer: AnswerRow | None, rows: tuple[MedicineRow, ...] | tuple[AllergyRow, ...], now: datetime
) -> Status:
    """Where a question stands by itself, whatever the stage. An expired answer is expired, not missing."""
    if answer is None or not _says_something(question, answer, rows):
        return Status.MISSING if question.required else Status.OPTIONAL
    if not answer.confirmed or any(not row.confirmed for row in rows):
        return Status.TO_CONFIRM
    if answer.valid_until is not None and answer.valid_until < now:
        return Status.EXPIRED
    return Status.COMPLETE


def _says_something(
    question: Question, answer: AnswerRow, rows: tuple[MedicineRow, ...] | tuple[AllergyRow, ...]
) -> bool:
    if answer.state is not AnswerState.ANSWERED:
        return True
    if question.kind in ROWS:
        return bool(rows)  # "takes these" without one line is no answer
    return answer.value is not False  # taken back: not yet confirmed


def _asked_before(question: Question, stage: str, answer: AnswerRow, round_: Round, day_began: datetime | None) -> bool:
    """Was the answer given before its time to be asked again had come?"""
    chain = (question.stage, *question.reask_at)
    since = [round_.first_signed(chain[chain.index(stage) - 1]), day_began]
    return any(moment is not None and answer.answered_at < moment for moment in since)


def _digest(asked: Iterable[Question], round_: Round | None) -> str:
    """SHA-256 (hex) over question, state and value of the stage, and over its medicine and allergy rows."""
    content: list[Any] = []
    for question in asked:
        answer = round_.answers.get(question.code) if round_ else None
        content.append([question.code, str(answer.state) if answer else None, answer.value if answer else None])
        if round_ and question.kind in ROWS:
            content.append(sorted((r.signed_part() for r in round_.rows(question.kind)), key=json.dumps))
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def progress(questions: Iterable[QuestionState]) -> Progress:
    """Count what is answered and what is not."""
    counted = [q for q in questions if q.status is not Status.OPTIONAL]

    def count(*statuses: Status) -> int:
        return sum(q.status in statuses for q in counted)

    return Progress(
        total=len(counted),
        done=count(Status.COMPLETE),
        missing=count(Status.MISSING),
        to_confirm=count(Status.TO_CONFIRM, Status.REASK),
        expired=count(Status.EXPIRED),
        unknown=sum(q.is_unknown for q in counted),
    )


def sections(protocol: Protocol, stage: StageState) -> list[tuple[QuestionGroup, tuple[QuestionState, ...]]]:
    """The stage's shown questions by group, in the protocol's order; groups without a question are left out."""
    found = []
    for group in protocol.groups:
        inside = tuple(q for q in stage.questions if q.question.group == group.code)
        if inside:
            found.append((group, inside))
    return found


def renewable(questions: Iterable[QuestionState]) -> dict[str, int]:
    """Answer ids, by question, that one tap *nothing has changed* may confirm.

    Never the medicine list nor anything that a later stage asks again: a last dose is always asked. Nor what the
    patient has said otherwise.
    """
    return {
        q.question.code: q.answer.id
        for q in questions
        if q.answer is not None
        and q.status is Status.TO_CONFIRM
        and q.differing is None
        and q.question.kind != "medicines"
        and not q.question.reask_at
    }


class Word(StrEnum):
    """A checklist in one word, for lists."""

    NOT_STARTED = "not_started"
    UNANSWERED = "unanswered"
    FLAGGED = "flagged"  # expired, or unknown and not yet signed
    TO_SIGN = "to_sign"
    SIGNED = "signed"


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A checklist on a list. ``ready`` is all that a scheduler sees: it says nothing about the patient."""

    word: Word
    unanswered: int = 0
    to_confirm: int = 0
    expired: int = 0
    unknown: int = 0
    unsigned: tuple[str, ...] = ()  # labels of the stages that are waited for
    reported: int = 0  # of those to confirm: what the patient said

    @property
    def ready(self) -> bool:
        return self.word is Word.SIGNED


def summarise(state: ChecklistState, *, on_the_day: bool) -> Summary:
    """The word for a list. Before the day of the needle sign-in and time-out are not waited for."""
    waited = [s for s in state.stages if s.stage.blocks_start and (on_the_day or s.stage.code not in DAY_OF)]
    unsigned = tuple(s.stage.label for s in waited if not s.signed)
    if not state.opened:
        return Summary(word=Word.NOT_STARTED, unsigned=unsigned)
    counts = [s.progress for s in waited]
    unanswered, expired = sum(p.missing for p in counts), sum(p.expired for p in counts)
    unknown = sum(q.is_unknown for s in waited for q in s.questions if not q.reasked)
    to_confirm = sum(p.to_confirm for p in counts)
    if unanswered or to_confirm:
        word = Word.UNANSWERED
    elif expired or (unknown and unsigned):
        word = Word.FLAGGED
    else:
        word = Word.TO_SIGN if unsigned else Word.SIGNED
    return Summary(
        word=word,
        unanswered=unanswered,
        to_confirm=to_confirm,
        expired=expired,
        unknown=unknown,
        unsigned=unsigned,
        reported=sum(q.is_reported for s in waited for q in s.questions if not q.reasked),
    )
