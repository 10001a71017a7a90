"""The rules are run again and again, each time in the transaction of the step that asks, and what they say is kept.

A run refuses nothing, not even when the rules themselves fail: only the start waits (``gates``). Where no rules were
published nothing happens.
"""

from __future__ import annotations

import logging
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from clinic import access, audit, clock, row_locks
from clinic.actor import Actor
from clinic.errors import Conflict
from clinic.roles import Role
from procedures import events
from procedures.domain import clearance as rules
from procedures.domain.clearance import Moment
from procedures.domain.findings import Finding, Severity, changes
from procedures.models import FindingsSeen, Procedure, RuleSetVersion, SafetyRun
from procedures.selectors import checklists, rule_sets
from procedures.selectors import clearance as selector
from procedures.selectors import safety as live
from procedures.selectors.clearance import Judged

logger = logging.getLogger(__name__)

#: The stage that the rules are asked as; for any other moment what was signed today decides.
ASKED_AS = {
    Moment.BOOKING: live.PRE_VISIT,
    Moment.DAY_BEFORE: live.PRE_VISIT,
    Moment.ARRIVAL: live.PRE_VISIT,
    Moment.SIGN_IN: "sign_in",
    Moment.TIME_OUT: "time_out",
    Moment.START: "time_out",
}
#: Signing a stage is a moment of its own on the day.
SIGNED = {"sign_in": Moment.SIGN_IN, "time_out": Moment.TIME_OUT}


def run(*, actor: Actor, procedure: Procedure, moment: Moment, once: str | None = None) -> SafetyRun | None:
    """Judge a locked case by the newest rules, and keep what they say. None without rules, and once the needle is in.

    Called inside the transaction of the step; the caller tells that facts have changed.
    """
    judged = _now(procedure, moment)
    return _store(actor, procedure, moment, judged, once=once) if judged is not None else None


def look(*, actor: Actor, procedure: Procedure) -> SafetyRun | None:
    """After an answer: kept at once when what stops the case is different from what was kept before."""
    judged = _now(procedure, Moment.STOP_APPEARED)
    if judged is None:
        return None
    before = selector.newest(procedure)
    if _stops(judged.findings) == _stops(before.found if before else ()):
        return None
    return _store(actor, procedure, Moment.STOP_APPEARED, judged)


@transaction.atomic
def again(*, actor: Actor, procedure: Procedure, moment: Moment, once: str) -> SafetyRun | None:
    """A run that is made once under this name, however often it is asked for."""
    locked = _lock(procedure)
    if SafetyRun.objects.filter(once=once).exists():
        return None
    try:
        with transaction.atomic():
            made = run(actor=actor, procedure=locked, moment=moment, once=once)
    except IntegrityError:
        return None
    if made is not None:
        events.changed(locked)
    return made


def rules_changed(*, actor: Actor) -> int:
    """After a new rule set: run it over every open case that it judges otherwise. Returns how many these are."""
    version = live.rule_set()
    if version is None:
        return 0
    return sum(_rule_change(actor, procedure, old, version) for procedure, old in rule_sets.judged_by_others(version))


@transaction.atomic
def _rule_change(actor: Actor, procedure: Procedure, old: RuleSetVersion, new: RuleSetVersion) -> bool:
    locked = _lock(procedure)
    if locked.state not in selector.BEFORE or not rule_sets.difference(locked, clock.now(), old=old, new=new):
        return False
    once = f"{Moment.RULE_CHANGE}:{new.pk}:{locked.pk}"
    return again(actor=actor, procedure=locked, moment=Moment.RULE_CHANGE, once=once) is not None


