"""Applying what a laboratory's message says: matched, entered, or waiting for a person. Nothing twice, nothing lost.

One transaction for a message; each result in a savepoint of its own, so that a broken one does not lose the rest. The
cases are locked first, then the message. An observation that was entered, rejected or noted stays what it is when the
message is read again; what waits may be entered now.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from django.db import InterfaceError, OperationalError, transaction

from clinic import audit, clock, row_locks
from clinic.actor import Actor
from clinic.errors import Conflict, place_of
from procedures import events
from procedures.domain import parts as rules
from procedures.domain import pieces
from procedures.domain.matching import WaitReason
from procedures.domain.parts import Part
from procedures.domain.report import Report, Standing
from procedures.domain.states import Level
from procedures.models import InboundItem, InboundMessage, Laboratory, Procedure
from procedures.models.inbound import InboundState, ItemState
from procedures.selectors import matching
from procedures.services import inbound_entries as entering
from procedures.services import lab_rows as rows
from procedures.services.inbound_entries import Entered, Entry

logger = logging.getLogger(__name__)
LABEL_LENGTH = 200
PROBLEM_LENGTH = 300
#: Of a message in which no service is named.
WHOLE = "MSH[1]"
#: Codes of problems by which something of the message is in no service.
LOST = frozenset({"unreadable", "second_message", "continued"})


@dataclass
class Outcome:
    """What one reading of a message did: how many parts, and the cases it changed."""

    applied: int = 0
    waiting: int = 0
    noted: int = 0
    cases: set[int] = field(default_factory=set)


@transaction.atomic
def apply(message: InboundMessage, report: Report, *, actor: Actor | None = None) -> Outcome:
    """Enter what is certain, keep the rest for a person. Again: only what waited is looked at anew."""
    by = actor or Actor.system("laboratory")
    laboratory = matching.laboratory_of(report.sender.application, report.sender.facility)
    parts = rules.parts_of(report, matching.known_for(report, laboratory))
    cases = locked_cases(part.where.case.id for part in parts if part.where.case)
    row = locked_message(message)
    items = {item.place: item for item in row.items.all()}
    new = [part for part in parts if _looked_at_anew(items.get(part.place))]
    outcome = Outcome()
    certain = [part for part in new if part.certain and part.standing is not Standing.PENDING]
    settled = enter_all(report, row, cases, certain, by, outcome)
    kept = []
    for part in new:
        entered = settled.get(part.place, Entered(ItemState.NOTED if part.certain else ItemState.WAITING))
        kept.append(keep(row, items.get(part.place), part, entered, outcome))
    InboundItem.objects.bulk_create([item for item in kept if item._state.adding])
    for place in _left_over(report):
        _keep_whole(row, items, place, outcome)
    finish(row, cases, outcome.cases, by, laboratory=laboratory)
    return outcome


def enter_all(
    report: Report,
    message: InboundMessage,
    cases: dict[int, Procedure],
    parts: Sequence[Part],
    actor: Actor,
    outcome: Outcome,
) -> dict[str, Entered]:
    """Each entry in its savepoint. What fails is kept as waiting; by place."""
    settled: dict[str, Entered] = {}
    for entry in entering.entries(report, message, cases, parts, actor):
        double = {part.place for part in pieces.double_numbers(entry.data, entry.parts)}
        left = tuple(part for part in entry.parts if part.place not in double)
        settled |= {place: Entered(ItemState.WAITING, reason=str(WaitReason.SEVERAL_VALUES)) for place in double}
        if not left:
            continue
        entered = _enter(replace(entry, parts=left))
        settled |= {part.place: entered for part in left}
        if entered.state != ItemState.WAITING:
            outcome.cases.add(entry.procedure.pk)
    return settled


def _enter(entry: Entry) -> Entered:
    try:
        with transaction.atomic():
            return entering.enter(entry)
    except (OperationalError, InterfaceError):
        raise  # the database, not the message: the whole is tried again
    except Exception as error:  # whatever is wrong with this part, the others are entered and this one waits
        # neither the message nor the error's own words: they may hold values
        pk, kind = entry.message.pk, type(error).__name__
        logger.error("inbound message=%s part not entered error=%s at=%s", pk, kind, place_of(error))
        return Entered(ItemState.WAITING, reason=str(WaitReason.FAILED))


def _looked_at_anew(item: InboundItem | None) -> bool:
    """Not what was settled, and not what a person took back: that waits for a person."""
    return item is None or (item.state == ItemState.WAITING and str(WaitReason.UNDONE) not in item.reasons)


def keep(
    message: InboundMessage, item: InboundItem | None, part: Part, entered: Entered, outcome: Outcome, **decided: object
) -> InboundItem:
    """The row of one part, brought up to what came of it; a new one is not saved yet."""
    case = part.where.case
    waits = entered.state == ItemState.WAITING
    values: dict[str, object] = {
        "label": part.label[:LABEL_LENGTH],
        "state": str(entered.state),
        "reasons": [*part.reasons, *([entered.reason] if entered.reason else [])] if waits else [],
        "patient_id": part.who.patient,
        "procedure_id": case.id if case else None,
        "test": entered.test,
        "version": entered.version,
        "level": str(part.level if waits else Level.UNKNOWN),
        **decided,
    }
    outcome.waiting += waits
    outcome.applied += entered.state == ItemState.APPLIED
    outcome.noted += entered.state == ItemState.NOTED
    if item is None:
        return InboundItem(message=message, place=part.place, **values)
    for name, value in values.items():
        setattr(item, name, value)
    item.save(update_fields=[name.removesuffix("_id") for name in values])
    return item


def _left_over(report: Report) -> tuple[str, ...]:
    """What belongs to no service and still to somebody: a message without any, a segment that cannot be read."""
    if not report.groups:
        return (WHOLE,)
    inside = {problem for group in report.groups for problem in group.problems}
    lost = [p for p in report.problems if p.code in LOST and p not in inside and p.place is not None]
    return tuple(dict.fromkeys(str(problem.place) for problem in lost))


def _keep_whole(message: InboundMessage, items: dict[str, InboundItem], place: str, outcome: Outcome) -> None:
    """It waits for somebody who looks; nothing can be entered from it."""
    if place in items:
        outcome.waiting += items[place].state == ItemState.WAITING
        return
    reason = WaitReason.NOTHING_INSIDE if place == WHOLE else WaitReason.UNREADABLE_PART
    InboundItem.objects.create(message=message, place=place, state=ItemState.WAITING, reasons=[str(reason)])
    outcome.waiting += 1


def finish(
    message: InboundMessage,
    cases: dict[int, Procedure],
    touched: Iterable[int],
    actor: Actor,
    *,
    laboratory: Laboratory | None = None,
) -> None:
    """What state the message is in now; then whoever plans hears of the cases and of the message."""
    waits = message.items.filter(state=ItemState.WAITING).exists()
    message.state = InboundState.WAITING if waits else InboundState.DONE
    message.read_at = clock.now()
    message.problem = ""
    if laboratory is not None:
        message.laboratory = laboratory
    message.save(update_fields=["state", "read_at", "problem", "laboratory"])
    data = {"state": str(message.state), "cases": sorted(set(touched))}
    audit.record(action="inbound.applied", actor=actor, subject=message, data=data)
    for pk in sorted(set(touched)):
        events.changed(cases[pk])
    events.message_changed(message)


@transaction.atomic
def unreadable(*, message: InboundMessage, problem: str, actor: Actor | None = None) -> InboundMessage:
    """Nothing can be made of it: kept, owned, and visible until a person has dealt with it."""
    row = locked_message(message)
    if row.state in (InboundState.DONE, InboundState.WAITING) and row.read_at is not None:
        return row  # read before: what was made of it stands
    row.state, row.problem, row.read_at = InboundState.UNREADABLE, problem[:PROBLEM_LENGTH], clock.now()
    row.save(update_fields=["state", "problem", "read_at"])
    by = actor or Actor.system("laboratory")
    audit.record(action="inbound.unreadable", actor=by, subject=row)
    events.message_changed(row)
    return row


@transaction.atomic
def close_unreadable(*, message: InboundMessage, reason: str, actor: Actor) -> InboundMessage:
    """A person has seen what cannot be read, and says what was done about it."""
    reason = rows.given_reason(reason)
    row = locked_message(message)
    if row.state != InboundState.UNREADABLE:
        raise Conflict
    row.state, row.closed_by_id, row.closed_reason = InboundState.DONE, actor.user_id, reason
    row.save(update_fields=["state", "closed_by", "closed_reason"])
    audit.record(action="inbound.closed", actor=actor, subject=row, reason=reason)
    events.message_changed(row)
    return row


def locked_cases(pks: Iterable[int]) -> dict[int, Procedure]:
    """The cases' rows, locked in the one order."""
    return {pk: rows.locked_case(Procedure(pk=pk), dead=True) for pk in sorted(set(pks))}


def locked_message(message: InboundMessage) -> InboundMessage:
    """The message's row, locked after the cases it speaks of."""
    return row_locks.lock(InboundMessage, message.pk, without=("raw",))
