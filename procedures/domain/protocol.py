"""One kind of procedure as data: the shape of a protocol file.

Pure. ``load.py`` turns TOML into these; everything else reads them. Every clinical number carries a ``Source``; an
empty ``approved_by`` is shown wherever the number is shown. Times are minutes or hours as the field's name says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from procedures.domain.items import Choice, Code, Source
from procedures.domain.lab_content import OTHER, Calculation, Container, LaterTests, Panel, Test, Trend, other_test
from procedures.domain.patient_content import (
    SIGN_MINUTES,
    SILENCE_MINUTES,
    PatientQuestion,
    PatientText,
    ResultWords,
    SymptomCheck,
    SymptomCombination,
    SymptomQuestion,
)

#: Hours to accept a transfer under a protocol version that says nothing about it; a working default.
TRANSFER_HOURS = 24


@dataclass(frozen=True, kw_only=True)
class Variant:
    """How much time this form of the procedure takes: three intervals from the slot's start.

    ``operator_minutes`` the operator is bound, ``room_minutes`` the room (with cleaning),
    ``stay_minutes`` the patient (with recovery). ``operator <= room`` and ``operator <= stay``.
    """

    code: str
    label: str
    operator_minutes: int
    room_minutes: int
    stay_minutes: int
    expected_volume_ml: int | None = None
    fluoroscopy: bool = False  # X-rays are part of it
    source: Source


@dataclass(frozen=True, kw_only=True)
class Indication:
    """Why it is done, and what is ordered and booked by default."""

    code: str
    label: str
    panel: str
    variant: str
    snomed: str = ""
    source: Source | None = None


@dataclass(frozen=True, kw_only=True)
class Question:
    """A checklist question. It always needs an explicit answer.

    ``kind``: yes_no (yes/no/unknown), choice, number, text, date, datetime, medicines, allergies, confirm.
    ``valid_hours``: the answer expires so long after it was given (None: does not). ``minimum``: one of the six items
    of an emergency start. ``asked_if``: only if another question is answered so, ``"question=yes|unknown"``.
    """

    code: str
    group: str
    stage: str
    kind: str
    text: str
    help: str = ""
    choices: tuple[Choice, ...] = ()
    unit: str = ""
    valid_hours: int | None = None
    required: bool = True
    minimum: bool = False
    asked_if: str = ""
    private: bool = False  # ask alone; shown to those who need to know
    reask_at: tuple[str, ...] = ()
    choices_from: str = ""  # take the choices from the protocol's locations, sites, positions or guidance
    source: Source


@dataclass(frozen=True, kw_only=True)
class QuestionGroup:
    code: str
    label: str
    help: str = ""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """pre_visit, consent, sign_in, time_out, sign_out: who may sign it, and whether start waits for it."""

    code: str
    label: str
    roles: tuple[str, ...]
    blocks_start: bool
    help: str = ""


@dataclass(frozen=True, kw_only=True)
class RecordField:
    """A field of the procedure record beyond the common columns. ``section`` groups fields on the page.

    ``kind``: number, integer, text, longtext, choice, multichoice, yes_no, datetime. ``warn_above`` only cautions.
    """

    code: str
    label: str
    section: str
    kind: str
    unit: str = ""
    choices: tuple[Choice, ...] = ()
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    warn_above: float | None = None
    warn_message: str = ""
    asked_if: str = ""  # "field=code|code"
    help: str = ""
    choices_from: str = ""  # take the choices from the protocol's locations, sites, positions or guidance
    source: Source | None = None  # required beside ``warn_above``


@dataclass(frozen=True, kw_only=True)
class RecordRule:
    """If ``field`` is ``above`` a number, one of ``requires`` is needed; ``per_litre_low/high``: the dose shown."""

    code: str
    field: str
    above: float
    requires: tuple[str, ...]
    message: str
    per_litre_low: float | None = None
    per_litre_high: float | None = None
    per_litre_preset: float | None = None
    source: Source


@dataclass(frozen=True, kw_only=True)
class Complication:
    code: str
    label: str
    named_in_consent: bool = False
    when: str = ""
    snomed: str = ""
    source: Source


@dataclass(frozen=True, kw_only=True)
class TransferHours:
    """Within so many hours somebody accepts what is pending, by the reason for which it is handed on."""

    ward: int
    admitted: int
    emergency_department: int
    discharge: int
    responsible: int
    source: Source


@dataclass(frozen=True, kw_only=True)
class SeriesTiming:
    """The same procedure again and again for one patient: from when on a distance is called a drift, and when the
    next one must be booked. ``shown_fields``: what of each signed record the series page shows.
    """

    tolerance_days: int  # a distance that differs by more from the interval is warned of
    book_days_before: int  # the next one is booked so many days before it is needed
    wanted_ahead: int  # so many should be booked at any time
    shown_fields: tuple[str, ...] = ()
    source: Source


@dataclass(frozen=True, kw_only=True, repr=False)
class Protocol:
    """A whole protocol file."""

    code: str
    label: str
    short: str
    codes: tuple[Code, ...]
    min_age: int
    bleeding_class: str
    needle_noun: str  # what starts it, in words: "needle in"
    locations: tuple[Choice, ...]
    sites: tuple[Choice, ...]
    positions: tuple[Choice, ...]
    guidance: tuple[Choice, ...]
    variants: tuple[Variant, ...]
    indications: tuple[Indication, ...]
    containers: tuple[Container, ...]
    tests: tuple[Test, ...]
    panels: tuple[Panel, ...]
    calculations: tuple[Calculation, ...]
    groups: tuple[QuestionGroup, ...]
    stages: tuple[Stage, ...]
    questions: tuple[Question, ...]
    record_fields: tuple[RecordField, ...]
    record_rules: tuple[RecordRule, ...]
    complications: tuple[Complication, ...]
    symptom_questions: tuple[SymptomQuestion, ...]
    symptom_checks: tuple[SymptomCheck, ...]
    texts: tuple[PatientText, ...]
    record_due_hours: int  # sign the record so long after completion
    book_within_hours: dict[str, int]  # by urgency: elective, urgent, emergency
    tell_hours: dict[str, int]  # by result level: normal, abnormal, critical
    review_hours: dict[str, int]  # by result level (``unknown`` too)
    promise_hours: int  # what the patient is told for the ordinary tests
    source: Source
    timing_source: Source | None = None  # of the hours above; the loader requires it
    no_show_hours: int = 24  # rebook or end a no-show within
    countersign_hours: int = 24  # after an emergency start: the rest of the checklist
    recollect_hours: int = 24  # decide on a rejected or lost specimen within
    checklist_hours: int = 48  # the checklist is signed so long before the slot
    call_back_hours: int = 24  # after a patient has read a message and asks for a call
    match_hours: int = 24  # a laboratory's time of collection is at most so far from ours, when no number says the case
    letter_hours: int = 24  # after the last try to reach a patient: the letter
    later_tests: tuple[LaterTests, ...] = ()
    transfer_hours: TransferHours | None = None  # None: a version published before there was such a table
    series: SeriesTiming | None = None  # missing in versions from before there were series
    result_words: ResultWords | None = None  # missing in versions from before results were told in prepared words
    patient_label: str = ""  # what a patient calls the procedure
    patient_questions: tuple[PatientQuestion, ...] = ()
    translations: dict[str, Any] = field(default_factory=dict)  # language → what a patient reads; translations.py
    symptom_combinations: tuple[SymptomCombination, ...] = ()
    fever_above_f: float | None = None  # the one number; every text that speaks of it says the same
    sign_minutes: dict[str, int] = field(default_factory=lambda: dict(SIGN_MINUTES))
    silence_minutes: dict[str, int] = field(default_factory=lambda: dict(SILENCE_MINUTES))
    high_risk: tuple[str, ...] = ()  # of ``only_if``'s words: an unanswered check is called about the same evening
    trends: tuple[Trend, ...] = ()  # none in versions from before they were drawn
    extra: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Protocol({self.code!r})"  # a whole protocol in a traceback helps nobody

    def test(self, code: str) -> Test:
        return other_test(code) if code.startswith(OTHER) else _find(self.tests, code)

    @cached_property
    def by_loinc(self) -> dict[str, tuple[tuple[str, str], ...]]:
        """Every LOINC with the tests and values it stands for; a whole test's code stands for its only value."""
        found: dict[str, list[tuple[str, str]]] = {}
        for test in self.tests:
            values = [(code, c.code) for c in test.components for code in (c.loinc, *c.also_loinc)]
            known = {code for code, _component in values}
            whole = test.components[0].code if len(test.components) == 1 else ""
            values += [(code, whole) for code in (test.loinc, *test.also_loinc) if code not in known]
            for code, component in values:
                if code and (test.code, component) not in found.setdefault(code, []):
                    found[code].append((test.code, component))
        return {code: tuple(targets) for code, targets in found.items()}

    def variant(self, code: str) -> Variant:
        return _find(self.variants, code)

    def indication(self, code: str) -> Indication:
        return _find(self.indications, code)

    def panel(self, code: str) -> Panel:
        return _find(self.panels, code)

    def container(self, code: str) -> Container:
        return _find(self.containers, code)

    def question(self, code: str) -> Question:
        return _find(self.questions, code)

    def stage(self, code: str) -> Stage:
        return _find(self.stages, code)

    def text(self, code: str) -> PatientText:
        return _find(self.texts, code)

    def later(self, code: str) -> LaterTests:
        return _find(self.later_tests, code)

    def in_language(self, code: str) -> Protocol:
        """Itself with everything that a patient reads in that language; unchanged where it has no translation."""
        from procedures.domain import translations

        return translations.localized(self, code)

    def accept_within(self, why: str) -> int:
        """Hours in which somebody accepts what is pending; ``why`` is a field of :class:`TransferHours`."""
        hours: int = getattr(self.transfer_hours, why, TRANSFER_HOURS)
        return hours


_Item = TypeVar("_Item", Test, Variant, Indication, Panel, Container, Question, Stage, PatientText, LaterTests)


def _find(items: tuple[_Item, ...], code: str) -> _Item:
    for item in items:
        if item.code == code:
            return item
    raise KeyError(code)
