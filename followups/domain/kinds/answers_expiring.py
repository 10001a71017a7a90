"""Answers that will be too old when the needle goes in. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from clinic.roles import Role
from followups.domain.facts import ProcedureFacts
from followups.domain.kinds import Kind
from followups.domain.kinds.checklist_not_done import BEFORE
from followups.domain.kinds.spec import About, Chase, Plural, Spec, Station, gettext_noop
from followups.domain.promise import Promise

ON_THE_DAY = timedelta(days=1)


def answers_expiring(facts: ProcedureFacts) -> Iterator[Promise]:
    """Asked again so late that the new answer is still good at the slot, and half of that time is left for it at most.

    Only while the checklist is signed: else whoever completes it is shown what has expired. What is good for a day or
    less (capacity, a pregnancy test) is asked on the day itself: its stage waits for it, and the start for the stage.
    """
    if facts.status not in BEFORE or facts.slot_at is None or facts.stages_owed:
        return
    slot = facts.slot_at
    expiring = [answer for answer in facts.answers if answer.valid_until < slot and answer.valid_for > ON_THE_DAY]
    if not expiring:
        return
    start = max(slot - min(answer.valid_for for answer in expiring), facts.requested_at)
    yield Promise(
        kind=Kind.ANSWERS_EXPIRING,
        key="checklist:expiring",
        start_at=start,
        due_at=max(start + (slot - start) / 2, slot - timedelta(hours=facts.protocol.checklist_hours)),
        role=Role.NURSE,
        responsible_id=facts.responsible_id,
        about={"questions": sorted(answer.question for answer in expiring)},
    )


def _line(about: About, _key: str) -> Plural:
    count = len(about.get("questions", []))
    one = gettext_noop("Ask again: %(n)s answer will have expired")
    return Plural(one, gettext_noop("Ask again: %(n)s answers will have expired"), count)


SPEC = Spec(
    kind=Kind.ANSWERS_EXPIRING,
    rules=(answers_expiring,),
    label=gettext_noop("Ask again what has expired"),
    line=_line,
    mail=gettext_noop("Answers on a signed checklist will have expired before the procedure: ask them again."),
    opens="a signed checklist has answers that are good for less long than until the slot",
    closes="they are answered again, the case begins, or it loses its slot",
    page="procedures:checklist",
    station=Station.CHECKLIST,
    chase=Chase.CHECKLIST,
    timed=True,
    others_first=True,
)
