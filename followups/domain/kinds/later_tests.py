"""Tests that are taken again days after the needle. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts, TestFact
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import About, Chase, Spec, Station, gettext_noop
from followups.domain.promise import Promise
from procedures.domain.lab_content import LaterTests
from procedures.domain.states import Disposition, Outcome, ProcedureStatus, TestStatus

#: Something was drained.
WITH_FLUID = frozenset({Outcome.DONE, Outcome.PARTIAL})


def asked(facts: ProcedureFacts) -> Iterator[tuple[LaterTests, datetime]]:
    """What the protocol asks for in this case and nobody has decided on, with the start of its window."""
    if facts.started_at is None or facts.status is not ProcedureStatus.COMPLETED or facts.outcome not in WITH_FLUID:
        return
    if facts.deceased or facts.disposition is Disposition.DIED:
        return
    for item in facts.protocol.later_tests:
        conditions = {*item.only_if, *item.if_answer}
        if item.code not in facts.later_decided and (not conditions or facts.flags & conditions):
            yield item, facts.started_at + timedelta(hours=item.after_hours)


def waited_for(facts: ProcedureFacts) -> frozenset[str]:
    """Codes of tests that may still be without a specimen because their time comes later."""
    return frozenset(code for item, _start in asked(facts) for code in facts.protocol.panel(item.panel).tests)


def later_tests(facts: ProcedureFacts) -> Iterator[Promise]:
    """Each is ordered and taken within its window, was read elsewhere, or is not needed with a reason."""
    for item, start in asked(facts):
        wanted = facts.protocol.panel(item.panel).tests
        taken = {test.code for test in facts.tests if _taken(test, start)}
        missing = [code for code in wanted if code not in taken]
        if not missing or facts.started_at is None:
            continue
        ordered = {test.code for test in facts.tests if test.status is not TestStatus.CANCELLED}
        yield Promise(
            kind=Kind.LATER_TESTS,
            key=f"later:{item.code}",
            start_at=start,
            due_at=facts.started_at + timedelta(hours=item.within_hours),
            role=Role.NURSE,
            responsible_id=facts.responsible_id,
            about={"item": item.code, "tests": missing, "ordered": ordered.issuperset(missing)},
        )


def _taken(test: TestFact, start: datetime) -> bool:
    """Taken in its window. What was lost afterwards is another promise until somebody has given the test up."""
    if test.status in {TestStatus.ORDERED, TestStatus.CANCELLED} or test.collected_at is None:
        return False
    return test.collected_at >= start


def _kept(about: About, facts: ProcedureFacts) -> bool:
    """Taken, read elsewhere, or decided; not when the patient has died or the record was corrected."""
    if about["item"] in facts.later_decided:
        return True
    return any(item.code == about["item"] for item, _start in asked(facts))


def _line(about: About, _key: str) -> str:
    if about.get("ordered"):
        return gettext_noop("Collect on time: %(tests)s")
    return gettext_noop("Order and collect on time: %(tests)s")


SPEC = Spec(
    kind=Kind.LATER_TESTS,
    rules=(later_tests,),
    label=gettext_noop("Take the later tests"),
    line=_line,
    mail=gettext_noop("Tests that are taken some days after a procedure are waiting to be collected."),
    opens="the protocol asks for tests some days after the needle (a large volume, or an answer of the checklist)",
    closes="each was collected within its window, was read elsewhere, or is not needed with a physician's reason",
    page="followups:later_tests",
    args=("code", "item"),
    kept=_kept,
    station=Station.SPECIMENS,
    chase=Chase.CALL,
    handed_on=gettext_noop("Have it taken in this window, compare with the values before, and act on a change."),
)
