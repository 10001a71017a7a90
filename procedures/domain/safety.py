"""The safety rules over what is known of a case at a moment. Pure.

``evaluate(snapshot, rules, at)``: ``at`` is the planned needle time when a case is booked or its checklist is filled
in, and the clock at arrival, sign-in and time-out. Unknown input is a finding and weighs as the worst that it could be.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from procedures.domain import allergy_findings, holds, lab_findings, medicine_findings
from procedures.domain.findings import Finding, Severity, Text, in_order
from procedures.domain.holds import EarliestSafe, Restart
from procedures.domain.items import Source
from procedures.domain.predicates import Scene, Truth
from procedures.domain.predicates import holds as conditions_hold
from procedures.domain.rule_thresholds import Condition, Rule
from procedures.domain.ruleset import RuleSet
from procedures.domain.snapshot import Medicine, Snapshot

_ASKED = Source(source="Working default: what nobody has asked is not known; needs a clinician's approval")


def evaluate(snapshot: Snapshot, rules: RuleSet, at: datetime) -> tuple[Finding, ...]:
    """Everything the rules have to say, the hardest first. Raises KeyError for a bleeding class they do not know."""
    scene = Scene(snapshot, rules, at)
    found = [
        *medicine_findings.findings(scene),
        *allergy_findings.findings(scene),
        *lab_findings.findings(scene),
        *_rules(scene),
    ]
    if not snapshot.opened:
        found.append(_not_asked_yet(snapshot))
    return in_order(found)


def earliest_safe(snapshot: Snapshot, rules: RuleSet, now: datetime) -> EarliestSafe:
    """From when on the needle may come, by the medicines, if what is still taken is stopped as planned, else now."""
    return holds.earliest_safe(Scene(snapshot, rules, now))


def restarts(
    medicine: Medicine, snapshot: Snapshot, rules: RuleSet, *, needle_at: datetime, traumatic: bool
) -> tuple[Restart, ...]:
    """When a held medicine is taken again after a needle at ``needle_at``."""
    return holds.restarts(medicine, Scene(snapshot, rules, needle_at), needle_at=needle_at, traumatic=traumatic)


def _rules(scene: Scene) -> Iterator[Finding]:
    kind = scene.snapshot.procedure.bleeding_class
    for rule in scene.rules.thresholds.rules:
        if rule.classes and kind not in rule.classes:
            continue
        truth = conditions_hold(rule.when, scene)
        if truth is Truth.YES or (truth is Truth.UNKNOWN and scene.snapshot.opened):
            yield _finding(rule, truth)


def _finding(rule: Rule, truth: Truth) -> Finding:
    severity = Severity(rule.severity)
    seen = "Recorded so." if truth is Truth.YES else "Not known: it counts as if it were so."
    return Finding(
        key=f"rule:{rule.code}",
        code=rule.code,
        severity=severity,
        title=Text(rule.title),
        evidence=(Text(seen),),
        why=Text(rule.why),
        todo=Text(rule.todo),
        source=rule.source,
        blocks=rule.blocks if severity is Severity.STOP else "",
        beside=tuple(dict.fromkeys(_beside(rule.when))),
        flags=rule.flags,
        choices=(rule.choice,) if rule.choice else (),
        unknown=truth is Truth.UNKNOWN,
    )


def _beside(conditions: tuple[Condition, ...]) -> Iterator[str]:
    """The questions that a rule looks at."""
    for condition in conditions:
        if condition.kind in ("answer", "answer_given", "measure_above"):
            yield condition.subject
        elif condition.kind == "medicine_group":
            yield "medicines"
        elif condition.kind == "pregnancy":
            yield "pregnancy_status"
        yield from _beside(condition.any_of)


def _not_asked_yet(snapshot: Snapshot) -> Finding:
    """One for the whole checklist, not one for each question. On the day itself it stops."""
    severity = Severity.STOP if snapshot.day_of else Severity.INFO
    return Finding(
        key="checklist",
        code="not_asked_yet",
        severity=severity,
        title=Text("Not asked yet"),
        why=Text("Nobody has begun the checklist, so nothing is known of allergies, bleeding, pregnancy and the rest."),
        todo=Text("Begin the checklist."),
        source=_ASKED,
        blocks="start" if severity is Severity.STOP else "",
        unknown=True,
    )
