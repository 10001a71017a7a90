"""What must still happen for one case. Pure: facts in, promises out, no clock.

Each function below is one closing clause: while it returns a promise the case stays open. Whatever order the facts
arrived in, the plan is the same. Cancelled is not an empty plan: holds, specimens in flight, unread results and an
untold patient stay promised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts, TestFact, VersionFact
from followups.domain.kinds import Kind
from followups.domain.promise import Promise
from followups.domain.telling import knows_of_cancellation
from procedures.domain.states import (
    NEEDLE_IN,
    TERMINAL,
    TEST_WAITING,
    Disposition,
    Outcome,
    ProcedureStatus,
    TestStatus,
    Urgency,
)

S = ProcedureStatus


def plan(facts: ProcedureFacts) -> tuple[Promise, ...]:
    """Every promise that should exist now, in a stable order."""
    promises = [p for clause in CLAUSES for p in clause(facts)]
    return tuple(sorted(promises, key=lambda p: (p.due_at, p.key)))


def is_closed(facts: ProcedureFacts, promises: Iterable[Promise]) -> bool:
    """Closed: nothing further will be done with the needle, and nothing is promised."""
    return facts.status in TERMINAL and not tuple(promises)


# --- before the needle ----------------------------------------------------------------------


def book_request(facts: ProcedureFacts) -> Iterator[Promise]:
    """A request without a slot must be booked, in time for its urgency."""
    if facts.status is not S.REQUESTED:
        return
    emergency = facts.urgency is Urgency.EMERGENCY
    yield Promise(
        kind=Kind.BOOK_REQUEST,
        key="book",
        start_at=_waits_since(facts),
        due_at=_book_by(facts),
        role=Role.PHYSICIAN if emergency else Role.SCHEDULER,
        responsible_id=facts.responsible_id if emergency else None,
    )


def carry_out(facts: ProcedureFacts) -> Iterator[Promise]:
    """A booked or begun case must be carried out, or what happened instead must be recorded."""
    if facts.status not in {S.SCHEDULED, S.ARRIVED, S.IN_PROGRESS}:
        return
    start = facts.started_at or facts.slot_at or facts.arrived_at or facts.requested_at
    running = facts.status is S.IN_PROGRESS
    yield Promise(
        kind=Kind.CARRY_OUT,
        key="carry_out",
        start_at=start,
        due_at=max(facts.slot_ends_at or start, start),
        role=Role.PHYSICIAN if running else Role.NURSE,
        responsible_id=(facts.operator_id or facts.responsible_id) if running else None,
        about={"status": str(facts.status)},
    )


def rebook_no_show(facts: ProcedureFacts) -> Iterator[Promise]:
    """Nobody came: somebody rebooks it or ends it."""
    if facts.status is not S.NO_SHOW:
        return
    since = facts.ended_at or facts.requested_at
    yield Promise(
        kind=Kind.REBOOK_NO_SHOW,
        key="rebook",
        start_at=since,
        due_at=since + timedelta(hours=facts.protocol.no_show_hours),
        role=Role.SCHEDULER,
    )


# --- the record and the specimens -----------------------------------------------------------


def sign_record(facts: ProcedureFacts) -> Iterator[Promise]:
    """What was done must be written and signed."""
    if facts.status is not S.COMPLETED or facts.outcome is Outcome.NOT_ATTEMPTED or facts.record_signed_at:
        return
    done = _needle(facts)
    yield Promise(
        kind=Kind.SIGN_RECORD,
        key="record",
        start_at=done,
        due_at=done + timedelta(hours=facts.protocol.record_due_hours),
        role=Role.PHYSICIAN,
        responsible_id=facts.operator_id or facts.responsible_id,
    )


def checklist_after_emergency(facts: ProcedureFacts) -> Iterator[Promise]:
    """An emergency started on the six-item minimum: the rest of the checklist is owed (clinic-reality §2.2)."""
    if not facts.emergency_start or not facts.unsigned_stages or facts.started_at is None:
        return
    if facts.status in {S.CANCELLED, S.ENTERED_IN_ERROR}:
        return
    yield Promise(
        kind=Kind.CHECKLIST_AFTER_EMERGENCY,
        key="checklist",
        start_at=facts.started_at,
        due_at=facts.started_at + timedelta(hours=facts.protocol.countersign_hours),
        role=Role.NURSE,
        responsible_id=facts.responsible_id,
        about={"stages": list(facts.unsigned_stages)},
    )


def collect_tests(facts: ProcedureFacts) -> Iterator[Promise]:
    """Tests that were ordered and have no specimen after the needle: collect or cancel them."""
    waiting = [t for t in facts.tests if t.status is TestStatus.ORDERED]
    if facts.status is not S.COMPLETED or not waiting:
        return
    done = _needle(facts)
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
        since = min((t.ended_at or t.collected_at or _needle(facts)) for t in tests)
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


# --- results --------------------------------------------------------------------------------


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
    for test, version in _current(facts):
        if version.review is not None or (version.status == "preliminary" and version.level == "normal"):
            continue
        level = _level(version.level)
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


# --- the patient ----------------------------------------------------------------------------


def tell_results(facts: ProcedureFacts) -> Iterator[Promise]:
    """Reviewed results are told: one promise per case, and one more for what cannot wait.

    Limits: VA 2015 (7 days if action is needed, 14 otherwise), critical the same day, from the protocol's data.
    """
    if facts.deceased or facts.disposition is Disposition.DIED:
        return
    urgent: list[tuple[TestFact, VersionFact]] = []
    ordinary: list[tuple[TestFact, VersionFact]] = []
    for test, version in _current(facts):
        review = version.review
        if review is None or review.tell == "not_this" or version.told_at is not None:
            continue
        if review.tell == "now" or review.interpretation != "normal" or test.told_before:
            urgent.append((test, version))
        elif version.status != "preliminary":
            ordinary.append((test, version))
    for key, rows in (("tell:now", urgent), ("tell:results", ordinary)):
        if rows:
            yield _tell(facts, key, rows)


def _tell(facts: ProcedureFacts, key: str, rows: list[tuple[TestFact, VersionFact]]) -> Promise:
    reviews = [(v.review.at, v.review.interpretation) for _, v in rows if v.review]
    due = min(at + timedelta(hours=facts.protocol.tell_hours[_level(found)]) for at, found in reviews)
    levels = {_level(found) for _, found in reviews}
    return Promise(
        kind=Kind.TELL_PATIENT,
        key=key,
        start_at=min(at for at, _ in reviews),
        due_at=due,
        role=Role.NURSE,
        responsible_id=facts.responsible_id,
        level="critical" if "critical" in levels else "abnormal" if key == "tell:now" else "normal",
        about={"versions": sorted(v.id for _, v in rows), "tests": sorted(t.code for t, _ in rows)},
    )


def tell_no_result(facts: ProcedureFacts) -> Iterator[Promise]:
    """A case that was cancelled, a needle without fluid, a test that was given up: the patient hears of it."""
    if facts.deceased or facts.disposition is Disposition.DIED:
        return
    since = _without_result_since(facts)
    if since is None or knows_of_cancellation(facts.contacts, since):
        return
    due = since + timedelta(hours=facts.protocol.tell_hours["abnormal"])
    if facts.status is S.CANCELLED and facts.slot_at is not None and facts.slot_at > since:
        due = min(due, facts.slot_at)  # before the patient sets out for a slot that is gone
    yield Promise(
        kind=Kind.TELL_PATIENT,
        key="tell:no_result",
        start_at=since,
        due_at=due,
        role=Role.NURSE,
        responsible_id=facts.responsible_id,
        about={"no_result": True},
    )


def _without_result_since(facts: ProcedureFacts) -> datetime | None:
    moments = [t.ended_at for t in facts.tests if t.cancelled_after_collection and t.ended_at]
    if facts.status is S.CANCELLED:  # with or without a slot: whoever was referred expects a call
        moments.append(facts.ended_at or facts.requested_at)
    if facts.status is S.COMPLETED and facts.outcome in {Outcome.NO_FLUID, Outcome.NOT_ATTEMPTED}:
        moments.append(_needle(facts))
    return max(moments) if moments else None


def symptom_check(facts: ProcedureFacts) -> Iterator[Promise]:
    """After a needle the danger signs are asked at the protocol's hours; silence is never taken for well."""
    if facts.started_at is None or facts.status is not S.COMPLETED or facts.outcome not in NEEDLE_IN:
        return
    if facts.deceased or facts.disposition is Disposition.DIED:
        return
    settled = {s.check_code for s in facts.symptoms if s.outcome in {"answered", "not_needed"}}
    for check in facts.protocol.symptom_checks:
        if check.code in settled or (check.only_if and not facts.flags.intersection(check.only_if)):
            continue
        start = facts.started_at + timedelta(hours=check.after_hours)
        yield Promise(
            kind=Kind.SYMPTOM_CHECK,
            key=f"symptoms:{check.code}",
            start_at=start,
            due_at=start + timedelta(hours=check.within_hours),
            role=Role.NURSE,
            responsible_id=facts.responsible_id,
            about={"check": check.code, "encounter": str(facts.encounter_class)},
        )


