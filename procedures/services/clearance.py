"""A physician decides on what the rules have found; over a stop a second person signs.

A decision names what was seen. When the findings are others by the time it is sent, it is refused and shown again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from clinic import access, audit, clock
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid, NotPermitted
from clinic.models import Room, User
from clinic.roles import Role
from procedures import events
from procedures.domain import clearance as rules
from procedures.domain.clearance import Decision, Moment, Standing
from procedures.domain.findings import Finding, Severity
from procedures.models import ClearanceDecision, ClearanceSignature, Procedure, SafetyRun
from procedures.selectors import clearance as selector
from procedures.selectors.clearance import Clearance
from procedures.services import bookings, holds, moves, safety, slots

CHANGED = "The findings have changed since you saw them. Nothing was decided. Look again."
OVER = "The needle is in, or there will be none: nothing is left to decide here."


@dataclass(frozen=True, kw_only=True)
class To:
    """Where the booking moves with *hold until*. ``seen``: ``slots.token`` of the booking that was shown."""

    start: datetime
    room: Room | None
    seen: str = ""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What was decided, about which findings (``keys``), as seen (``seen``: the digest of the page).

    ``agreed_with``: of held medicines, the prescriber (name, clinic, phone). ``to``: moves the booking.
    """

    decision: Decision
    keys: Collection[str]
    seen: str
    reason: str
    hold_until: datetime | None = None
    correct: str = ""
    agreed_with: str = ""
    hold_medicines: bool = False
    to: To | None = None


@events.together()
def decide(*, actor: Actor, procedure: Procedure, wish: Wish) -> ClearanceDecision:
    """Write the decision down and do what follows from it: hold the medicines, move the booking, cancel the case.

    Raises Invalid at the field that lacks something, Conflict when the findings are no longer those that were seen, and
    whatever moving the booking raises (nothing is decided then).
    """
    access.require(actor, Role.PHYSICIAN)
    now = clock.now()
    _check(wish, now)
    if wish.to is not None:  # patient, room and operator are locked before the case
        slots.lock(procedure, room=wish.to.room, operator=procedure.operator)
    locked = slots.lock_case(procedure)
    found = _as_seen(locked, wish, now)
    chosen = _chosen(found, wish)
    row = _store(actor, locked, wish, chosen, run=_run_of(actor, locked, found))
    _follow(actor, locked, wish, chosen, at=found.at)
    events.changed(locked, strict=True)
    return row


@transaction.atomic
def sign(*, actor: Actor, decision: ClearanceDecision) -> ClearanceSignature:
    """The second signature under *proceed* over a stop, by another physician or the director, from any device.

    Raises NotPermitted for whoever decided, Conflict when somebody else has signed or nothing is left to sign.
    """
    access.require(actor, Role.PHYSICIAN, Role.DIRECTOR)
    locked = slots.lock_case(decision.procedure)
    if decision.by_id == actor.user_id:
        raise NotPermitted("The second signature is that of another person.")
    there = ClearanceSignature.objects.filter(decision=decision).first()
    if there is not None:
        if there.by_id == actor.user_id:  # a double click
            return there
        raise Conflict("Somebody else has signed this already.")
    if locked.state not in selector.BEFORE:
        raise Conflict(OVER)
    if decision.decision != Decision.PROCEED or not decision.over_stop or decision.emergency:
        raise Invalid("This decision needs no second signature.")
    if not is_owed(locked, decision):
        raise Conflict("What was decided on has changed since. There is nothing left to sign: it is decided anew.")
    assert actor.user_id is not None  # a role: a person
    row = ClearanceSignature.objects.create(decision=decision, by_id=actor.user_id, at=clock.now())
    data = {"decision": decision.pk, "by": decision.by_id}
    audit.record(action="clearance.signed", actor=actor, subject=row, patient_id=locked.patient_id, data=data)
    events.changed(locked, strict=True)
    return row


def is_owed(procedure: Procedure, decision: ClearanceDecision) -> bool:
    """Whether a stop waits for the second signature under this decision now."""
    found = selector.of(procedure, clock.now())
    waiting = found.at_standing(Standing.TO_SIGN) if found else ()
    return any(s.decided is not None and s.decided.id == decision.pk for s in waiting)


def passed_in_emergency(*, actor: Actor, procedure: Procedure, run: SafetyRun, reason: str) -> ClearanceDecision | None:
    """Started over these stops by one person, with the reason of the emergency. Called inside the start."""
    fluoroscopic = selector.is_fluoroscopic(procedure)
    stood = rules.stand(run.found, selector.decided(procedure), fluoroscopic=fluoroscopic)
    stops = [s.finding for s in rules.uncleared(stood) if s.finding.severity is Severity.STOP]
    if not stops:
        return None
    wish = Wish(decision=Decision.PROCEED, keys=(), seen="", reason=reason)
    return _store(actor, procedure, wish, stops, run=run, emergency=True)


