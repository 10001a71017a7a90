"""The second signature under an emergency start. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import About, Inbox, Spec, Station, gettext_noop
from followups.domain.promise import Promise
from procedures.domain.states import ProcedureStatus


def countersign_start(facts: ProcedureFacts) -> Iterator[Promise]:
    """One person started alone: another physician, or the director, signs within a day (clinic-reality §2.2).

    Never addressed to who started it: then it is every physician's, and after its time the director's.
    """
    if not facts.emergency_start or facts.countersigned or facts.started_at is None:
        return
    if facts.status is ProcedureStatus.ENTERED_IN_ERROR:
        return
    yield Promise(
        kind=Kind.COUNTERSIGN_START,
        key="countersign",
        start_at=facts.started_at,
        due_at=facts.started_at + timedelta(hours=facts.protocol.countersign_hours),
        role=Role.PHYSICIAN,
        responsible_id=None if facts.responsible_id == facts.emergency_by_id else facts.responsible_id,
    )


def _signed(_about: About, facts: ProcedureFacts) -> bool:
    return facts.countersigned


SPEC = Spec(
    kind=Kind.COUNTERSIGN_START,
    rules=(countersign_start,),
    label=gettext_noop("Countersign an emergency start"),
    line=gettext_noop("Countersign the emergency start (not by who started it)"),
    mail=gettext_noop("A case was started as an emergency by one person; a second signature is waiting."),
    opens="one person started a case as an emergency",
    closes="another physician or the director has signed, agreeing or not; who started it cannot",
    page="followups:countersign",
    kept=_signed,
    station=Station.NEEDLE,
    inbox=Inbox.DECIDE,
)
