"""The laboratory's part of a protocol file: tests, their values and rules, tubes, panels, calculations. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from procedures.domain.items import Choice, Source

#: Before the code of a result that no test of the protocol is.
OTHER = "other:"


@dataclass(frozen=True, kw_only=True)
class Component:
    """One measured value of a test (white cells, neutrophil share…). ``kind``: number, text, choice; ``said`` is what a
    laboratory says of a test that the protocol does not have: kept, and never judged.
    """

    code: str
    label: str
    kind: str
    loinc: str = ""
    verify: bool = False
    units: tuple[str, ...] = ()  # first is canonical
    factors: tuple[float, ...] = ()  # multiply a value in units[i] by factors[i] to get units[0]
    choices: tuple[Choice, ...] = ()
    required: bool = False
    low: float | None = None  # reference range, canonical unit
    high: float | None = None
    also_loinc: tuple[str, ...] = ()  # other codes under which laboratories report the same value


@dataclass(frozen=True, kw_only=True)
class CriticalRule:
    """When a result must be told at once.

    ``kind`` is of a closed list: ``at_least`` / ``above`` / ``below`` (number ``value``, canonical unit), ``one_of``
    (choice in ``values``), ``missing`` / ``present`` (no usable value / one). ``component`` names a component of the
    same test or a calculation. ``level``: ``critical`` or ``abnormal`` (same day). ``all_of``: what must hold as well.
    """

    code: str
    level: str
    kind: str
    component: str
    value: float | None = None
    values: tuple[str, ...] = ()
    message: str = ""
    source: Source
    all_of: tuple[Condition, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Condition:
    kind: str
    component: str
    value: float | None = None
    values: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Test:
    """A laboratory test and its clock. Hours run from collection."""

    code: str
    label: str
    loinc: str = ""
    verify: bool = False  # the LOINC code is unknown or unverified: say so
    fluid: str  # "csf", "ascites", "serum", "pleural"
    container: str  # a Container code
    usual_hours: int
    outer_hours: int
    extended: bool = False  # longer than the patient's ordinary promise: named with its own date
    preliminary: bool = False
    preliminary_hours: tuple[int, ...] = ()
    needs: tuple[str, ...] = ()  # codes of tests this one is only useful with (serum pair)
    components: tuple[Component, ...] = ()
    critical: tuple[CriticalRule, ...] = ()
    reference: str = ""
    note: str = ""
    also_loinc: tuple[str, ...] = ()  # other codes under which laboratories report the same test
    informational: bool = False  # has no rule of its own on purpose: it counts beside other values
    patient_label: str = ""  # what a patient calls it; versions from before there was one show ``label``
    source: Source


def other_test(code: str) -> Test:
    """A result that belongs to the case and to no test of its protocol: its words, read by a person."""
    said = Component(code="said", label="As the laboratory says it", kind="said", required=True)
    nowhere = Source(source="Not of this protocol")
    return Test(
        code=code, label=code.removeprefix(OTHER), fluid="", container="", usual_hours=0, outer_hours=0,
        components=(said,), source=nowhere,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Container:
    """A tube or bottle. ``tube_number`` is the usual place in the collection order; laboratories differ."""

    code: str
    label: str
    fluid: str
    minimum_ml: float | None = None
    tube_number: int | None = None
    receipt_minutes: int = 120  # alarm when not received by then
    handling: str = ""
    source: Source


@dataclass(frozen=True, kw_only=True)
class Panel:
    code: str
    label: str
    tests: tuple[str, ...]
    note: str = ""
    source: Source


@dataclass(frozen=True, kw_only=True)
class LaterTests:
    """Tests that are taken again some days after the needle: in the window from ``after_hours`` to ``within_hours``.

    They belong to the case when any of ``only_if`` (as for a :class:`SymptomCheck`) or of ``if_answer``
    (``"question=answer|answer"`` of the checklist) holds; when both are empty: always.
    """

    code: str
    label: str
    panel: str
    after_hours: int
    within_hours: int  # taken by then, else it is overdue
    only_if: tuple[str, ...] = ()
    if_answer: tuple[str, ...] = ()
    note: str = ""
    source: Source


@dataclass(frozen=True, kw_only=True)
class Calculation:
    """A calculation of the closed list in ``calculations.py``; ``parameters``: the clinical numbers of its formula."""

    code: str
    label: str
    function: str
    inputs: tuple[str, ...]  # "test.component"
    unit: str = ""
    max_hours_apart: int | None = None
    note: str = ""
    parameters: dict[str, float] = field(default_factory=dict)
    preliminary_ok: bool = False
    source: Source


@dataclass(frozen=True, kw_only=True)
class Trend:
    """One number followed from one procedure of a patient to the next.

    ``of``: a calculation, ``"test.component"`` or ``"record.field"``; the first that a case has is taken.
    ``divide_by`` and ``unit`` change how it is shown (mL as litres). ``line``: where it becomes critical, as shown.
    """

    code: str
    label: str
    of: tuple[str, ...]
    unit: str = ""
    divide_by: float = 1
    line: float | None = None
    line_label: str = ""
    source: Source
