"""Tests and the tubes they travel in: ordered, collected, handed over, received, rejected or lost.

An earlier step that nobody recorded is never a reason to refuse a later one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction

from clinic import audit, clock
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid
from procedures import events
from procedures.domain.lab_content import Test
from procedures.domain.protocol import Protocol
from procedures.domain.states import TestStatus
from procedures.models import LabTest, Procedure, Specimen
from procedures.models.labs import LossCode, SpecimenLoss
from procedures.selectors import couriers
from procedures.services import lab_rows as rows

T = TestStatus
#: A new specimen may be taken for these.
TO_COLLECT = frozenset({T.ORDERED, T.REJECTED, T.LOST})
#: A result is there already: a tube recorded afterwards starts no new clock.
RESULTED = frozenset({T.PRELIMINARY, T.FINAL, T.CORRECTED})


@dataclass(frozen=True, kw_only=True)
class Tube:
    """One tube or bottle as it was taken. ``tests``: the ids of the tests that run on it."""

    container: str
    tests: tuple[int, ...]
    tube_number: int | None = None
    volume_ml: Decimal | None = None
    accession: str = ""
    label_checked: bool = False


class AccessionTaken(Invalid):
    """The laboratory number %(accession)s is on another tube already. Scan or type this tube's own number."""

    def __init__(self, accession: str, row: int) -> None:
        self.row = row
        super().__init__(field="accession", accession=accession)


# --- orders ---------------------------------------------------------------------------------


@transaction.atomic
def order_panel(*, procedure: Procedure, actor: Actor, panel: str = "") -> list[LabTest]:
    """Order the indication's panel (or ``panel``) with the partner tests it needs. What is ordered already stays."""
    locked = rows.locked_case(procedure)
    protocol = _protocol(locked)
    chosen = protocol.panel(panel or protocol.indication(locked.indication).panel)
    created = _order(locked, with_partners(protocol, chosen.tests), actor)
    if created:
        rows.note("tests.ordered", locked, actor, {"panel": chosen.code, "tests": [t.code for t in created]})
        events.changed(locked)
    return created


@transaction.atomic
def add_test(*, procedure: Procedure, code: str, actor: Actor) -> list[LabTest]:
    """Order one more test, with its partners. Returns what is new; nothing when it is ordered already."""
    locked = rows.locked_case(procedure)
    protocol = _protocol(locked)
    if code not in {t.code for t in protocol.tests}:
        raise Invalid("This protocol has no such test.", field="code")
    created = _order(locked, with_partners(protocol, (code,)), actor)
    if created:
        rows.note("tests.ordered", locked, actor, {"tests": [t.code for t in created]})
        events.changed(locked)
    return created


@transaction.atomic
def cancel_test(*, test: LabTest, reason: str, actor: Actor) -> LabTest:
    """No result is awaited any more; the reason stays on the chart. Cancelled already: nothing happens."""
    reason = rows.given_reason(reason)
    procedure = rows.locked_case(test.procedure)
    row = rows.locked_test(test)
    if row.status == T.CANCELLED:
        return row
    if T(row.status) in {T.FINAL, T.CORRECTED}:
        raise Conflict("This test has its result already: withdraw the result if it is wrong.")
    _cancel(row, procedure, reason, actor)
    events.changed(procedure)
    return row


@transaction.atomic
def cancel_uncollected(*, procedure: Procedure, reason: str, actor: Actor) -> list[LabTest]:
    """Cancel every test that has no specimen: no fluid, or the case is not done."""
    reason = rows.given_reason(reason)
    locked = rows.locked_case(procedure, dead=True)
    tests = list(rows.locked_tests(locked).filter(status=T.ORDERED))
    for test in tests:
        _cancel(test, locked, reason, actor)
    if tests:
        events.changed(locked)
    return tests


