"""Stops and cautions of a booked case that nobody has decided on. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts
from followups.domain.kinds import Kind
from followups.domain.kinds.checklist_not_done import BEFORE
from followups.domain.kinds.spec import About, Inbox, Plural, Spec, Station, gettext_noop
from followups.domain.promise import Promise


def clear_findings(facts: ProcedureFacts) -> Iterator[Promise]:
    """Decided so long before the slot that what is decided can still be done; cautions until the slot.

    A stop that is found when that time has come already is critical.
    """
    found = facts.safety
    if facts.status not in BEFORE or facts.slot_at is None or found.since is None:
        return
    early = facts.slot_at - timedelta(hours=facts.protocol.checklist_hours)
    late = found.since >= early
    due = (facts.slot_at if late else early) if found.stops else facts.slot_at
    yield Promise(
        kind=Kind.CLEAR_FINDINGS,
        key="clearance",
        start_at=found.since,
        due_at=max(due, found.since),
        role=Role.PHYSICIAN,
        responsible_id=facts.responsible_id,
        level=("critical" if late else "abnormal") if found.stops else "normal",
        about={"stops": found.stops, "cautions": found.cautions},
    )


def _line(about: About, _key: str) -> Plural:
    stops, cautions = int(about.get("stops", 0)), int(about.get("cautions", 0))
    if stops:
        one = gettext_noop("Decide on %(n)s stop before the needle")
        return Plural(one, gettext_noop("Decide on %(n)s stops before the needle"), stops)
    one = gettext_noop("Decide on %(n)s caution before the needle")
    return Plural(one, gettext_noop("Decide on %(n)s cautions before the needle"), cautions)


SPEC = Spec(
    kind=Kind.CLEAR_FINDINGS,
    rules=(clear_findings,),
    label=gettext_noop("Decide on stops and cautions"),
    line=_line,
    mail=gettext_noop("The safety rules have found something before a procedure: a decision is needed."),
    opens="a stored run of the safety rules over a booked case has a stop or a caution that nobody has decided on",
    closes="it is decided on, no longer found, the case begins, or it loses its slot",
    page="procedures:clearance",
    station=Station.CHECKLIST,
    inbox=Inbox.DECIDE,
)
