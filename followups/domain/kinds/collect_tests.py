"""Ordered tests without a specimen. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts
from followups.domain.kinds import Kind
from followups.domain.kinds.later_tests import waited_for
from followups.domain.kinds.spec import Chase, Spec, Station, gettext_noop
from followups.domain.promise import Promise
from procedures.domain.states import ProcedureStatus, TestStatus

S = ProcedureStatus


def collect_tests(facts: ProcedureFacts) -> Iterator[Promise]:
    """Tests that were ordered and have no specimen after the needle: collect or cancel them.

    What is to be taken days later is promised by itself.
    """
    later = waited_for(facts)
    waiting = [t for t in facts.tests if t.status is TestStatus.ORDERED and t.code not in later]
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


SPEC = Spec(
    kind=Kind.COLLECT_TESTS,
    rules=(collect_tests,),
    label=gettext_noop("Collect the ordered tests"),
    line=gettext_noop("Collect the ordered tests: %(tests)s"),
    mail=gettext_noop("Tests that were ordered have no specimen yet: collect or cancel them."),
    opens="the needle is out and an ordered test has no specimen",
    closes="each test is collected or cancelled with a reason",
    page="procedures:specimens",
    station=Station.SPECIMENS,
    chase=Chase.RECEIVED,
    handed_on=gettext_noop("Have it collected, or say that it is given up."),
)