@transaction.atomic
def decide_recollection(*, test: LabTest, note: str, actor: Actor) -> LabTest:
    """A rejected or lost test will be collected again: the decision is recorded, the promise stays until it is done,
    and the patient is told.

    (The other decisions are :func:`cancel_test` and :func:`accept_flaw`.) Raises Conflict for a test that is not lost.
    """
    procedure = rows.locked_case(test.procedure)
    row = rows.locked_test(test)
    if T(row.status) not in {T.REJECTED, T.LOST}:
        raise Conflict("This test is neither rejected nor lost any more.")
    words = f"to be collected again ({actor.name})" + (f": {note.strip()}" if note.strip() else "")
    reason = f"{row.ended_reason} · {words}"[: rows.REASON_LENGTH]
    now = clock.now()
    LabTest.objects.filter(pk=row.pk).update(ended_reason=reason, recollect_decided_at=now)
    row.ended_reason, row.recollect_decided_at = reason, now
    audit.record(
        action="test.recollection_decided",
        actor=actor,
        subject=row,
        patient_id=procedure.patient_id,
        reason=note.strip(),
        data={"test": row.code},
    )
    events.changed(procedure)
    return row


@transaction.atomic
def accept_flaw(*, test: LabTest, note: str, actor: Actor) -> LabTest:
    """The laboratory examines the rejected specimen all the same, and somebody takes the risk with a reason.

    The result is awaited again, and what is wrong with the specimen stands beside it. Raises Conflict for a test
    whose specimen is not rejected.
    """
    note = rows.given_reason(note)
    procedure = rows.locked_case(test.procedure)
    row = rows.locked_test(test)
    if T(row.status) is not T.REJECTED:
        raise Conflict("Only a rejected specimen can be examined all the same.")
    flaw = f"{row.ended_reason} · risk accepted by {actor.name}: {note}"[: rows.REASON_LENGTH]
    rows.move(
        row, procedure, T.RECEIVED, "test.flaw_accepted", actor, note,
        flaw_accepted=flaw, recollect_decided_at=None, ended_at=None, ended_reason="",
        collected_at=row.collected_at or procedure.started_at or row.ordered_at,
    )  # fmt: skip
    events.changed(procedure)
    return row


def with_partners(protocol: Protocol, codes: Iterable[str]) -> list[Test]:
    """The tests and those they are only useful with (serum pair), in the protocol's order."""
    wanted: set[str] = set()
    waiting = list(codes)
    while waiting:
        code = waiting.pop()
        if code not in wanted:
            wanted.add(code)
            waiting += protocol.test(code).needs
    return [test for test in protocol.tests if test.code in wanted]


def _order(procedure: Procedure, tests: Sequence[Test], actor: Actor) -> list[LabTest]:
    there = list(procedure.tests.values_list("code", "status"))
    standing = {code for code, status in there if status != T.CANCELLED}
    now = clock.now()
    new = [test for test in tests if test.code not in standing]
    return [
        LabTest.objects.create(
            **rows.columns(test),
            procedure=procedure,
            order_number=rows.order_number(procedure, place),
            ordered_at=now,
            ordered_by_id=actor.user_id,
        )
        for place, test in enumerate(new, start=len(there) + 1)
    ]


def _cancel(row: LabTest, procedure: Procedure, reason: str, actor: Actor) -> None:
    rows.move(row, procedure, T.CANCELLED, "test.cancelled", actor, reason, ended_at=clock.now(), ended_reason=reason)


# --- tubes ----------------------------------------------------------------------------------


def collect(*, procedure: Procedure, tubes: Sequence[Tube], collected_at: datetime, actor: Actor) -> list[Specimen]:
    """Record the tubes that were taken; the clocks of their tests run from ``collected_at``.

    A test whose specimen was rejected or lost starts again. Raises AccessionTaken, Invalid for a moment in the future
    or no tube, Conflict when a chosen test was collected by somebody else in the meantime.
    """
    if not tubes:
        raise Invalid("Tick at least one tube.")
    rows.check_not_future(collected_at, "collected_at")
    try:
        return _collect(procedure, tubes, collected_at, actor)
    except IntegrityError as exc:
        # somebody recorded the same number a moment ago; caught outside the transaction, which is broken
        if getattr(getattr(exc.__cause__, "diag", None), "constraint_name", "") != "specimen_accession_once":
            raise
        _check_accessions(tubes)
        raise Conflict from exc


