"""From the ordered test to the read result, and what was decided on it. Pure: see planner.py.

Each function is one closing clause: while it returns a promise the case stays open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import groupby

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts, TestFact
from followups.domain.kinds import Kind
from followups.domain.promise import Promise
from procedures.domain.states import TEST_WAITING, ProcedureStatus, TestStatus

S = ProcedureStatus


def collect_tests(facts: ProcedureFacts) -> Iterator[Promise]:
    """Tests that were ordered and have no specimen after the needle: collect or cancel them."""
    waiting = [t for t in facts.tests if t.status is TestStatus.ORDERED]
    if facts.status is not S.COMPLETED or not waiting:
        return
    done = facts.needle_ended_at
    minutes = min(c.receipt_minutes for c in facts.protocol.containers)
    yield Promise(
        kind=Kind.COLLECT_TESTS,
        key="collect",
        start_at=done,
        due_at=done + timedelta(minutes=minutes),
        role=Role.NURSE,
        responsible_id=facts.responsible_id,
        about={"tests": sorted(t.code for t in waiting)},
    )


def specimen_not_received(facts: ProcedureFacts) -> Iterator[Promise]:
    """A specimen that left must arrive: one alarm per specimen; any result implies receipt."""
    for specimen in facts.specimens:
        if specimen.received or specimen.lost_at is not None:
            continue
        carried = sorted(t.code for t in facts.tests if t.specimen_id == specimen.id and t.status in TEST_WAITING)
        if not carried:
            continue
        yield Promise(
            kind=Kind.SPECIMEN_NOT_RECEIVED,
            key=f"received:{specimen.id}",
            start_at=specimen.collected_at,
            due_at=specimen.receipt_due_at,
            role=Role.NURSE,
            responsible_id=facts.responsible_id,
            about={"specimen": specimen.id, "tests": carried},
        )


def specimen_lost(facts: ProcedureFacts) -> Iterator[Promise]:
    """A rejected or lost specimen needs a recorded decision: recollect, or cancel its tests with a reason."""
    lost = [t for t in facts.tests if t.status in {TestStatus.REJECTED, TestStatus.LOST}]
    for specimen_id, tests in _by_specimen(lost):
        since = min((t.ended_at or t.collected_at or facts.needle_ended_at) for t in tests)
        yield Promise(
            kind=Kind.SPECIMEN_LOST,
            key=f"lost:{specimen_id}",
            start_at=since,
            due_at=since + timedelta(hours=facts.protocol.recollect_hours),
            role=Role.PHYSICIAN,
            responsible_id=facts.responsible_id,
            level="abnormal",
            about={"specimen": specimen_id, "tests": sorted(t.code for t in tests)},
        )


def awaited_result(facts: ProcedureFacts) -> Iterator[Promise]:
    """Each awaited test, one promise per specimen and outer time (clinic-reality §3.1): *due* is a colour."""
    waiting = [t for t in facts.tests if t.status in TEST_WAITING and t.collected_at and t.outer_at]
    for specimen_id, tests in _by_specimen(waiting):
        rows = sorted(tests, key=lambda t: (t.outer_at, t.code))
        for outer_at, group in groupby(rows, key=lambda t: t.outer_at):
            members = list(group)
            assert outer_at is not None
            yield Promise(
                kind=Kind.AWAITED_RESULT,
                key=f"awaited:{specimen_id}:{outer_at:%Y%m%dT%H%M%S.%f}",
                start_at=min(t.collected_at for t in members if t.collected_at),
                due_at=outer_at,
                role=Role.NURSE,
                responsible_id=facts.responsible_id,
                about={
                    "tests": sorted(t.code for t in members),
                    "usual_at": min(t.usual_at for t in members if t.usual_at).isoformat(),
                    "extended": all(t.extended for t in members),
                },
            )


def review_result(facts: ProcedureFacts) -> Iterator[Promise]:
    """The current version of each result is read by the responsible physician.

    A negative preliminary is listed without a promise (clinic-reality §3.2): its final is still awaited. A level that
    the rules could not tell is treated as abnormal, never as normal.
    """
    for test, version in facts.resulted():
        if version.review is not None or (version.status == "preliminary" and version.level == "normal"):
            continue
        level = graded(version.level)
        yield Promise(
            kind=Kind.REVIEW_RESULT,
            key=f"review:{version.id}",
            start_at=version.arrived_at,
            due_at=version.arrived_at + timedelta(hours=facts.protocol.review_hours[level]),
            role=Role.PHYSICIAN,
            responsible_id=facts.responsible_id,
            level=level,
            about={
                "test": test.code,
                "version": version.id,
                "status": version.status,
                "corrected": test.reviewed_before,
            },
        )


def do_action(facts: ProcedureFacts) -> Iterator[Promise]:
    """A plan of repeat, treat or refer is done, or decided otherwise with a reason."""
    for action in facts.actions:
        if action.done:
            continue
        yield Promise(
            kind=Kind.DO_ACTION,
            key=f"action:{action.id}",
            start_at=action.created_at,
            due_at=action.due_at,
            role=Role.PHYSICIAN,
            responsible_id=action.responsible_id,
            level="abnormal",
            about={"action": action.id, "plan": action.plan},
        )


def graded(level: str) -> str:
    """A level that the rules could not tell counts as abnormal, never as normal."""
    return level if level in {"normal", "critical"} else "abnormal"


def _by_specimen(tests: Iterable[TestFact]) -> Iterator[tuple[int, list[TestFact]]]:
    """Tests grouped by specimen; 0 for those recorded without one."""
    rows = sorted(tests, key=lambda t: (t.specimen_id or 0, t.id))
    for specimen_id, group in groupby(rows, key=lambda t: t.specimen_id or 0):
        yield specimen_id, list(group)
