"""Results as pages show them: versions side by side, and calculations made at the moment of reading."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch
from django.utils.translation import gettext as _

from clinic.ready_query import ReadyQuery
from procedures.domain import measurement
from procedures.domain import results as rules
from procedures.domain import versions as versions_rule
from procedures.domain.calculations import FORMULAS, Calculated, Refusal, calculate_all
from procedures.domain.items import Source
from procedures.domain.lab_content import Calculation, Component, Test
from procedures.domain.measurement import Value
from procedures.domain.protocol import Protocol
from procedures.domain.results import Judgement, Known
from procedures.domain.states import ResultStatus
from procedures.models import CriticalReadBack, LabTest, Procedure, ResultVersion


@dataclass(frozen=True)
class Cell:
    """One value of one version. ``changed``: different from the version before it. ``outside``: low, high or "".

    ``flags`` and ``range``: what the laboratory's message said beside it; shown, never graded.
    """

    text: str
    changed: bool = False
    outside: str = ""
    flags: tuple[str, ...] = ()
    range: str = ""


@dataclass(frozen=True)
class Column:
    """One version that stands. ``number`` is its place by arrival; ``late``: a preliminary that came after a final.

    ``message``: the number of the laboratory's message that it came by; None where it has none.
    """

    version: ResultVersion
    is_current: bool
    stated_reported_at: datetime
    late: bool = False
    message: int | None = None

    @property
    def by_message(self) -> bool:
        """Nobody entered it: it came from the laboratory."""
        return self.version.entered_by_id is None

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks of the laboratory's message."""
        return tuple(str(note) for note in self.version.laboratory_said.get("notes") or ())

    @property
    def number(self) -> int:
        return self.version.number


@dataclass(frozen=True)
class Row:
    """One value over the versions, in the order of the columns."""

    label: str
    reference: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class SideBySide:
    """The versions of a test beside each other; withdrawn ones are named, their values are not shown."""

    test: LabTest
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    withdrawn: tuple[ResultVersion, ...]
    #: Of the values that a whole result has: how many the current version gives, and the names of those it lacks.
    given: int = 0
    expected: int = 0
    missing: tuple[str, ...] = ()

    @property
    def is_partial(self) -> bool:
        """Some of the values that this test reports have not come."""
        return bool(self.missing) and self.given > 0

    @property
    def has_notes(self) -> bool:
        return any(column.notes for column in self.columns)

    @property
    def is_corrected(self) -> bool:
        """The version that counts corrects an earlier one that still stands."""
        return len(self.columns) > 1 and self.current is not None and self.current.status == ResultStatus.CORRECTED

    @property
    def changed(self) -> tuple[str, ...]:
        """Names of the values that differ between the last two versions."""
        return tuple(row.label for row in self.rows if row.cells[-1].changed)

    @property
    def has_corrections(self) -> bool:
        return any(column.version.change_reason for column in self.columns)

    @property
    def current(self) -> ResultVersion | None:
        return next((column.version for column in self.columns if column.is_current), None)


@dataclass(frozen=True)
class ComputedRow:
    """One calculation now: a number, or in words why there is none."""

    code: str
    label: str
    value: float | None
    unit: str
    refused: str
    preliminary: bool
    note: str
    source: Source
    formula: str = ""
    inputs: tuple[str, ...] = ()  # each with its value, in words

    @property
    def text(self) -> str:
        return "" if self.value is None else f"{measurement.number_text(self.value)} {self.unit}".strip()


#: Asked at every result that comes in: written once.
VERSIONS = ReadyQuery(
    lambda case: (
        ResultVersion.objects.filter(test__procedure_id=case).select_related("test").order_by("test_id", "number")
    )
)


def known_of(procedure: Procedure, *, without: int | None = None) -> list[Known]:
    """The current version of every test of the case (except the test ``without``), as the rules take it: one query."""
    return known_in(versions_of(procedure), without=without)


def versions_of(procedure: Procedure) -> dict[int, list[ResultVersion]]:
    """All versions of the case with their tests, oldest first, by the test's key: one query."""
    grouped: dict[int, list[ResultVersion]] = {}
    for version in VERSIONS.rows(procedure.pk):
        grouped.setdefault(version.test_id, []).append(version)
    return grouped