@transaction.atomic
def _collect(procedure: Procedure, tubes: Sequence[Tube], collected_at: datetime, actor: Actor) -> list[Specimen]:
    locked = rows.locked_case(procedure)
    _check_accessions(tubes)
    tests = {test.pk: test for test in rows.locked_tests(locked)}
    site = couriers.site_of(locked)
    specimens = []
    for tube in tubes:
        _refuse_second_click(locked, tube, collected_at)
        specimen = _specimen(locked, tube, collected_at, site, actor)
        for pk in tube.tests:
            if pk not in tests:
                raise Invalid("This test is not one of this case.")
            _put_into(tests[pk], specimen, locked, site, actor)
        specimens.append(specimen)
    events.changed(locked)
    return specimens


def _check_accessions(tubes: Sequence[Tube]) -> None:
    seen: set[str] = set()
    for index, tube in enumerate(tubes):
        number = tube.accession.strip()
        if number and (number in seen or Specimen.objects.filter(accession=number).exists()):
            raise AccessionTaken(number, index)
        seen.add(number)


def _refuse_second_click(procedure: Procedure, tube: Tube, collected_at: datetime) -> None:
    """A tube without a test has no test's state to notice that it is recorded already."""
    same = {"container": tube.container, "tube_number": tube.tube_number, "collected_at": collected_at}
    if not tube.tests and procedure.specimens.filter(loss="", **same).exists():
        raise Conflict("This tube is recorded already.")


def _specimen(procedure: Procedure, tube: Tube, collected_at: datetime, site: couriers.Site, actor: Actor) -> Specimen:
    container = next((c for c in _protocol(procedure).containers if c.code == tube.container), None)
    if container is None:
        raise Invalid("This protocol has no such container.")
    specimen = Specimen.objects.create(
        procedure=procedure,
        container=container.code,
        tube_number=tube.tube_number,
        volume_ml=tube.volume_ml,
        accession=tube.accession.strip(),
        label_checked=tube.label_checked,
        collected_at=collected_at,
        collected_by_id=actor.user_id,
        receipt_due_at=collected_at + timedelta(minutes=site.receipt_minutes or container.receipt_minutes),
    )
    data = {"container": container.code, "tube": tube.tube_number, "label_checked": tube.label_checked}
    rows.note("specimen.collected", procedure, actor, data, specimen)
    return specimen


def _put_into(test: LabTest, specimen: Specimen, procedure: Procedure, site: couriers.Site, actor: Actor) -> None:
    status = T(test.status)
    if status in TO_COLLECT:
        rows.move(
            test, procedure, T.COLLECTED, "test.collected", actor, test.ended_reason,
            specimen_id=specimen.pk, collected_at=specimen.collected_at, received_at=None,
            ended_at=None, ended_reason="", running_days=site.running_days, flaw_accepted="", recollect_decided_at=None,
        )  # fmt: skip
        return
    if test.specimen_id is not None or status not in {T.RECEIVED, *RESULTED}:
        raise Conflict("%(test)s was collected or cancelled in the meantime. Reload the page.", test=test.label)
    # received, or a result came, before anybody recorded the tube
    LabTest.objects.filter(pk=test.pk).update(
        specimen=specimen, collected_at=specimen.collected_at, running_days=site.running_days
    )


@transaction.atomic
def hand_over(*, procedure: Procedure, specimens: Sequence[int], to: str, at: datetime, actor: Actor) -> list[Specimen]:
    """Tubes given to a courier. Those handed over already stay as they are."""
    if not to.strip():
        raise Invalid("Say to whom.", field="to")
    locked = rows.locked_case(procedure, dead=True)
    tubes = rows.locked_specimens(locked, specimens)
    _not_before_collection(tubes, at)
    for row in tubes:
        if row.handed_over_at is None:
            _set(row, locked, actor, "specimen.handed_over", handed_over_at=at, handed_over_to=to.strip())
    events.changed(locked)
    return tubes


