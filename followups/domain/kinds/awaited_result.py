"""A result that has not come: one promise per specimen and outer time. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts, by_specimen
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import About, Chase, Line, Spec, Station, gettext_noop
from followups.domain.promise import Promise
from procedures.domain.states import TEST_WAITING, TestStatus


def awaited_result(facts: ProcedureFacts) -> Iterator[Promise]:
    """Each awaited test, one promise per specimen and outer time (clinic-reality §3.1): *due* is a colour."""
    waiting = [t for t in facts.tests if t.status in TEST_WAITING and t.collected_at and t.outer_at]
    for specimen_id, tests in by_specimen(waiting):
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
                    "preliminary": any(t.status is TestStatus.PRELIMINARY for t in members),
                },
            )


def _line(about: About, _key: str) -> Line:
    if about.get("extended"):
        return gettext_noop("Result awaited, which takes weeks: %(tests)s")
    if about.get("preliminary"):
        return gettext_noop("Final result awaited after a preliminary one: %(tests)s")
    return gettext_noop("Result awaited: %(tests)s")


SPEC = Spec(
    kind=Kind.AWAITED_RESULT,
    rules=(awaited_result,),
    label=gettext_noop("Awaited result"),
    line=_line,
    mail=gettext_noop("A result is late: please ask the laboratory."),
    opens="a test was collected and has no final result: due from its usual hour, overdue from its outer hour",
    closes="the final result arrives, or the test is cancelled, lost or rejected",
    page="procedures:tests",
    station=Station.TEST,
    chase=Chase.AWAITED,
    timed=True,
    others_first=True,
    handed_on=gettext_noop("Read it on the day it comes, decide, and tell the patient."),
)