def restart_medicine(facts: ProcedureFacts) -> Iterator[Promise]:
    """Every held medicine is restarted, or not, with a reason. Without a slot any more it is due at once."""
    if facts.deceased or facts.disposition is Disposition.DIED:
        return
    for hold in facts.holds:
        if hold.decided:
            continue
        if facts.status in {S.CANCELLED, S.NO_SHOW, S.ENTERED_IN_ERROR} or _lost_its_slot(facts):
            due = max(facts.ended_at or hold.decided_at, hold.decided_at)
        elif facts.status is S.COMPLETED:
            due = hold.restart_due_at or max(_needle(facts), hold.decided_at)
        elif facts.status is S.REQUESTED:
            due = hold.restart_due_at or max(_book_by(facts), hold.decided_at)
        else:
            due = hold.restart_due_at or max(facts.slot_ends_at or hold.decided_at, hold.decided_at)
        yield Promise(
            kind=Kind.RESTART_MEDICINE,
            key=f"restart:{hold.id}",
            start_at=hold.decided_at,
            due_at=due,
            role=Role.PHYSICIAN,
            responsible_id=facts.responsible_id,
            level="abnormal",
            about={"hold": hold.id},
        )


CLAUSES: tuple[Callable[[ProcedureFacts], Iterator[Promise]], ...] = (
    book_request,
    carry_out,
    rebook_no_show,
    sign_record,
    checklist_after_emergency,
    collect_tests,
    specimen_not_received,
    specimen_lost,
    awaited_result,
    review_result,
    do_action,
    tell_results,
    tell_no_result,
    symptom_check,
    restart_medicine,
)