def day_before(*, actor: Actor, first: date, last: date) -> tuple[int, int]:
    """Run the rules over every booked case whose slot is on a local day from ``first`` to ``last``, once for each slot.

    Returns how many runs were made, and how many cases were set aside because they raised.
    """
    if live.rule_set() is None:
        return 0, 0
    begin, end = (timezone.make_aware(datetime.combine(day, time.min)) for day in (first, last + timedelta(days=1)))
    rows = Procedure.objects.filter(status="scheduled", stay__startswith__gte=begin, stay__startswith__lt=end)
    wanted = {f"{Moment.DAY_BEFORE}:{p.pk}:{timezone.localtime(p.stay.lower):%Y-%m-%d}": p for p in rows}
    done = set(SafetyRun.objects.filter(once__in=wanted).values_list("once", flat=True))
    made = aside = 0
    for once, procedure in sorted(wanted.items()):
        if once in done:
            continue
        try:
            made += again(actor=actor, procedure=procedure, moment=Moment.DAY_BEFORE, once=once) is not None
        except Exception:  # the other cases must not wait for this one
            logger.exception("procedure %s: the rules could not be run", procedure.pk)
            aside += 1
    return made, aside


@transaction.atomic
def seen(*, actor: Actor, run: SafetyRun) -> FindingsSeen:
    """Somebody has looked at what was different; who was first when two did."""
    access.require(actor, Role.NURSE, Role.PHYSICIAN)
    locked = _lock(run.procedure)
    there = FindingsSeen.objects.filter(run=run).first()
    if there is not None:
        return there
    if SafetyRun.objects.filter(procedure=locked, changed=True, pk__gt=run.pk).exists():
        raise Conflict("The findings have changed again since you saw them. Look once more.")
    assert actor.user_id is not None  # a role: a person
    row = FindingsSeen.objects.create(run=run, by_id=actor.user_id, at=clock.now())
    audit.record(action="safety.seen", actor=actor, subject=run, patient_id=locked.patient_id)
    events.changed(locked)
    return row


def _now(procedure: Procedure, moment: Moment) -> Judged | None:
    """What the newest rules say. An answer must be saved although they fail: the start then waits, and says so."""
    version = live.rule_set() if procedure.state in selector.BEFORE else None
    if version is None:
        return None
    try:
        return _judge(procedure, version, moment)
    except Exception:
        logger.exception("procedure %s: the safety rules failed", procedure.pk)
        return None


def _judge(procedure: Procedure, version: RuleSetVersion, moment: Moment) -> Judged:
    now = clock.now()
    found = checklists.rounds([procedure]).get(procedure.pk)
    asked = ASKED_AS.get(moment) or selector.moment_now(procedure, found, now)
    return selector.judge(procedure, now, version=version, moment=asked, found=found)


def _store(actor: Actor, procedure: Procedure, moment: Moment, judged: Judged, *, once: str | None = None) -> SafetyRun:
    before, now = selector.newest(procedure), clock.now()
    made = SafetyRun.objects.create(
        procedure=procedure,
        moment=str(moment),
        judged_at=judged.at,
        ran_at=now,
        by_id=actor.user_id,
        rule_set=judged.version,
        snapshot_digest=judged.snapshot_digest,
        findings=_rows(judged.findings, before, now.isoformat()),
        changed=before is not None and bool(changes(before.found, judged.findings)),
        once=once,
    )
    data = {"moment": str(moment), "rule_set": judged.version.number, "stops": len(_stops(judged.findings))}
    audit.record(action="safety.ran", actor=actor, subject=made, patient_id=procedure.patient_id, data=data)
    return made


def _rows(found: tuple[Finding, ...], before: SafetyRun | None, now: str) -> list[dict[str, Any]]:
    """The findings as data, each with the moment since when it has been found like this without a break."""
    known = {(row["key"], row["code"], row["severity"]): row["since"] for row in (before.findings if before else ())}
    return [f.as_data() | {"since": known.get((f.key, f.code, str(f.severity)), now)} for f in found]


def _stops(found: tuple[Finding, ...]) -> set[tuple[str, str]]:
    return {(f.key, rules.seen(f)) for f in found if f.severity is Severity.STOP}


def _lock(procedure: Procedure) -> Procedure:
    related = ("patient", "protocol_version__protocol", "room")
    return row_locks.lock(Procedure, procedure.pk, *related, without=("protocol_version__data",))
