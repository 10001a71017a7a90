"""What the rules say about platelets and INR: a bad value, and a missing one where one is needed. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from procedures.domain import lab_values
from procedures.domain.findings import Finding, Severity, Text
from procedures.domain.predicates import Scene, Truth, holds, is_stale
from procedures.domain.rule_thresholds import LabRequest, LabRule


def findings(scene: Scene) -> Iterator[Finding]:
    """A value that is too old counts only against the patient; one that nobody knows counts as missing."""
    kind = scene.snapshot.procedure.bleeding_class
    bad: set[str] = set()
    for rule in scene.rules.thresholds.lab_rules:
        if rule.bleeding_class != kind:
            continue
        found = lab_values.current(scene.snapshot, scene.rules, rule.measure, scene.at)
        if found.value is not None and _applies(rule, found.value):
            bad.add(rule.measure)
            yield _bad(rule, found.value, found.at, scene)
    for request in scene.rules.thresholds.lab_requests:
        if request.bleeding_class != kind or not scene.snapshot.opened:
            continue
        found = lab_values.current(scene.snapshot, scene.rules, request.measure, scene.at)
        if _missing(request, found, scene):
            yield _needed(request, found, scene)


def _applies(rule: LabRule, value: float) -> bool:
    return (
        (rule.at_least is None or value >= rule.at_least)
        and (rule.below is None or value < rule.below)
        and (rule.above is None or value > rule.above)
    )


def _missing(request: LabRequest, found: lab_values.Current, scene: Scene) -> bool:
    """Asked and not known; or too old or never asked for, while there may be a reason to have it."""
    if found.value is None and not found.absent:
        return True
    if not found.absent and not is_stale(request.measure, found, scene):
        return False
    return holds(request.when, scene) in (Truth.YES, Truth.UNKNOWN)


def _bad(rule: LabRule, value: float, at: datetime | None, scene: Scene) -> Finding:
    severity = Severity(rule.severity)
    return Finding(
        key=f"lab:{rule.measure}",
        code=rule.code,
        severity=severity,
        title=Text(rule.title),
        evidence=(_seen(rule.measure, value, at, scene),),
        why=Text(rule.why),
        todo=Text(rule.todo),
        source=rule.source,
        blocks="start" if severity is Severity.STOP else "",
        beside=(rule.measure,),
        choices=(rule.choice,) if rule.choice else (),
    )


def _needed(request: LabRequest, found: lab_values.Current, scene: Scene) -> Finding:
    severity = Severity(request.severity)
    seen = Text("No value.") if found.value is None else _seen(request.measure, found.value, found.at, scene)
    too_old = (Text("Too old at the needle."),) if found.value is not None else ()
    return Finding(
        key=f"lab_needed:{request.measure}",
        code=request.code,
        severity=severity,
        title=Text(request.title),
        evidence=(seen, *too_old),
        why=Text(request.why),
        todo=Text(request.todo),
        source=request.source,
        blocks="start" if severity is Severity.STOP else "",
        beside=(request.measure,),
        unknown=found.value is None,
    )


def _seen(code: str, value: float, at: datetime | None, scene: Scene) -> Text:
    measure = scene.rules.measures[code]
    params = {"label": measure.label, "value": f"{value:g} {measure.units[0]}".rstrip(), "moment": at or scene.at}
    return Text("%(label)s %(value)s, %(moment)s", params)
