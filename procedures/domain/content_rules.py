"""The tables of the rule set for the clinical content document: plain rows, one function per part. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from procedures.domain.content_tables import NO_SOURCE, SOURCE, Table, hours_text, number
from procedures.domain.rule_medicines import DoseRange, HoldRule, Ingredient, LabTarget, LocalChoice
from procedures.domain.rule_thresholds import Condition
from procedures.domain.ruleset import RuleSet

_SIGNS = {"at_most": "≤", "below": "<", "at_least": "≥", "above": ">"}


def tables(rules: RuleSet) -> Iterator[tuple[str, Table]]:
    yield "Bleeding classes", classes(rules)
    for kind in rules.medicines.classes:
        yield f"Medicines before the needle: {kind.label}", holds(rules, kind.code)
    yield "Dose tiers", tiers(rules)
    yield "Where guidelines disagree: local choices to sign", choices(rules)
    yield "Laboratory thresholds", lab_rules(rules)
    yield "How old a value may be at the needle", validity(rules)
    yield "Plausible values", measures(rules)
    yield "Rules over answers and facts", findings(rules)
    yield "Allergies", allergies(rules)
    yield "Pregnancy status", pregnancy(rules)
    yield "Names and codes of medicines", ingredients(rules)
    yield "Products that hide an ingredient", products(rules)


def classes(rules: RuleSet) -> Table:
    head = ("Class", "Not held long enough", "No safe interval", "To be asked", "Not recognised", "Combination", "Note")
    return (*head, SOURCE), [
        (c.label, c.hold, c.avoid, c.consult, c.unrecognised, c.combination, c.note, c.source)
        for c in rules.medicines.classes
    ]


def holds(rules: RuleSet, kind: str) -> Table:
    rows: list[tuple[Any, ...]] = []
    for rule in rules.medicines.holds:
        if rule.bleeding_class == kind:
            names = ", ".join(rules.ingredients[code].label for code in rule.ingredients)
            traumatic = restart(rule.restart_if_traumatic_hours, rule)
            remarks = " ".join(filter(None, (rule.note, _questions(rules, rule.choices))))
            rows.append(
                (names, _tier(rules, rule), band(rule), rule.action, hold_text(rules, rule),
                 restart(rule.restart_hours, rule), traumatic, remarks, rule.source)
            )  # fmt: skip
    head = ("Medicine", "Dose", "Clearance, mL/min", "Action", "Hold", "Restart", "After a traumatic tap", "Remarks")
    return (*head, SOURCE), rows


def hold_text(rules: RuleSet, rule: HoldRule) -> str:
    """``72 h, or …``; ``120 h, and …``."""
    parts = [hours_text(rule.hold_hours)] if rule.hold_hours else []
    labs = " or ".join(_target(rules, lab) for lab in rule.labs)
    if labs and rule.combine == "any":
        after = f" (from {rule.lab_after_hours} h on)" if rule.lab_after_hours else ""
        parts.append(f"or {labs}{after}")
    elif labs:
        parts.append(f"and {labs}")
    return ", ".join(parts)


def band(rule: HoldRule) -> str:
    if rule.crcl_min is None and rule.crcl_max is None:
        return "any"
    if rule.crcl_max is None:
        return f"from {number(rule.crcl_min)}"
    if rule.crcl_min is None:
        return f"below {number(rule.crcl_max)}"
    return f"{number(rule.crcl_min)} to below {number(rule.crcl_max)}"


def restart(hours: int | None, rule: HoldRule) -> str:
    if rule.action == "continue":
        return ""
    return "the physician sets it" if hours is None else hours_text(hours)


def tiers(rules: RuleSet) -> Table:
    rows: list[tuple[Any, ...]] = []
    for ingredient in rules.medicines.ingredients:
        for tier in ingredient.tiers:
            how = "; or ".join(_dose(dose) for dose in tier.doses)
            rows.append((ingredient.label, tier.label, how, _reduced(ingredient), ingredient.source))
    return ("Medicine", "Tier", "Told by", "Reduced dose means", SOURCE), rows


def choices(rules: RuleSet) -> Table:
    rows = [
        (c.question, "; ".join(_position(c)), c.default, c.signed_by or "not yet signed", c.source)
        for c in rules.choices.values()
    ]
    return ("Question", "Positions", "What the product does", "Signed by", SOURCE), rows


def lab_rules(rules: RuleSet) -> Table:
    rows: list[tuple[Any, ...]] = []
    for rule in rules.thresholds.lab_rules:
        measure = rules.measures[rule.measure]
        limits = [
            f"{word} {number(value)}"
            for word, value in (("from", rule.at_least), ("below", rule.below), ("above", rule.above))
            if value is not None
        ]
        what = f"{measure.label} {' '.join(limits)} {measure.units[0]}".rstrip()
        rows.append((rule.bleeding_class, what, rule.severity, rule.todo, rule.source))
    for request in rules.thresholds.lab_requests:
        when = _all(rules, request.when)
        what = f"{rules.measures[request.measure].label} missing or too old, if {when}"
        rows.append((request.bleeding_class, what, request.severity, request.todo, request.source))
    silent = [c.code for c in rules.medicines.classes if not any(row[0] == c.code for row in rows)]
    rows += [(code, "none: not blocked for platelets or INR", "", "", NO_SOURCE) for code in silent]
    return ("Class", "If", "Severity", "What to do", SOURCE), rows


def validity(rules: RuleSet) -> Table:
    return ("Values", "Of whom", "Valid for", SOURCE), [
        (
            ", ".join(rules.measures[code].label for code in v.measures), v.label,
            "the same day" if v.same_day else hours_text(v.hours), v.source,
        )
        for v in rules.thresholds.validity
    ]  # fmt: skip


def measures(rules: RuleSet) -> Table:
    return ("Value", "Units", "Plausible", "Abnormal", SOURCE), [
        (
            m.label, "; ".join(unit or "no unit" for unit in m.units), f"{m.lowest:g} to {m.highest:g}",
            " ".join(
                f"{word} {number(value)}"
                for word, value in (("below", m.abnormal_below), ("above", m.abnormal_above))
                if value is not None
            ),
            m.source,
        )
        for m in rules.thresholds.measures
    ]  # fmt: skip


def findings(rules: RuleSet) -> Table:
    rows: list[tuple[Any, ...]] = []
    for rule in rules.thresholds.rules:
        kinds = ", ".join(rule.classes) or "all"
        severity = rule.severity if rule.blocks == "start" else f"{rule.severity} of {rule.blocks} alone"
        rows.append((rule.title, kinds, severity, _all(rules, rule.when), rule.why, rule.todo, rule.source))
    return ("Finding", "Class", "Severity", "If (unknown counts as yes)", "Why", "What to do", SOURCE), rows


def allergies(rules: RuleSet) -> Table:
    labels = {a.code: a.label for a in rules.thresholds.allergens}
    reactions = ", ".join(f"{name}: {severity}" for name, severity in rules.thresholds.reactions.items())
    rows: list[tuple[Any, ...]] = [("Any", "the reaction", reactions, "", "", NO_SOURCE)]
    rows += [
        (labels[r.allergen], r.title, f"at most {r.severity}", _all(rules, r.when) or "always", r.todo, r.source)
        for r in rules.thresholds.allergy_rules
    ]
    return ("Allergy", "Finding", "Severity", "If", "What to do", SOURCE), rows


def pregnancy(rules: RuleSet) -> Table:
    found = rules.thresholds.pregnancy
    return ("What", "Valid for", SOURCE), [
        ("Status as told", hours_text(found.hours), found.source),
        ("Status by a test", hours_text(found.test_hours), found.source),
    ]


def ingredients(rules: RuleSet) -> Table:
    rows: list[tuple[Any, ...]] = []
    for i in rules.medicines.ingredients:
        code = i.rxcui if i.verified else f"{i.rxcui} *verify*".strip()
        names = ", ".join((*i.brands, *i.names))
        rows.append((i.label, rules.groups[i.group].label, names, code, i.note, i.source))
    return ("Ingredient", "Class", "Brands and other names", "RxCUI", "Note", SOURCE), rows


def products(rules: RuleSet) -> Table:
    return ("Product", "Holds", "Note", SOURCE), [
        (p.label, ", ".join(rules.ingredients[code].label for code in p.ingredients), p.note, p.source)
        for p in rules.medicines.products
    ]


def _tier(rules: RuleSet, rule: HoldRule) -> str:
    if not rule.tier:
        return "any"
    if len(rule.ingredients) > 1:
        return f"{rule.tier}, see the dose tiers"
    return next(tier.label for tier in rules.ingredients[rule.ingredients[0]].tiers if tier.code == rule.tier)


def _target(rules: RuleSet, target: LabTarget) -> str:
    measure = rules.measures[target.code]
    return f"{measure.label} {_SIGNS[target.op]} {number(target.value)} {measure.units[0]}".rstrip()


def _questions(rules: RuleSet, codes: Iterable[str]) -> str:
    asked = " ".join(rules.choices[code].question for code in codes)
    return f"Local choice: {asked}" if asked else ""


def _dose(dose: DoseRange) -> str:
    parts = [dose.route] if dose.route else []
    for name, above, up_to in (
        (f"{dose.unit} a day", dose.per_day_above, dose.per_day_up_to),
        (f"{dose.unit} a dose", dose.per_dose_above, dose.per_dose_up_to),
        ("times a day", dose.times_above, dose.times_up_to),
    ):
        parts += [f"more than {number(above)} {name}"] if above is not None else []
        parts += [f"up to {number(up_to)} {name}"] if up_to is not None else []
    parts = [part.replace("1 times a day", "once a day") for part in parts]
    words = {"yes": "as a reduced dose", "no": "not as a reduced dose"}
    return ", ".join(parts + ([words[dose.reduced]] if dose.reduced else []))


def _reduced(ingredient: Ingredient) -> str:
    found = ingredient.reduced
    if found is None:
        return ""
    parts = [
        text
        for value, text in (
            (found.age_from, f"age from {number(found.age_from)}"),
            (found.weight_up_to_kg, f"weight up to {number(found.weight_up_to_kg)} kg"),
            (found.creatinine_from_mg_dl, f"creatinine from {number(found.creatinine_from_mg_dl)} mg/dL"),
            (found.crcl_up_to, f"clearance up to {number(found.crcl_up_to)} mL/min"),
        )
        if value is not None
    ]
    return f"at least {found.at_least} of: {', '.join(parts)}"


def _position(choice: LocalChoice) -> Iterator[str]:
    for position in choice.positions:
        year = f" {position.year}" if position.year else ""
        yield f"{position.who}{year}: {position.says}"


def _all(rules: RuleSet, conditions: Iterable[Condition]) -> str:
    return " and ".join(_condition(rules, condition) for condition in conditions)


def _condition(rules: RuleSet, condition: Condition) -> str:
    kind, values = condition.kind, " or ".join(value.replace("_", " ") for value in condition.values)
    if kind == "any":
        return f"({' or '.join(_condition(rules, inner) for inner in condition.any_of)})"
    if kind == "medicine_group":
        groups = " or ".join(rules.groups[code].label for code in condition.values)
        return f"on the list: {groups}"
    if kind == "condition":
        label = rules.conditions[condition.subject].label
        return label if condition.values == ("yes",) else f"no {label}"
    words = {
        "answer": f"{condition.subject.replace('_', ' ')}: {values}",
        "answer_given": f"{condition.subject.replace('_', ' ')}: something is named",
        "procedure": f"{condition.subject.replace('_', ' ')} planned: {values}",
        "pregnancy": f"pregnancy: {values}",
        "measure_above": f"{condition.subject} above {number(condition.value)}",
        "volume_above": f"expected volume above {number(condition.value)} mL",
        "age_above": f"age above {number(condition.value)}",
        "below_min_age": "age below the protocol's youngest",
    }
    return words[kind]