# --- small words ----------------------------------------------------------------------------


def _waits_since(facts: ProcedureFacts) -> datetime:
    """Since when a case without a slot waits for one: the request, or the moment it lost the one it had."""
    return max(facts.requested_at, facts.ended_at or facts.requested_at)


def _book_by(facts: ProcedureFacts) -> datetime:
    return _waits_since(facts) + timedelta(hours=facts.protocol.book_within_hours[str(facts.urgency)])


def _lost_its_slot(facts: ProcedureFacts) -> bool:
    return facts.status is S.REQUESTED and facts.ended_at is not None


def _needle(facts: ProcedureFacts) -> datetime:
    """When the attempt ended; for an unfinished record the best time that is known."""
    return facts.completed_at or facts.started_at or facts.slot_at or facts.requested_at


def _level(level: str) -> str:
    return level if level in {"normal", "critical"} else "abnormal"


def _current(facts: ProcedureFacts) -> Iterator[tuple[TestFact, VersionFact]]:
    for test in facts.tests:
        if test.current is not None:
            yield test, test.current


def _by_specimen(tests: Iterable[TestFact]) -> Iterator[tuple[int, list[TestFact]]]:
    """Tests grouped by specimen; 0 for those recorded without one."""
    rows = sorted(tests, key=lambda t: (t.specimen_id or 0, t.id))
    for specimen_id, group in groupby(rows, key=lambda t: t.specimen_id or 0):
        yield specimen_id, list(group)
