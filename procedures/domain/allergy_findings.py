"""What the rules say about allergies: as hard as the reaction was, and no harder than the rule. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from procedures.domain.findings import Finding, Severity, Text
from procedures.domain.items import Source
from procedures.domain.names import fold
from procedures.domain.predicates import Scene, Truth, answered, holds
from procedures.domain.rule_thresholds import AllergyRule
from procedures.domain.ruleset import RuleSet
from procedures.domain.snapshot import Asked

BESIDE = "allergies"
_OWN = Source(source="Working default; needs a clinician's approval")


@dataclass(frozen=True, kw_only=True)
class Allergic:
    """One allergy as it counts. ``said``: nobody could answer the question, so it counts as one."""

    allergen: str
    text: str
    reaction: str
    beside: str
    unknown: bool = False


def recognise(rules: RuleSet, text: str) -> tuple[str, ...]:
    """The allergens that a typed substance may be; empty when none is recognised. Folded, whole words."""
    typed = f" {fold(text)} "
    return tuple(
        allergen.code
        for allergen in rules.thresholds.allergens
        if any(f" {fold(name)} " in typed for s in allergen.substances for name in (s.label, *s.names))
    )


def allergies(scene: Scene) -> tuple[Allergic, ...]:
    """Those listed, and those that a question of the checklist speaks of and the list does not."""
    found = [
        Allergic(allergen=a.category, text=a.text, reaction=a.severity, beside=BESIDE)
        for a in scene.snapshot.allergies.entries
    ]
    listed = {a.allergen for a in found}
    for question in scene.rules.thresholds.allergy_questions:
        said = answered(question.question, question.values, scene)
        counts = said is Truth.YES or (said is Truth.UNKNOWN and scene.snapshot.opened)
        if counts and question.allergen not in listed:
            label = next(a.label for a in scene.rules.thresholds.allergens if a.code == question.allergen)
            found.append(
                Allergic(
                    allergen=question.allergen,
                    text=label,
                    reaction="unknown",
                    beside=question.question,
                    unknown=said is Truth.UNKNOWN,
                )
            )
    return tuple(found)


def findings(scene: Scene) -> Iterator[Finding]:
    yield from _list_itself(scene)
    best: dict[str, Finding] = {}
    for allergy in allergies(scene):
        if not any(a.code == allergy.allergen for a in scene.rules.thresholds.allergens):
            found = [_not_recognised(allergy)]
        else:
            found = list(_applied(allergy, scene))
        for finding in found:
            known = best.get(finding.key)
            if known is None or finding.severity.rank > known.severity.rank:
                best[finding.key] = finding
    yield from best.values()


def _applied(allergy: Allergic, scene: Scene) -> Iterator[Finding]:
    """The rules of the allergen that apply. What is only *kept in view* is left out beside something harder."""
    kind, reactions = scene.snapshot.procedure.bleeding_class, scene.rules.thresholds.reactions
    weight = Severity(reactions.get(allergy.reaction, reactions["unknown"]))
    found = []
    for rule in scene.rules.thresholds.allergy_rules:
        if rule.allergen != allergy.allergen or (rule.classes and kind not in rule.classes):
            continue
        if holds(rule.when, scene) in (Truth.YES, Truth.UNKNOWN):
            severity = min(weight, Severity(rule.severity), key=lambda s: s.rank)
            found.append((rule, _finding(rule, allergy, severity)))
    conditional = any(rule.when for rule, _ in found)
    for rule, finding in found:
        if rule.when or not conditional or finding.severity is not Severity.INFO:
            yield finding


def _finding(rule: AllergyRule, allergy: Allergic, severity: Severity) -> Finding:
    evidence = [Text("Recorded: %(text)s", {"text": allergy.text})]
    if allergy.unknown:
        evidence = [Text("Nobody could say whether there is this allergy.")]
    elif allergy.reaction == "unknown":
        evidence.append(Text("What happened is not known: it counts as the worst."))
    return Finding(
        key=f"allergy:{rule.code}",
        code=rule.code,
        severity=severity,
        title=Text(rule.title),
        evidence=tuple(evidence),
        why=Text(rule.why),
        todo=Text(rule.todo),
        source=rule.source,
        blocks="start" if severity is Severity.STOP else "",
        beside=(allergy.beside,),
        flags=rule.flags,
        choices=(rule.choice,) if rule.choice else (),
        unknown=allergy.unknown,
    )


def _not_recognised(allergy: Allergic) -> Finding:
    mild = allergy.reaction == "intolerance"
    return Finding(
        key=f"allergy:?{allergy.text}",
        code="allergy_not_recognised",
        severity=Severity.INFO if mild else Severity.CAUTION,
        title=Text("%(text)s: no rule knows this allergy", {"text": allergy.text}),
        why=Text("It cannot be compared with kit, antiseptic, numbing medicine and dressing."),
        todo=Text("Somebody looks whether it is in anything that will be used."),
        source=_OWN,
        beside=(allergy.beside,),
    )


def _list_itself(scene: Scene) -> Iterator[Finding]:
    listed, snapshot = scene.snapshot.allergies, scene.snapshot
    nameless = listed.asked is Asked.NONE and not listed.none_by
    old = listed.valid_until is not None and listed.valid_until < scene.at
    missing = (listed.asked is Asked.NOT_ASKED or old) and snapshot.opened and snapshot.day_of
    if not (listed.asked is Asked.UNKNOWN or nameless or missing):
        return
    yield Finding(
        key="allergies",
        code="allergies_unknown",
        severity=Severity.STOP,
        title=Text("Allergies are not known"),
        evidence=(Text("“No known allergy” needs the name of who said so.") if nameless else Text("No valid answer."),),
        why=Text("Unknown is not none: antiseptic, numbing medicine and latex are used at once."),
        todo=Text("Ask the patient, the caregiver; look in the chart."),
        source=_OWN,
        blocks="start",
        beside=(BESIDE,),
        unknown=True,
    )
