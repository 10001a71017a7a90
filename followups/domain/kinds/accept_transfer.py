"""What is pending goes with the patient: a named person accepts it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from clinic.roles import Role
from followups.domain import kinds
from followups.domain.facts import ProcedureFacts, TransferFact
from followups.domain.kinds import Kind, Subject
from followups.domain.kinds.spec import About, Inbox, Spec, Station, gettext_noop
from followups.domain.promise import Promise
from procedures.domain.states import Disposition, ProcedureStatus
from procedures.domain.transfers import ELSEWHERE, TransferAnswer, TransferWhy

#: Why somebody else is to accept it.
WHY = {
    "": gettext_noop("the patient goes elsewhere"),
    "ward": gettext_noop("back to the ward"),
    "admitted": gettext_noop("admitted"),
    "emergency_department": gettext_noop("to the emergency department"),
    "discharge": gettext_noop("discharged"),
    "responsible": gettext_noop("another clinician"),
}


def accept_transfer(facts: ProcedureFacts) -> Iterator[Promise]:
    """From the moment the patient goes elsewhere with something pending until a named person has accepted the list.

    First somebody is named, then that person accepts; who declines is followed by another name (clinic-reality
    §2.5-2.6). Ends by itself when nothing is pending any more.
    """
    if facts.deceased or facts.disposition is Disposition.DIED or facts.status is ProcedureStatus.ENTERED_IN_ERROR:
        return
    offer = next((t for t in facts.transfers if t.answer is TransferAnswer.OPEN), None)
    if offer is not None:
        if pending(facts, offer.why):
            yield _to_accept(facts, offer)
        return
    occasion = _unsettled(facts)
    if occasion is not None and pending(facts, occasion[0]):
        yield _to_name(facts, *occasion)


def pending(facts: ProcedureFacts, why: TransferWhy) -> list[Promise]:
    """What would be handed on: to another clinician of ours everything, else what concerns the patient."""
    found = []
    for spec in kinds.specs():
        if spec.kind is Kind.ACCEPT_TRANSFER or spec.subject is not Subject.PROCEDURE:
            continue
        if spec.handed_on or why is TransferWhy.RESPONSIBLE:
            found += [promise for rule in spec.rules for promise in rule(facts)]
    return found


def occasions(facts: ProcedureFacts) -> Iterator[tuple[TransferWhy, datetime]]:
    """Every moment from which on somebody else was to accept."""
    if facts.status is ProcedureStatus.COMPLETED:
        if facts.disposition in ELSEWHERE:
            yield ELSEWHERE[facts.disposition], facts.needle_ended_at
        if facts.discharged_at is not None and facts.started_at is not None and facts.discharged_at > facts.started_at:
            yield TransferWhy.DISCHARGE, facts.discharged_at
    last = _last(facts)
    if last is not None and last.answer is TransferAnswer.DECLINED and last.answered_at is not None:
        yield last.why, last.answered_at


def _last(facts: ProcedureFacts) -> TransferFact | None:
    return max(facts.transfers, key=lambda t: t.id, default=None)


def _unsettled(facts: ProcedureFacts) -> tuple[TransferWhy, datetime] | None:
    """The last occasion, unless a list that was made after it has been accepted."""
    found = sorted(occasions(facts), key=lambda occasion: occasion[1])
    accepted = [t.offered_at for t in facts.transfers if t.answer is TransferAnswer.ACCEPTED]
    if not found or (accepted and max(accepted) >= found[-1][1]):
        return None
    return found[-1]


def _to_name(facts: ProcedureFacts, why: TransferWhy, since: datetime) -> Promise:
    before = len(facts.transfers)
    last = _last(facts)
    return Promise(
        kind=Kind.ACCEPT_TRANSFER,
        key=f"transfer:name:{before}",
        start_at=since,
        due_at=since + timedelta(hours=facts.protocol.accept_within(why)),
        role=Role.PHYSICIAN,
        responsible_id=facts.responsible_id,
        about={
            "why": str(why),
            "before": before,
            "declined": last is not None and last.answer is TransferAnswer.DECLINED,
        },
    )


def _to_accept(facts: ProcedureFacts, offer: TransferFact) -> Promise:
    return Promise(
        kind=Kind.ACCEPT_TRANSFER,
        key=f"transfer:{offer.id}",
        start_at=offer.offered_at,
        due_at=offer.offered_at + timedelta(hours=facts.protocol.accept_within(offer.why)),
        role=Role.PHYSICIAN,
        responsible_id=offer.to_id or facts.responsible_id,
        about={"why": str(offer.why), "transfer": offer.id, "outside": offer.to_id is None},
    )


def _kept(about: About, facts: ProcedureFacts) -> bool:
    if "transfer" in about:
        return any(t.id == about["transfer"] and t.answer is TransferAnswer.ACCEPTED for t in facts.transfers)
    return len(facts.transfers) > int(about["before"])


def _line(about: About, _key: str) -> str:
    if about.get("outside"):
        return gettext_noop("Ask on the phone whether what is pending is accepted (%(why)s)")
    if "transfer" in about:
        return gettext_noop("Accept what is pending (%(why)s)")
    if about.get("declined"):
        return gettext_noop("Name another person who accepts what is pending (%(why)s)")
    return gettext_noop("Name who accepts what is pending (%(why)s)")


SPEC = Spec(
    kind=Kind.ACCEPT_TRANSFER,
    rules=(accept_transfer,),
    label=gettext_noop("Hand on what is pending"),
    line=_line,
    mail=gettext_noop("What is pending for a patient is to be handed on and accepted."),
    opens="the patient goes to a ward, the emergency department or home from the hospital, or another clinician "
    "becomes responsible, while something is pending",
    closes="a named person has accepted the list, by log-in or on the phone with read-back, or nothing is pending",
    page="followups:transfer",
    words={"why": WHY},
    kept=_kept,
    station=Station.HANDED_ON,
    inbox=Inbox.DO,
)
