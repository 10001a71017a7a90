"""What is followed from one procedure of a patient to the next, as numbers and as small drawings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from procedures.domain import results as rules
from procedures.domain import trends as trend_rules
from procedures.domain import versions as versions_rule
from procedures.domain.calculations import calculate_all
from procedures.domain.lab_content import Trend
from procedures.domain.measurement import number_text
from procedures.domain.protocol import Protocol
from procedures.domain.results import Known
from procedures.domain.states import ProcedureStatus
from procedures.domain.trends import Drawing, Point, Tap
from procedures.models import Procedure, ProcedureRecord, ResultVersion

#: So many procedures back: what is older is another time of the illness.
MOST = 12


@dataclass(frozen=True)
class TrendShown:
    """One number over the taps. ``drawing`` None for a single point."""

    trend: Trend
    points: tuple[Point, ...]
    drawing: Drawing | None

    @property
    def first(self) -> Point:
        return self.points[0]

    @property
    def last(self) -> Point:
        return self.points[-1]

    @property
    def line_text(self) -> str:
        return "" if self.trend.line is None else number_text(self.trend.line)


def of_patient(procedure: Procedure) -> tuple[TrendShown, ...]:
    """The trends of the case's protocol over the patient's procedures of its kind: four queries, however many.

    Only what has two points or more: one number is no trend. What is computed is computed by the case's own rules.
    """
    protocol: Protocol = procedure.protocol_version.parsed
    if not protocol.trends:
        return ()
    cases = list(_cases(procedure))
    if len(cases) < 2:
        return ()
    taps = _taps(protocol, cases)
    shown = []
    for trend in protocol.trends:
        points = trend_rules.points(protocol, trend, taps)
        if len(points) > 1:
            shown.append(TrendShown(trend, points, trend_rules.draw(trend, points)))
    return tuple(shown)


def _cases(procedure: Procedure) -> Iterable[Procedure]:
    """Newest first; the case itself is always among them."""
    rows = Procedure.objects.filter(
        patient_id=procedure.patient_id,
        protocol_version__protocol_id=procedure.protocol_version.protocol_id,
        started_at__isnull=False,
    ).exclude(status=ProcedureStatus.ENTERED_IN_ERROR)
    return rows.only("pk", "code", "started_at").order_by("-started_at", "-pk")[:MOST]


def _taps(protocol: Protocol, cases: list[Procedure]) -> list[Tap]:
    known: dict[int, list[Known]] = {case.pk: [] for case in cases}
    grouped: dict[int, list[ResultVersion]] = {}
    rows = ResultVersion.objects.filter(test__procedure__in=known).select_related("test")
    for version in rows.order_by("test_id", "number"):
        grouped.setdefault(version.test_id, []).append(version)
    codes = {test.code for test in protocol.tests}
    for stored in grouped.values():
        current = versions_rule.current(stored)
        if current is not None and current.test.code in codes:
            test = current.test
            known[test.procedure_id].append(
                Known(test=test.code, values=current.values, status=current.status, collected_at=test.collected_at)
            )
    numbers = _record_numbers(known)
    return [_tap(protocol, case, known[case.pk], numbers.get(case.pk, {})) for case in cases]


def _tap(protocol: Protocol, case: Procedure, known: list[Known], record: dict[str, float]) -> Tap:
    values = {
        name: value
        for name, value in rules.gather(known).items()
        if any(c.code == name.partition(".")[2] for c in protocol.test(name.partition(".")[0]).components)
    }
    at: datetime | None = case.started_at
    assert at is not None
    return Tap(code=case.code, at=at, values=values, calculated=calculate_all(protocol, values), record=record)


def _record_numbers(cases: Iterable[int]) -> dict[int, dict[str, float]]:
    """Numbers of each case's newest signed record."""
    found: dict[int, dict[str, float]] = {}
    signed = ProcedureRecord.objects.filter(procedure__in=list(cases), signed_at__isnull=False)
    for row in signed.only("procedure_id", "fields").order_by("pk"):
        found[row.procedure_id] = {
            name: float(value)
            for name, value in row.fields.items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        }
    return found
