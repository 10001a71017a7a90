"""Results that arrive by themselves. Never refused for an earlier step that nobody recorded; graded at once.

Whoever calls has locked the case and calls ``procedures.events.changed`` when everything of it is entered.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from clinic import clock, row_locks
from clinic.actor import Actor
from clinic.errors import Conflict
from procedures.domain import merging, versions
from procedures.domain import results as rules
from procedures.domain.lab_content import OTHER, Test, other_test
from procedures.domain.merging import Piece
from procedures.domain.protocol import Protocol
from procedures.domain.results import Known
from procedures.domain.states import LAB_TEST, Level, ResultStatus, TestStatus
from procedures.models import LabTest, Procedure, ResultVersion, Specimen, TakenBack
from procedures.models.inbound import TakenBackWhy
from procedures.models.labs import SpecimenLoss
from procedures.selectors.results import known_in, versions_of
from procedures.services import lab_rows as rows
from procedures.services import labs
from procedures.services.results import follow, plain, stored_rule

T = TestStatus
#: The laboratory's own words, shown where a person would be named.
BY_MESSAGE = "the laboratory's message"


@transaction.atomic(savepoint=False)
def arrive(
    *,
    procedure: Procedure,
    test: LabTest,
    piece: Piece,
    actor: Actor,
    phoned: bool = False,
    collected_at: datetime | None = None,
) -> tuple[ResultVersion | None, bool]:
    """Enter what one message says of one test: the version it made or repeats, and whether it is new.

    ``procedure`` is locked, and ``test`` as ``test_of`` gives it. ``phoned``: the laboratory itself treats it as
    critical. ``collected_at``: as the laboratory has it, where nobody recorded it here.
    """
    row = test
    if row.collected_at is None and collected_at is not None:
        LabTest.objects.filter(pk=row.pk).update(collected_at=collected_at)
        row.collected_at = collected_at
    protocol: Protocol = procedure.protocol_version.parsed
    of_case = versions_of(procedure)
    stored = of_case.get(row.pk, [])
    current = versions.current(stored)
    entry = merging.merged(protocol.test(row.code), current, piece)
    if entry is None or _stored_already(stored, entry):
        return current, False
    known = Known(test=row.code, values=entry.values, status=str(entry.status), collected_at=row.collected_at)
    kept = phoned or (current is not None and current.phoned_critical and entry.values == current.values)
    judgement = rules.judge(protocol, known, known_in(of_case, without=row.pk), phoned=kept)
    version = ResultVersion.objects.create(
        test=row,
        number=(stored[-1].number if stored else 0) + 1,
        status=str(entry.status),
        values=entry.values,
        text=entry.text,
        calculated={code: plain(found) for code, found in judgement.calculated.items()},
        level=str(judgement.level),
        rules=[stored_rule(rule) for rule in judgement.rules],
        phoned_critical=kept,
        reported_at=entry.reported_at,
        arrived_at=clock.now(),
        entered_by_id=None,
        change_reason=entry.change_reason[: rows.REASON_LENGTH],
        laboratory_said=entry.said,
    )
    follow(row, procedure, [*stored, version], actor)
    _received(row, procedure, entry.reported_at, actor)
    data = {"test": row.code, "number": version.number, "status": version.status, "level": version.level}
    rows.note("result.arrived", procedure, actor, data, version, version.change_reason)
    return version, True


@transaction.atomic(savepoint=False)
def take_back(
    *,
    procedure: Procedure,
    test: LabTest,
    values: frozenset[str],
    why: TakenBackWhy,
    at: datetime,
    actor: Actor,
) -> ResultVersion | None:
    """The laboratory takes values back: they leave the chart at once and stay for the audit; the rest is entered again.

    ``values`` empty: the whole result. What is reported after ``at`` stands; what was reported before it and comes
    later does not. Taken back already: the same version.
    """
    row = rows.locked_test(test)
    stored = list(row.versions.order_by("number"))
    current = versions.current(stored)
    if current is None:
        return _nothing_stands(row, procedure, stored, at, actor)
    gone = (values & set(current.values)) or frozenset(current.values)
    if not (values & set(current.values)) and values and current.values:
        return None  # it speaks of values that are not here
    reason = str(TakenBackWhy(why).label)
    until = max([v.reported_at for v in stored if v.reported_at <= at] or [at])
    version = ResultVersion.objects.create(
        test=row,
        number=stored[-1].number + 1,
        status=str(ResultStatus.WITHDRAWN),
        level=str(Level.UNKNOWN),
        reported_at=until,
        arrived_at=clock.now(),
        entered_by_id=None,
        change_reason=reason[: rows.REASON_LENGTH],
    )
    TakenBack.objects.create(version=version, why=str(why), at=version.arrived_at)
    follow(row, procedure, [*stored, version], actor)
    data = {"test": row.code, "number": version.number, "why": str(why)}
    rows.note("result.taken_back", procedure, actor, data, version, reason)
    left = {code: value for code, value in current.values.items() if code not in gone}
    if left and current.reported_at <= until:
        _enter_rest(procedure, row, current, left, until, actor)
    elif row.not_ordered and not left:
        _not_awaited(row, procedure, reason, actor)
    return version


def _not_awaited(row: LabTest, procedure: Procedure, reason: str, actor: Actor) -> None:
    """Nobody ordered it, so nobody waits for another result of it."""
    fresh = rows.locked_test(row)
    if LAB_TEST.may(T(fresh.status), T.CANCELLED):
        words = reason[: rows.REASON_LENGTH]
        also = {"ended_at": clock.now(), "ended_reason": words, "collected_at": None}
        rows.move(fresh, procedure, T.CANCELLED, "test.cancelled", actor, words, **also)


def _nothing_stands(
    row: LabTest, procedure: Procedure, stored: list[ResultVersion], at: datetime, actor: Actor
) -> ResultVersion | None:
    """Nothing of it is here yet: what comes later and was reported before does not count either."""
    if stored:
        return stored[-1]
    version = ResultVersion.objects.create(
        test=row, number=1, status=str(ResultStatus.WITHDRAWN), level=str(Level.UNKNOWN), reported_at=at,
        arrived_at=clock.now(), entered_by_id=None, change_reason="Taken back before it came",
    )  # fmt: skip
    rows.note("result.taken_back", procedure, actor, {"test": row.code, "number": 1}, version, version.change_reason)
    return version


def _enter_rest(
    procedure: Procedure, row: LabTest, current: ResultVersion, left: dict[str, Any], until: datetime, actor: Actor
) -> None:
    said = {
        name: {code: text for code, text in current.laboratory_said.get(name, {}).items() if code in left}
        for name in ("flags", "ranges", "standing")
    }
    piece = Piece(
        status=ResultStatus(current.status),
        values=left,
        text="",  # it may speak of what was taken back
        reported_at=until + timedelta(microseconds=1),
        said={name: kept for name, kept in said.items() if kept},
        change_reason="Part of the result was taken back by the laboratory." if current.status == "corrected" else "",
    )
    arrive(procedure=procedure, test=rows.locked_test(row), piece=piece, actor=actor, phoned=current.phoned_critical)


@transaction.atomic(savepoint=False)
def cancelled(*, procedure: Procedure, test: LabTest, reason: str, at: datetime, actor: Actor) -> None:
    """The laboratory will give no result: like a rejected test, somebody decides what now, and the patient is told."""
    row = rows.locked_test(test)
    stored = list(row.versions.order_by("number"))
    if versions.current(stored) is not None:
        take_back(procedure=procedure, test=row, values=frozenset(), why=TakenBackWhy.DELETED, at=at, actor=actor)
        row = rows.locked_test(test)
    if LAB_TEST.may(T(row.status), T.REJECTED):
        words = reason[: rows.REASON_LENGTH]
        rows.move(row, procedure, T.REJECTED, "test.rejected", actor, words, ended_at=clock.now(), ended_reason=words)


@transaction.atomic
def specimen_unfit(*, procedure: Procedure, specimen: Specimen, lost: bool, reason: str, actor: Actor) -> None:
    """The laboratory rejects the tube, or has lost it: its tests without a result need a decision."""
    loss = SpecimenLoss.LOST if lost else SpecimenLoss.REJECTED
    labs.report_loss(specimen=specimen, loss=loss, reason=reason[: rows.REASON_LENGTH], actor=actor)


def test_of(
    *, procedure: Procedure, code: str, actor: Actor, label: str = "", specimen: int | None = None,
    collected_at: datetime | None = None,
) -> LabTest:  # fmt: skip
    """The case's test of that code, locked; one that nobody ordered is added and says so. ``procedure`` is locked.

    ``specimen``: the key of the tube that a new one is put into.
    """
    found = list(rows.locked_tests(procedure).filter(code=code).select_related("specimen"))
    standing = [row for row in found if row.status != T.CANCELLED]
    if standing or found:
        return (standing or found)[-1]
    protocol: Protocol = procedure.protocol_version.parsed
    data: Test = other_test(code) if code.startswith(OTHER) else protocol.test(code)
    row = LabTest.objects.create(
        **rows.columns(data) | ({"label": label[:160]} if label else {}),
        procedure=procedure,
        specimen_id=specimen,
        collected_at=collected_at,
        order_number=rows.order_number(procedure, procedure.tests.count() + 1),
        not_ordered=True,
        ordered_at=clock.now(),
        ordered_by_id=None,
    )
    rows.note("test.not_ordered_here", procedure, actor, {"test": code}, row)
    return row


def _stored_already(stored: list[ResultVersion], entry: Piece) -> bool:
    """A late one that does not count is kept once."""
    same = (str(entry.status), entry.values, entry.text, entry.reported_at)
    return any((v.status, v.values, v.text, v.reported_at) == same for v in stored)


def _received(row: LabTest, procedure: Procedure, at: datetime, actor: Actor) -> None:
    """Any result implies receipt, of the tube as well."""
    if row.specimen is None or row.specimen.received_at is not None:
        return  # the case is locked: nobody takes that back meanwhile
    specimen = row_locks.lock(Specimen, row.specimen.pk)
    if specimen.received_at is None and specimen.loss != SpecimenLoss.REJECTED:
        known = max(min(at, clock.now()), specimen.collected_at)
        labs.receive_one(specimen, procedure, BY_MESSAGE, known, actor)


@transaction.atomic
def put_back(*, procedure: Procedure, version: ResultVersion, reason: str, actor: Actor) -> ResultVersion:
    """What was entered here by mistake leaves the chart; what stood before it stands again.

    Where newer reports have come on top of it, its own values alone are taken out of them.
    """
    row = rows.locked_test(version.test)
    stored = list(row.versions.order_by("number"))
    before = versions.current([v for v in stored if v.number < version.number])
    newer = [v for v in stored if v.number > version.number]
    gone = take_back(
        procedure=procedure,
        test=row,
        values=_own(version, before) if newer else frozenset(),
        why=TakenBackWhy.MISPLACED,
        at=max(v.reported_at for v in stored),
        actor=actor,
    )
    if gone is None or gone.status != ResultStatus.WITHDRAWN:
        raise Conflict("This is not in the chart any more.")
    if before is not None and not newer:
        _enter_rest(procedure, row, before, dict(before.values), gone.reported_at, actor)
    rows.note("result.put_back", procedure, actor, {"test": row.code, "number": version.number}, version, reason)
    return gone


def _own(version: ResultVersion, before: ResultVersion | None) -> frozenset[str]:
    """The values that this version brought."""
    old = before.values if before is not None else {}
    return frozenset(code for code, value in version.values.items() if old.get(code) != value)