def known_in(versions: Mapping[int, list[ResultVersion]], *, without: int | None = None) -> list[Known]:
    """The same as ``known_of``, from what ``versions_of`` has read."""
    found = []
    for pk, stored in versions.items():
        current = versions_rule.current(stored)
        if current is not None and pk != without:
            test = current.test
            found.append(
                Known(test=test.code, values=current.values, status=current.status, collected_at=test.collected_at)
            )
    return found


def side_by_side(test: LabTest, stored: Sequence[ResultVersion] | None = None) -> SideBySide:
    """Every version that stands, oldest first, with what changed from one to the next marked.

    ``stored``: all of them, as ``laboratory`` reads them; three queries without.
    """
    stored = (
        stored
        if stored is not None
        else list(
            test.versions.select_related("entered_by")
            .prefetch_related("inbound_items", Prefetch("read_backs", CriticalReadBack.objects.select_related("by")))
            .order_by("number")
        )
    )
    current = versions_rule.current(stored)
    standing, gone = rules.standing(stored)
    data = test_data(test)
    columns = tuple(
        Column(v, v is current, _stated(v), late=_is_late(v, standing), message=_message(v)) for v in standing
    )
    wanted = [component for component in data.components if component.kind != "text"]
    missing = [component for component in wanted if current is not None and component.code not in current.values]
    # an optional value that a final result leaves out is not awaited any more
    awaited = [c for c in missing if c.required or (current and current.status == ResultStatus.PRELIMINARY)]
    return SideBySide(
        test=test,
        columns=columns,
        rows=_rows(data, standing),
        withdrawn=tuple(gone),
        given=len(wanted) - len(missing),
        expected=len(wanted),
        missing=tuple(component.label for component in awaited),
    )


def computed(procedure: Procedure) -> tuple[ComputedRow, ...]:
    """The calculations that the case's tests take part in, made now from the current versions: two queries."""
    ordered = set(procedure.tests.exclude(status="cancelled").values_list("code", flat=True))
    return computed_from(procedure, ordered, known_of(procedure))


def computed_from(procedure: Procedure, ordered: Collection[str], known: Sequence[Known]) -> tuple[ComputedRow, ...]:
    """The same from the codes of the tests that were not cancelled, and what is known of them. No query."""
    protocol: Protocol = procedure.protocol_version.parsed
    stored = {f"{row.test}.{code}": value for row in known for code, value in row.values.items()}
    found = calculate_all(protocol, rules.gather(known))
    return tuple(
        _computed(protocol, calculation, found[calculation.code], stored)
        for calculation in protocol.calculations
        if any(name.partition(".")[0] in ordered for name in calculation.inputs)
    )


def judged_now(test: LabTest) -> Judgement | None:
    """What the pinned rules say of the current version with the partner values of this moment; None without one."""
    return judged_from(test, known_of(test.procedure))


def judged_from(test: LabTest, rows: Sequence[Known]) -> Judgement | None:
    """The same from what is known of the case's tests. No query."""
    own = next((row for row in rows if row.test == test.code), None)
    if own is None:
        return None
    return rules.judge(test.procedure.protocol_version.parsed, own, [row for row in rows if row is not own])


def test_data(test: LabTest) -> Test:
    """The test as the case's pinned protocol describes it."""
    found: Test = test.procedure.protocol_version.parsed.test(test.code)
    return found


def reference(component: Component) -> str:
    """The reference range in words, in the canonical unit; "" when the protocol has none."""
    unit = component.units[0] if component.units else ""
    if component.low is not None and component.high is not None:
        return f"{component.low:g}–{component.high:g} {unit}".strip()
    if component.high is not None:
        return _("up to %(number)s") % {"number": f"{component.high:g} {unit}".strip()}
    if component.low is not None:
        return _("from %(number)s") % {"number": f"{component.low:g} {unit}".strip()}
    return ""


def value_text(stored: Mapping[str, Any] | None) -> str:
    """A stored value with its unit."""
    if not stored:
        return ""
    shown = stored.get("text")
    if shown is None or shown == "":
        shown = stored.get("value")
    return f"{'' if shown is None else shown} {stored.get('unit') or ''}".strip()


def _is_late(version: ResultVersion, standing: list[ResultVersion]) -> bool:
    """A preliminary that arrived after a final: shown, not asked."""
    final = (v.number for v in standing if v.status != ResultStatus.PRELIMINARY)
    return version.status == ResultStatus.PRELIMINARY and min(final, default=version.number) < version.number