def _check(wish: Wish, now: datetime) -> None:
    if not wish.reason.strip():
        raise Invalid("Say why.", field="reason")
    if wish.decision is Decision.HOLD_UNTIL:
        until = wish.to.start if wish.to else wish.hold_until
        if until is None:
            raise Invalid("Say until when, or choose a slot.", field="hold_until")
        if until <= now:
            raise Invalid("That time is past.", field="hold_until")
    if wish.decision is Decision.CORRECT_FIRST and not wish.correct.strip():
        raise Invalid("Say what is corrected first: the drug, the product, the test.", field="correct")


def _as_seen(procedure: Procedure, wish: Wish, now: datetime) -> Clearance:
    if procedure.state not in selector.BEFORE:
        raise Conflict(OVER)
    found = selector.of(procedure, now)
    if found is None or found.digest != wish.seen:
        raise Conflict(CHANGED)
    return found


def _chosen(found: Clearance, wish: Wish) -> list[Finding]:
    asked = {s.finding.key: s.finding for s in found.stood if s.standing is not Standing.NOTHING}
    chosen = [asked[key] for key in dict.fromkeys(wish.keys) if key in asked]
    if not chosen:
        raise Invalid("Choose at least one finding that this decision is about.", field="keys")
    return chosen


def _run_of(actor: Actor, procedure: Procedure, found: Clearance) -> SafetyRun:
    """The stored run that says what was seen; a new one where the newest says something else."""
    if found.run is not None and rules.digest(found.run.found) == found.digest:
        return found.run
    made = safety.run(actor=actor, procedure=procedure, moment=Moment.STOP_APPEARED)
    assert made is not None  # there are rules, and the needle is not in
    return made


def _store(
    actor: Actor,
    procedure: Procedure,
    wish: Wish,
    chosen: Collection[Finding],
    *,
    run: SafetyRun,
    emergency: bool = False,
) -> ClearanceDecision:
    assert actor.user_id is not None  # a role: a person
    over_stop = any(finding.severity is Severity.STOP for finding in chosen)
    row = ClearanceDecision.objects.create(
        procedure=procedure,
        run=run,
        by_id=actor.user_id,
        at=clock.now(),
        decision=str(wish.decision),
        covers={finding.key: rules.seen(finding) for finding in chosen},
        over_stop=over_stop,
        reason=wish.reason.strip(),
        hold_until=(wish.to.start if wish.to else wish.hold_until) if wish.decision is Decision.HOLD_UNTIL else None,
        correct=wish.correct.strip() if wish.decision is Decision.CORRECT_FIRST else "",
        emergency=emergency,
    )
    data = {
        "decision": str(wish.decision),
        "over_stop": over_stop,
        "findings": sorted({finding.code for finding in chosen}),
        "run": run.pk,
        "emergency": emergency,
    }
    audit.record(
        action="clearance.decided", actor=actor, subject=row, patient_id=procedure.patient_id, reason=row.reason,
        data=data,
    )  # fmt: skip
    return row


def _follow(actor: Actor, procedure: Procedure, wish: Wish, chosen: list[Finding], *, at: datetime) -> None:
    """What the decision brings with it."""
    if wish.decision is Decision.CANCEL_UNSAFE:
        moves.cancel(actor=actor, procedure=procedure, reason=wish.reason)
    if wish.decision is not Decision.HOLD_UNTIL:
        return
    needle = wish.to.start if wish.to else wish.hold_until
    assert needle is not None  # checked
    if wish.hold_medicines:
        _hold(actor, procedure, wish, chosen, at=at, needle=needle)
    if wish.to is not None:
        bookings.schedule(
            actor=actor,
            procedure=procedure,
            start=wish.to.start,
            room=wish.to.room,
            operator=procedure.operator,
            seen=wish.to.seen,
        )


def _hold(
    actor: Actor, procedure: Procedure, wish: Wish, chosen: list[Finding], *, at: datetime, needle: datetime
) -> None:
    """A held medicine for each that was decided on, with the last dose that the needle allows."""
    assert actor.user_id is not None  # a role: a person
    by = User.objects.get(pk=actor.user_id)
    for finding in chosen:
        medicine = finding.title.params.get("medicine")
        if not finding.code.startswith("medicine_") or not medicine or finding.code == "medicine_not_recognised":
            continue
        planned = last_dose(finding, at=at, needle=needle)
        held = holds.hold(
            actor=actor,
            procedure=procedure,
            ingredient=str(medicine),
            decided_by=by,
            reason=wish.reason.strip()[:200],
            agreed_with=wish.agreed_with,
            planned_last_dose_at=planned,
        )
        if planned is not None and held.planned_last_dose_at != planned:
            holds.plan_last_dose(actor=actor, hold=held, at=planned)


def last_dose(finding: Finding, *, at: datetime, needle: datetime) -> datetime | None:
    """The dose that is the last before ``needle``: the one that was taken, else the latest that may still be."""
    if finding.hold_from is None:
        return None
    length = at - finding.hold_from
    return (finding.earliest_safe_at or needle) - length
