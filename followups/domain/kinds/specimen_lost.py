"""A specimen that was lost or rejected. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts, by_specimen
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import Chase, Inbox, Spec, Station, gettext_noop
from followups.domain.promise import Promise
from procedures.domain.states import TestStatus


def specimen_lost(facts: ProcedureFacts) -> Iterator[Promise]:
    """A rejected or lost specimen needs a recorded decision: recollect, or cancel its tests with a reason."""
    lost = [t for t in facts.tests if t.status in {TestStatus.REJECTED, TestStatus.LOST}]
    for specimen_id, tests in by_specimen(lost):
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


SPEC = Spec(
    kind=Kind.SPECIMEN_LOST,
    rules=(specimen_lost,),
    label=gettext_noop("Decide about a lost specimen"),
    line=gettext_noop("Decide: specimen rejected or lost (%(tests)s)"),
    mail=gettext_noop("A specimen was lost or rejected: decide whether to take it again."),
    opens="a specimen is recorded as lost or rejected",
    closes="its tests are collected again, or cancelled with a reason",
    page="procedures:tests",
    station=Station.SPECIMENS,
    inbox=Inbox.DECIDE,
    chase=Chase.LOST,
    handed_on=gettext_noop("Decide whether it is taken again."),
)
