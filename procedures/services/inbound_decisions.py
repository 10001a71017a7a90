"""What a person decides about parts of a message that wait: attach, reject, and take a wrong attachment back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db import transaction

from clinic import audit, clock
from clinic.access import require
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid
from clinic.roles import CLINICAL, Role
from procedures import events
from procedures.domain import parts as rules
from procedures.domain.identity import Who
from procedures.domain.lab_content import OTHER
from procedures.domain.matching import WaitReason, Where
from procedures.domain.parts import Part
from procedures.domain.report import Report, Standing
from procedures.domain.states import Level
from procedures.domain.test_codes import LOINC, CodeReason, Target, Which
from procedures.models import InboundItem, InboundMessage, Laboratory, Procedure, ResultVersion
from procedures.models.inbound import ItemState
from procedures.selectors import matching
from procedures.services import arrivals, inbound, laboratories
from procedures.services import lab_rows as rows
from procedures.services.inbound import Outcome

#: Standings that a person may say where the laboratory has not.
TO_SAY = (Standing.PRELIMINARY, Standing.FINAL, Standing.CORRECTED)
CODE_LENGTH = 40
#: What taking an attachment back changes of a part.
UNDONE = (
    "state", "reasons", "version", "test", "level", "procedure", "decided_by", "decided_at", "decision_reason",
)  # fmt: skip
DONE_LENGTH = 300


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One part and what it is. ``target`` None: another result, which no test of the protocol is."""

    item: int
    target: Target | None
    standing: Standing | None = None


@transaction.atomic
def attach(
    *,
    message: InboundMessage,
    report: Report,
    procedure: Procedure,
    choices: Sequence[Choice],
    actor: Actor,
    remember: bool = False,
) -> list[InboundItem]:
    """Enter these parts in that case, as a person says. ``remember``: their codes mean the same from now on.

    Raises Conflict when somebody else has decided about one of them, Invalid for what cannot be entered.
    """
    require(actor, *CLINICAL)
    if not choices:
        raise Invalid("Tick at least one result.", field="items")
    case = rows.locked_case(procedure)
    row = inbound.locked_message(message)
    items = _waiting(row, [choice.item for choice in choices])
    laboratory = matching.laboratory_of(report.sender.application, report.sender.facility)
    parts = {part.place: part for part in rules.parts_of(report, matching.known_for(report, laboratory))}
    chosen = [_chosen(parts[items[choice.item].place], choice, case) for choice in choices]
    outcome = Outcome()
    settled = inbound.enter_all(report, row, {case.pk: case}, chosen, actor, outcome)
    decided = {"decided_by_id": actor.user_id, "decided_at": clock.now()}
    by_place = {item.place: item for item in items.values()}
    kept = []
    for part in chosen:
        entered = settled[part.place]
        if entered.state == ItemState.WAITING:
            raise Invalid(_why_not(entered.reason), part=part.label, field="items")
        kept.append(inbound.keep(row, by_place[part.place], part, entered, outcome, **decided))
    data = {"case": case.code, "parts": sorted(items), "remember": remember}
    audit.record(action="inbound.attached", actor=actor, subject=row, patient_id=case.patient_id, data=data)
    if remember and laboratory is not None:
        _remember(laboratory, case, [(parts[part.place], part) for part in chosen], actor)
    inbound.finish(row, {case.pk: case}, outcome.cases, actor)
    return kept


@transaction.atomic
def reject(*, message: InboundMessage, items: Sequence[int], reason: str, actor: Actor) -> list[InboundItem]:
    """Nothing of these is entered, because. They stay with the message."""
    require(actor, *CLINICAL)
    reason = rows.given_reason(reason)
    row = inbound.locked_message(message)
    found = _waiting(row, items)
    for item in found.values():
        item.state, item.decision_reason = ItemState.REJECTED, reason
        item.decided_by_id, item.decided_at = actor.user_id, clock.now()
        item.save(update_fields=["state", "decision_reason", "decided_by", "decided_at"])
    patients = {item.patient_id for item in found.values()} - {None}
    audit.record(
        action="inbound.rejected",
        actor=actor,
        subject=row,
        patient_id=next(iter(patients)) if len(patients) == 1 else None,
        reason=reason,
        data={"parts": sorted(found)},
    )
    inbound.finish(row, {}, (), actor)
    return list(found.values())


