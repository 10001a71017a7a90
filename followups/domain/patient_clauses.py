"""What the patient is owed: results told, danger signs asked, held medicines restarted. Pure: see planner.py.

Each function is one closing clause: while it returns a promise the case stays open.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts, TestFact, VersionFact
from followups.domain.kinds import Kind
from followups.domain.laboratory_clauses import graded
from followups.domain.promise import Promise
from followups.domain.telling import knows_of_cancellation
from procedures.domain.states import NEEDLE_IN, Disposition, Outcome, ProcedureStatus

S = ProcedureStatus


def tell_results(facts: ProcedureFacts) -> Iterator[Promise]:
    """Reviewed results are told: one promise per case, and one more for what cannot wait.

    Limits: VA 2015 (7 days if action is needed, 14 otherwise), critical the same day, from the protocol's data.
    """
    if facts.deceased or facts.disposition is Disposition.DIED:
        return
    urgent: list[tuple[TestFact, VersionFact]] = []
    ordinary: list[tuple[TestFact, VersionFact]] = []
    for test, version in facts.resulted():
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
    due = min(at + timedelta(hours=facts.protocol.tell_hours[graded(found)]) for at, found in reviews)
    levels = {graded(found) for _, found in reviews}
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
        moments.append(facts.needle_ended_at)
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
        if facts.status in {S.CANCELLED, S.NO_SHOW, S.ENTERED_IN_ERROR} or facts.lost_its_slot:
            due = max(facts.ended_at or hold.decided_at, hold.decided_at)
        elif facts.status is S.COMPLETED:
            due = hold.restart_due_at or max(facts.needle_ended_at, hold.decided_at)
        elif facts.status is S.REQUESTED:
            due = hold.restart_due_at or max(facts.book_by, hold.decided_at)
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