def _message(version: ResultVersion) -> int | None:
    """The first message that said it; later ones may have repeated it."""
    messages = [item.message_id for item in version.inbound_items.all()]
    return min(messages, default=None)


def _rows(data: Test, standing: list[ResultVersion]) -> tuple[Row, ...]:
    rows = [
        Row(component.label, reference(component), _cells(component, standing))
        for component in data.components
        if any(component.code in version.values for version in standing)
    ]
    if any(version.text for version in standing):
        texts = [version.text for version in standing]
        cells = (Cell(text, place > 0 and text != texts[place - 1]) for place, text in enumerate(texts))
        rows.append(Row(_("Report"), "", tuple(cells)))
    return tuple(rows)


def _cells(component: Component, standing: list[ResultVersion]) -> tuple[Cell, ...]:
    texts = [value_text(version.values.get(component.code)) for version in standing]
    return tuple(
        Cell(
            text,
            place > 0 and text != texts[place - 1],
            _outside(component, standing[place]),
            flags=tuple(str(flag) for flag in _said(standing[place], "flags").get(component.code) or ()),
            range=str(_said(standing[place], "ranges").get(component.code) or ""),
        )
        for place, text in enumerate(texts)
    )


def _said(version: ResultVersion, what: str) -> Mapping[str, Any]:
    """Flags or ranges of the laboratory's message, by component."""
    found = version.laboratory_said.get(what)
    return found if isinstance(found, Mapping) else {}


def _outside(component: Component, version: ResultVersion) -> str:
    """Below or above the reference range; "" inside it, or when that cannot be told."""
    stored = version.values.get(component.code)
    known = measurement.bounds(component, Value.from_stored(stored)) if stored else None
    if known is None:
        return ""
    if component.low is not None and known.high < component.low:
        return "low"
    return "high" if component.high is not None and known.low > component.high else ""


def _stated(version: ResultVersion) -> datetime:
    """When the laboratory reported it, as it was stated."""
    stated = version.read_back.get("stated_reported_at")
    return datetime.fromisoformat(stated) if stated else version.reported_at


def _computed(
    protocol: Protocol, calculation: Calculation, found: Calculated, stored: Mapping[str, Mapping[str, Any]]
) -> ComputedRow:
    return ComputedRow(
        code=calculation.code,
        label=calculation.label,
        value=found.value,
        unit=found.unit,
        refused=_refused(protocol, found),
        preliminary=found.preliminary,
        note=calculation.note,
        source=calculation.source,
        formula=_formula(calculation),
        inputs=tuple(
            f"{name}: {value_text(stored[one])}"
            for one, name in zip(calculation.inputs, _names(protocol, calculation.inputs), strict=True)
            if one in stored
        ),
    )


def _formula(calculation: Calculation) -> str:
    """The formula in words, with the protocol's own numbers in it."""
    text = FORMULAS[calculation.function].meaning
    for name, value in sorted(calculation.parameters.items(), key=lambda item: -len(item[0])):
        # as a word of its own: "red cells" are an input, "red_cells" is the number
        text = re.sub(rf"\b{name}\b", measurement.number_text(value), text)
    return text


def _refused(protocol: Protocol, found: Calculated) -> str:
    if found.refused is None:
        return ""
    words = {
        Refusal.MISSING: _("not there yet: %(inputs)s"),
        Refusal.UNIT_UNKNOWN: _("unit not known: %(inputs)s"),
        Refusal.NOT_EXACT: _("only a bound is known: %(inputs)s"),
        Refusal.PRELIMINARY: _("still preliminary: %(inputs)s"),
        Refusal.TIME_UNKNOWN: _("time of collection not recorded: %(inputs)s"),
        Refusal.TOO_FAR_APART: _("collected too far apart: %(inputs)s"),
        Refusal.DIVISION_BY_ZERO: _("cannot be divided by zero: %(inputs)s"),
    }
    return words[found.refused] % {"inputs": ", ".join(_names(protocol, found.inputs))}


def _names(protocol: Protocol, inputs: Iterable[str]) -> list[str]:
    """Each input in words: "Red cells (Cell count and differential)", or the test alone where it has one value."""
    labels = {
        f"{test.code}.{component.code}": f"{component.label} ({test.label})" if len(test.components) > 1 else test.label
        for test in protocol.tests
        for component in test.components
    }
    return [labels.get(name, name) for name in inputs]
