"""The patient's part of a protocol file: danger signs, texts, questions, and words about results. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from procedures.domain.items import Source

#: Minutes until somebody has answered a sign of this tier, or has read what a patient wrote, under a version that says
#: nothing about it; a working default.
SIGN_MINUTES = {"A": 15, "B": 60, "C": 1440, "words": 240}

#: The same for a patient who was asked by a link and is silent: after how many minutes the call begins where the risk
#: is high (elsewhere it waits for the morning), and within how many it is made.
SILENCE_MINUTES = {"high_risk": 480, "call_high_risk": 60, "call": 240}


@dataclass(frozen=True, kw_only=True)
class SymptomQuestion:
    """A danger sign. ``tier`` of each choice: A (911), B (call back within 60 minutes), C (same day), D (expected)."""

    code: str
    text: str
    kind: str  # yes_no, choice, number
    answers: tuple[SymptomChoice, ...]
    asked_if: str = ""
    help: str = ""
    source: Source


@dataclass(frozen=True, kw_only=True)
class SymptomChoice:
    """``after_hours``: this tier holds only from so long after the procedure on; before it ``tier_before`` holds."""

    code: str
    label: str
    tier: str  # A, B, C, D or "" for no sign
    after_hours: int | None = None
    tier_before: str = ""
    advice: str = ""
    action: str = ""  # "rebook": the answer also asks for a new appointment


@dataclass(frozen=True, kw_only=True)
class SymptomCombination:
    """Answers that mean more together than each alone: while every one of ``all_of`` (``"question=answer|answer"``)
    holds, from ``after_hours`` after the procedure on, the tier is at least this."""

    code: str
    label: str  # for the staff
    tier: str
    all_of: tuple[str, ...]
    after_hours: int | None = None
    source: Source


@dataclass(frozen=True, kw_only=True)
class SymptomCheck:
    """A time at which the danger signs are asked, hours after the needle. ``only_if``: any of ``first``, ``serial``,
    ``large_volume``, ``complicated``, ``held``, ``traumatic``, ``headache`` (ever answered), ``headache_now`` (not
    gone when last asked) makes it due; empty: always."""

    code: str
    label: str
    after_hours: int
    within_hours: int  # answered by then, else it is overdue
    questions: tuple[str, ...]
    only_if: tuple[str, ...] = ()
    source: Source


@dataclass(frozen=True, kw_only=True)
class PatientText:
    """One text for the patient, in plain words: prepare, what_happens, afterwards, when_to_call, emergency;
    paused and results where the sheet for afterwards has no times or days of its own."""

    code: str
    title: str
    paragraphs: tuple[str, ...]
    source: Source


@dataclass(frozen=True, kw_only=True)
class TestWords:
    """Sentences for one test that replace the general ones."""

    code: str
    normal: str = ""
    abnormal: str = ""
    critical: str = ""


@dataclass(frozen=True, kw_only=True)
class ResultWords:
    """What a patient is told about a result read as normal, abnormal or critical: the end of a sentence that begins
    with what the patient calls the test. ``so_far``: added while the result may still change.
    """

    normal: str
    abnormal: str
    critical: str
    so_far: str
    tests: tuple[TestWords, ...]
    source: Source


@dataclass(frozen=True, kw_only=True)
class PatientAnswer:
    """One answer a patient may pick; ``code`` is an answer of the checklist question."""

    code: str
    label: str


@dataclass(frozen=True, kw_only=True)
class PatientQuestion:
    """What a patient is asked before the visit, in plain words; it arrives at the checklist question of this code.

    ``answers``: those of the checklist question that a patient is offered (all of a yes_no when empty; those of
    a medicines or allergies question are ``none``, ``some`` and ``unknown``). ``asked_if`` as in a :class:`Question`,
    over the patient's own answers.
    """

    code: str
    text: str
    help: str = ""
    detail: str = ""  # the label of a field for more words below the answers; empty: there is none
    answers: tuple[PatientAnswer, ...] = ()
    asked_if: str = ""
    source: Source
