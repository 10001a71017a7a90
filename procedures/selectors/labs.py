"""The tests and tubes of a case as pages show them: a fixed number of queries, however many there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from procedures.domain import versions as versions_rule
from procedures.domain.lab_content import Container, LaterTests, Panel
from procedures.domain.protocol import Protocol
from procedures.domain.states import TEST_WAITING, TestStatus
from procedures.models import LabTest, Procedure, ResultVersion, Specimen
from procedures.services.labs import TO_COLLECT

T = TestStatus


@dataclass(frozen=True, kw_only=True)
class TestRow:
    """One test with everything a list shows of it at one moment.

    ``state``: ordered, waiting, due, overdue, extended, preliminary, final, corrected, rejected, lost, cancelled.
    Waiting until the usual hour, due from then, overdue after the outer one; ``extended`` is waiting for a test that
    is meant to take longer. ``preliminary`` has a preliminary result and awaits its final in time.
    """

    test: LabTest
    specimen: Specimen | None
    versions: tuple[ResultVersion, ...]
    current: ResultVersion | None
    state: str
    due_at: datetime | None
    outer_at: datetime | None

    @property
    def is_awaited(self) -> bool:
        return T(self.test.status) in TEST_WAITING

    @property
    def next_at(self) -> datetime | None:
        """The moment the label speaks of: the usual hour, afterwards the outer one."""
        return self.due_at if self.state in {"waiting", "extended"} else self.outer_at

    @property
    def needs_decision(self) -> bool:
        return T(self.test.status) in {T.REJECTED, T.LOST}

    @property
    def may_cancel(self) -> bool:
        return T(self.test.status) not in {T.FINAL, T.CORRECTED, T.CANCELLED}

    @property
    def look(self) -> dict[str, str]:
        """The status chip: a kind that has a look, and the word."""
        kind, word = _looks()[self.state]
        return {"kind": kind, "label": word}


def _looks() -> dict[str, tuple[str, str]]:
    return {
        "ordered": ("waiting", _("Ordered")),
        "waiting": ("waiting", _("Waiting")),
        "due": ("due", _("Due")),
        "overdue": ("overdue", _("Overdue")),
        "extended": ("extended", _("Takes longer")),
        "preliminary": ("preliminary", _("Preliminary")),
        "final": ("final", _("Final")),
        "corrected": ("corrected", _("Corrected")),
        "rejected": ("overdue", _("Rejected: decide")),
        "lost": ("overdue", _("Lost: decide")),
        "cancelled": ("cancelled", _("Cancelled")),
    }


@dataclass(frozen=True, kw_only=True)
class SpecimenRow:
    """One tube. ``implied``: a result came, so the laboratory must have had it."""

    specimen: Specimen
    container: Container | None
    tests: tuple[LabTest, ...]
    implied: bool
    late: bool

    @property
    def label(self) -> str:
        return self.container.label if self.container else self.specimen.container

    @property
    def state(self) -> str:
        """collected, handed_over, received, rejected or lost."""
        if self.specimen.loss:
            return str(self.specimen.loss)
        if self.specimen.received_at is not None or self.implied:
            return "received"
        return "handed_over" if self.specimen.handed_over_at is not None else "collected"

    @property
    def look(self) -> dict[str, str]:
        words = {
            "collected": ("waiting", _("Collected")),
            "handed_over": ("waiting", _("On its way")),
            "received": ("done", _("Received")),
            "rejected": ("overdue", _("Rejected")),
            "lost": ("overdue", _("Lost")),
        }
        kind, word = words[self.state]
        return {"kind": "overdue" if self.late else kind, "label": _("Not received") if self.late else word}


@dataclass(frozen=True, kw_only=True)
class Reconciliation:
    """Tubes counted at collection against tubes the laboratory has (clinical-facts §6.6-28)."""

    collected: int
    received: int
    lost: int
    unlabelled: int

    @property
    def open(self) -> int:
        return self.collected - self.received - self.lost


def tests_of(procedure: Procedure, now: datetime) -> tuple[TestRow, ...]:
    """Every test of the case in the protocol's order, cancelled ones last: two queries."""
    tests = list(LabTest.objects.filter(procedure=procedure).select_related("specimen").order_by("pk"))
    grouped: dict[int, list[ResultVersion]] = {}
    rows = ResultVersion.objects.filter(test__procedure=procedure).select_related("entered_by")
    for version in rows.order_by("test_id", "number"):
        grouped.setdefault(version.test_id, []).append(version)
    return rows_of(procedure, tests, grouped, now)


