"""The patient hears of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts, TestFact, VersionFact
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import About, Chase, Inbox, Line, Plural, Spec, Station, alive, gettext_noop
from followups.domain.levels import graded
from followups.domain.promise import Promise
from followups.domain.telling import knows_of_cancellation
from procedures.domain.states import Disposition, Outcome, ProcedureStatus

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
    """A case that was cancelled, a needle without fluid, a test that was given up or must be taken again: the patient
    hears of it."""
    if facts.deceased or facts.disposition is Disposition.DIED:
        return
    since = _without_result_since(facts)
    if since is None or knows_of_cancellation(facts.contacts, since):
        return
    again = any(t.recollect_at == since for t in facts.tests)
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
        about={"no_result": True, "again": again},
    )


def _without_result_since(facts: ProcedureFacts) -> datetime | None:
    moments = [t.ended_at for t in facts.tests if t.cancelled_after_collection and t.ended_at]
    moments += [t.recollect_at for t in facts.tests if t.recollect_at]
    if facts.status is S.CANCELLED:  # with or without a slot: whoever was referred expects a call
        moments.append(facts.ended_at or facts.requested_at)
    if facts.status is S.COMPLETED and facts.outcome in {Outcome.NO_FLUID, Outcome.NOT_ATTEMPTED}:
        moments.append(facts.needle_ended_at)
    return max(moments) if moments else None


def _line(about: About, key: str) -> Line:
    if about.get("again"):
        return gettext_noop("Tell the patient that a test must be taken again")
    if about.get("no_result"):
        return gettext_noop("Tell the patient that there is no (full) result")
    count = len(about.get("versions", []))
    if key == "tell:now":
        one, many = (
            gettext_noop("Tell the patient now: %(n)s result"),
            gettext_noop("Tell the patient now: %(n)s results"),
        )
        return Plural(one, many, count)
    one, many = gettext_noop("Tell the patient: %(n)s result"), gettext_noop("Tell the patient: %(n)s results")
    return Plural(one, many, count)


SPEC = Spec(
    kind=Kind.TELL_PATIENT,
    rules=(tell_results, tell_no_result),
    label=gettext_noop("Tell the patient"),
    line=_line,
    mail=gettext_noop("A patient is waiting to be told."),
    opens=(
        "a result was reviewed and is to be told, a slot or a case was cancelled, a needle gave no result, or a lost "
        "test is given up or taken again"
    ),
    closes="the patient, or who answers for them, was reached about exactly this, or the letter went out",
    page="followups:tell",
    kept=alive,
    station=Station.TOLD,
    inbox=Inbox.TELL,
    chase=Chase.CALL,
    handed_on=gettext_noop("Tell the patient, or who answers for them, and write down that they understood."),
)
