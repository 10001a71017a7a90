"""A specimen on its way to the laboratory. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import Chase, Spec, Station, gettext_noop
from followups.domain.promise import Promise
from procedures.domain.states import TEST_WAITING


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


SPEC = Spec(
    kind=Kind.SPECIMEN_NOT_RECEIVED,
    rules=(specimen_not_received,),
    label=gettext_noop("Find out whether the specimen arrived"),
    line=gettext_noop("Confirm that the laboratory has the specimen (%(tests)s)"),
    mail=gettext_noop("Nobody has confirmed that a specimen arrived in the laboratory."),
    opens="a specimen was collected and its receipt is not recorded",
    closes="its receipt is recorded, any of its results arrives, or it is recorded as lost or rejected",
    page="procedures:tests",
    station=Station.SPECIMENS,
    chase=Chase.RECEIVED,
    others_first=True,
)