@transaction.atomic
def undo(*, version: ResultVersion, reason: str, actor: Actor) -> list[InboundItem]:
    """A wrong attachment is taken back: the value leaves the chart, its parts wait again, and a person places them.

    Whoever had acted on it hears of it.
    """
    require(actor, *CLINICAL)
    reason = rows.given_reason(reason)
    case = rows.locked_case(version.test.procedure, dead=True)
    items = list(version.inbound_items.filter(state=ItemState.APPLIED).select_related("message"))
    if not items:
        raise Conflict("This was taken back already.")
    row = inbound.locked_message(items[0].message)
    arrivals.put_back(procedure=case, version=version, reason=reason, actor=actor)
    for item in items:
        item.state, item.reasons = ItemState.WAITING, [str(WaitReason.UNDONE)]
        item.version = item.test = None
        item.level = str(Level.CRITICAL if version.level == Level.CRITICAL else Level.UNKNOWN)
        item.procedure, item.decided_by_id, item.decided_at, item.decision_reason = None, None, None, ""
        item.save(update_fields=UNDONE)
    data = {"case": case.code, "test": version.test.code, "parts": [item.pk for item in items]}
    audit.record(
        action="inbound.undone", actor=actor, subject=row, patient_id=case.patient_id, data=data, reason=reason
    )
    inbound.finish(row, {case.pk: case}, {case.pk}, actor)
    return items


@transaction.atomic
def deal(*, version: ResultVersion, done: str, actor: Actor) -> None:
    """A physician says what was done about a result that was taken back: its promise ends."""
    require(actor, Role.PHYSICIAN, Role.DIRECTOR)
    if not done.strip():
        raise Invalid("Say what was done.", field="done")
    case = rows.locked_case(version.test.procedure, dead=True)
    back = version.taken_back
    if back.dealt_at is not None:
        raise Conflict
    back.done, back.dealt_by_id, back.dealt_at = done.strip()[:DONE_LENGTH], actor.user_id, clock.now()
    back.save(update_fields=["done", "dealt_by", "dealt_at"])
    rows.note("result.taken_back_dealt", case, actor, {"test": version.test.code}, version, back.done)
    events.changed(case)


def _waiting(message: InboundMessage, pks: Sequence[int]) -> dict[int, InboundItem]:
    """These parts of the message, all of which still wait."""
    if not pks:
        raise Invalid("Tick at least one result.", field="items")
    found = {item.pk: item for item in message.items.filter(pk__in=set(pks))}
    if len(found) != len(set(pks)):
        raise Invalid("This is no part of this message.", field="items")
    if any(item.state != ItemState.WAITING for item in found.values()):
        raise Conflict("Somebody else has decided about this meanwhile. Look at the message again.")
    return found


def _chosen(part: Part, choice: Choice, case: Procedure) -> Part:
    """The part as the person says it is."""
    standing = choice.standing or part.standing
    if standing is Standing.UNKNOWN:
        raise Invalid("Say for %(part)s whether it is preliminary or final.", part=part.label, field="items")
    if standing is Standing.PENDING:
        raise Invalid("%(part)s says nothing that could be entered.", part=part.label, field="items")
    target = choice.target or Target(other_code(part), "said")
    protocol = case.protocol_version.parsed
    if choice.target and target.test not in {test.code for test in protocol.tests}:
        raise Invalid("This protocol has no such test.", field="items")
    ours = matching.case(case)
    tube = part.where.tube if part.where.tube in ours.tubes else None
    return replace(
        part,
        standing=standing,
        who=Who(case.patient_id),
        where=Where(ours, tube=tube),
        which=Which(target),
        reasons=(),
    )


def other_code(part: Part) -> str:
    """The code of a test of its own, from the laboratory's."""
    code = part.observation.code if part.observation else part.group.service
    name = code.loinc or code.local or code.text or part.place
    return OTHER + (re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-") or "result")[:CODE_LENGTH]


def _why_not(reason: str) -> str:
    if reason == WaitReason.SEVERAL_VALUES:
        return "%(part)s comes twice with different numbers: tick the one that holds and reject the other."
    return "%(part)s could not be entered. Nothing was saved."


def _remember(laboratory: Laboratory, case: Procedure, pairs: Sequence[tuple[Part, Part]], actor: Actor) -> None:
    """The code that raised the question means this from now on."""
    for asked, chosen in pairs:
        code, target = asked.observation.code if asked.observation else asked.group.service, chosen.which.target
        if target is None or target.test.startswith(OTHER):
            continue
        by_loinc = bool(code.loinc) and (not code.local or str(CodeReason.CODE_OF_ANOTHER_FLUID) in asked.reasons)
        system, value = (LOINC, code.loinc) if by_loinc else (code.local_system, code.local)
        if value:
            laboratories.map_code(
                laboratory=laboratory,
                protocol=case.protocol_version.protocol,
                system=system,
                code=value,
                label=code.text,
                target=target,
                actor=actor,
            )