@transaction.atomic
def receive(
    *,
    procedure: Procedure,
    specimens: Sequence[int],
    confirmed_by: str,
    at: datetime,
    actor: Actor,
    counted: int | None = None,
) -> list[Specimen]:
    """The laboratory has the tubes, says ``confirmed_by``. A lost one that turned up is received like any other.

    ``counted``: how many of these the laboratory counts; it must be as many as are ticked (clinical-facts §6.6-28).
    Part of a case's tubes may come first: the others stay awaited, each with its own alarm.
    """
    if not confirmed_by.strip():
        raise Invalid("Say who confirmed it.", field="confirmed_by")
    if counted is not None and counted != len(set(specimens)):
        raise Invalid(
            "You ticked %(ticked)s, the laboratory counts %(counted)s. Untick the tube that is missing; if it cannot "
            "be found, report it as lost.",
            field="counted",
            ticked=len(set(specimens)),
            counted=counted,
        )
    locked = rows.locked_case(procedure, dead=True)
    tubes = rows.locked_specimens(locked, specimens)
    _not_before_collection(tubes, at)
    for row in tubes:
        if row.received_at is None and row.loss != SpecimenLoss.REJECTED:
            receive_one(row, locked, confirmed_by.strip(), at, actor)
    events.changed(locked)
    return tubes


def receive_one(specimen: Specimen, procedure: Procedure, confirmed_by: str, at: datetime, actor: Actor) -> None:
    """One locked tube is at the laboratory, with the tests that run on it. For whoever has locked its case."""
    _set(
        specimen, procedure, actor, "specimen.received",
        received_at=at, received_note=confirmed_by, loss="", loss_at=None, loss_code="", loss_reason="",
    )  # fmt: skip
    for test in rows.locked_tests(procedure).filter(specimen=specimen):
        if T(test.status) in {T.COLLECTED, T.LOST}:
            rows.move(
                test, procedure, T.RECEIVED, "test.received", actor, received_at=at, ended_at=None, ended_reason=""
            )
        elif test.received_at is None and T(test.status) in RESULTED:
            LabTest.objects.filter(pk=test.pk).update(received_at=at)


@transaction.atomic
def report_loss(
    *, specimen: Specimen, loss: SpecimenLoss, actor: Actor, code: LossCode | str = "", reason: str = ""
) -> Specimen:
    """Rejected by the laboratory, or lost. Its tests without a result now need a decision (clinical-facts §6.6-5).

    ``code`` says why, ``reason`` in words; one of them is needed, and *something else* needs words.
    """
    code = str(code)
    if code in ("", LossCode.OTHER) or reason.strip():
        reason = rows.given_reason(reason)
    why = f"{LossCode(code).label}: {reason}".rstrip(": ") if code and code != LossCode.OTHER else reason
    why = why[: rows.REASON_LENGTH]
    procedure = rows.locked_case(specimen.procedure, dead=True)
    row = rows.locked_specimens(procedure, [specimen.pk])[0]
    if row.loss:
        return row
    now = clock.now()
    _set(
        row, procedure, actor, f"specimen.{loss}", why, loss=str(loss), loss_at=now, loss_code=code, loss_reason=why
    )  # fmt: skip
    to = T.REJECTED if loss == SpecimenLoss.REJECTED else T.LOST
    for test in rows.locked_tests(procedure).filter(specimen=row, status__in=[T.COLLECTED, T.RECEIVED]):
        rows.move(test, procedure, to, f"test.{to}", actor, why, ended_at=now, ended_reason=why)
    events.changed(procedure)
    return row


# --- small words ----------------------------------------------------------------------------


def _not_before_collection(specimens: Sequence[Specimen], at: datetime) -> None:
    rows.check_not_future(at)
    if any(at < specimen.collected_at for specimen in specimens):
        raise Invalid("This is before the tube was collected.", field="at")


def _set(row: Specimen, procedure: Procedure, actor: Actor, action: str, reason: str = "", **values: Any) -> None:
    Specimen.objects.filter(pk=row.pk).update(**values)
    for name, value in values.items():
        setattr(row, name, value)
    rows.note(action, procedure, actor, {"tube": row.tube_number}, row, reason)


def _protocol(procedure: Procedure) -> Protocol:
    return procedure.protocol_version.parsed