def rows_of(
    procedure: Procedure, tests: Iterable[LabTest], grouped: Mapping[int, Sequence[ResultVersion]], now: datetime
) -> tuple[TestRow, ...]:
    """The same from the tests and their versions. No query."""
    tests = list(tests)
    order = {test.code: place for place, test in enumerate(_protocol(procedure).tests)}
    tests.sort(key=lambda t: (t.status == T.CANCELLED, order.get(t.code, len(order)), t.pk))
    for test in tests:
        test.procedure = procedure
    return tuple(_row(test, tuple(grouped.get(test.pk, ())), now) for test in tests)


def specimens_of(procedure: Procedure, rows: Iterable[TestRow], now: datetime) -> tuple[SpecimenRow, ...]:
    """The case's tubes in their order, with the tests of ``rows`` that run on them: one query."""
    rows = tuple(rows)
    containers = {c.code: c for c in _protocol(procedure).containers}
    found = []
    for specimen in Specimen.objects.filter(procedure=procedure).select_related("collected_by"):
        specimen.procedure = procedure
        mine = [row for row in rows if row.test.specimen_id == specimen.pk]
        implied = any(row.current is not None for row in mine)  # a withdrawn one may be somebody else's
        awaited = any(row.is_awaited for row in mine)
        open_ = specimen.received_at is None and not implied and not specimen.loss
        found.append(
            SpecimenRow(
                specimen=specimen,
                container=containers.get(specimen.container),
                tests=tuple(row.test for row in mine),
                implied=implied,
                late=open_ and awaited and specimen.receipt_due_at < now,
            )
        )
    return tuple(found)


def reconciliation(rows: Iterable[SpecimenRow]) -> Reconciliation:
    """How many tubes were collected, and what became of them."""
    rows = tuple(rows)
    states = [row.state for row in rows]
    return Reconciliation(
        collected=len(states),
        received=states.count("received"),
        lost=states.count("lost") + states.count("rejected"),
        unlabelled=sum(not row.specimen.label_checked for row in rows),
    )


def to_collect(rows: Iterable[TestRow]) -> list[TestRow]:
    """Tests that may go into a tube now: not collected, rejected or lost, or resulted before a tube was recorded."""
    return [
        row
        for row in rows
        if T(row.test.status) in TO_COLLECT
        or (row.test.specimen_id is None and T(row.test.status) not in {T.CANCELLED, T.COLLECTED})
    ]


def later_panels(procedure: Procedure, rows: Iterable[TestRow]) -> list[tuple[LaterTests, Panel]]:
    """What the protocol takes again on a later day and nobody has ordered; none before the needle."""
    protocol = _protocol(procedure)
    ordered = {row.test.code for row in rows if T(row.test.status) != T.CANCELLED}
    found = [(item, protocol.panel(item.panel)) for item in protocol.later_tests if procedure.started_at]
    return [(item, panel) for item, panel in found if not ordered.issuperset(panel.tests)]


def not_yet(procedure: Procedure, now: datetime) -> frozenset[str]:
    """Codes of tests whose window opens later: they are not proposed for today's tubes."""
    protocol, start = _protocol(procedure), procedure.started_at
    return frozenset(
        code
        for item in protocol.later_tests
        if start is None or now < start + timedelta(hours=item.after_hours)
        for code in protocol.panel(item.panel).tests
    )


def suggested_tubes(procedure: Procedure, rows: Iterable[TestRow], now: datetime) -> list[Container]:
    """One container for each kind that the tests to collect need now, in the usual order of the tubes."""
    later = not_yet(procedure, now)
    needed = {row.test.container for row in to_collect(rows) if row.test.code not in later}
    found = [container for container in _protocol(procedure).containers if container.code in needed]
    return sorted(found, key=lambda c: (c.tube_number is None, c.tube_number or 0))


def state_of(test: LabTest, current: ResultVersion | None, now: datetime) -> str:
    """The label of a test at a moment, from its clock and its state."""
    status = T(test.status)
    if status not in TEST_WAITING:
        return str(status)
    due_at, outer_at = test.due_at, test.outer_at
    if outer_at is not None and now > outer_at:
        return "overdue"
    if current is not None:
        return "preliminary"
    if due_at is not None and now > due_at:
        return "due"
    return "extended" if test.extended else "waiting"


def _row(test: LabTest, stored: tuple[ResultVersion, ...], now: datetime) -> TestRow:
    current = versions_rule.current(stored)
    return TestRow(
        test=test,
        specimen=test.specimen,
        versions=stored,
        current=current,
        state=state_of(test, current, now),
        due_at=test.due_at,
        outer_at=test.outer_at,
    )


def _protocol(procedure: Procedure) -> Protocol:
    found: Any = procedure.protocol_version.parsed
    assert isinstance(found, Protocol)
    return found
