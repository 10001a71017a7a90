"""What must hold inside a rule set beyond its shape. Pure; adds every problem and goes on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from procedures.domain.predicates import PREDICATES
from procedures.domain.problems import Problems
from procedures.domain.rule_medicines import HoldRule, Ingredient
from procedures.domain.rule_thresholds import Condition
from procedures.domain.ruleset import RuleSet
from procedures.domain.validate import check_codes, check_sources, refer

ACTIONS = ("continue", "hold", "avoid", "consult")
SEVERITIES = ("info", "caution", "stop")
COMBINE = ("", "all", "any")
LAB_OPS = ("at_most", "below", "at_least", "above")
BLOCKS = ("start", "fluoroscopy")
MATERIAL_KINDS = ("antiseptic", "anaesthetic")
PLANNED = ("location", "fluoroscopy", "antiseptic", "anaesthetic", "indication_kind", "latex_free", "first_of_day")
REACTIONS = ("anaphylaxis", "reaction", "intolerance", "unknown")
#: Predicates that compare with a number.
NUMERIC = ("measure_above", "volume_above", "age_above")


def validate_medicines(rules: RuleSet, problems: Problems) -> None:
    medicines = rules.medicines
    check_codes(medicines, problems, "")
    check_sources(medicines, problems, "")
    for index, kind in enumerate(medicines.classes):
        for name in ("hold", "avoid", "consult", "unrecognised", "combination"):
            one_of(getattr(kind, name), SEVERITIES, f"classes[{index}].{name}", problems)
        _check_choices((kind.choice,) if kind.choice else (), rules, f"classes[{index}].choice", problems)
    for name in ("confirmed_within_hours", "combination_hours"):
        if getattr(medicines.timing, name) <= 0:
            problems.add(f"timing.{name}", getattr(medicines.timing, name), "must be more than 0")
    for index, ingredient in enumerate(medicines.ingredients):
        _check_ingredient(ingredient, rules, f"ingredients[{index}]", problems)
    _check_rxcui(medicines.ingredients, problems)
    for index, product in enumerate(medicines.products):
        if not product.ingredients:
            problems.add(f"products[{index}].ingredients", [], "must name at least one")
        for place, code in enumerate(product.ingredients):
            refer(code, set(rules.ingredients), f"products[{index}].ingredients[{place}]", "ingredients", problems)
        if product.code in rules.ingredients:
            problems.add(f"products[{index}].code", product.code, "is already the code of an ingredient")
    for index, rule in enumerate(medicines.holds):
        _check_hold(rule, rules, f"holds[{index}]", problems)
    _check_every_band(rules, problems)


def validate_thresholds(rules: RuleSet, problems: Problems) -> None:
    thresholds = rules.thresholds
    check_codes(thresholds, problems, "")
    check_sources(thresholds, problems, "")
    for key in REACTIONS:
        if key not in thresholds.reactions:
            problems.add("reactions", dict(thresholds.reactions), f"must have {key}")
    for key, value in thresholds.reactions.items():
        one_of(key, REACTIONS, f"reactions.{key}", problems)
        one_of(value, SEVERITIES, f"reactions.{key}", problems)
    _check_unknown_reaction(rules, problems)
    _check_measures(rules, problems)
    _check_lab_rules(rules, problems)
    for index, rule in enumerate(thresholds.rules):
        path = f"rules[{index}]"
        one_of(rule.severity, SEVERITIES, f"{path}.severity", problems)
        one_of(rule.blocks, BLOCKS, f"{path}.blocks", problems)
        if not rule.when:
            problems.add(f"{path}.when", [], "must have a condition")
        _check_common(rule, rules, path, problems)
    _check_allergies(rules, problems)


def _check_measures(rules: RuleSet, problems: Problems) -> None:
    for index, measure in enumerate(rules.thresholds.measures):
        path = f"measures[{index}]"
        if len(measure.factors) != len(measure.units) or not measure.units:
            problems.add(f"{path}.factors", list(measure.factors), f"must be one for each unit ({len(measure.units)})")
        if measure.highest <= measure.lowest:
            problems.add(f"{path}.highest", measure.highest, f"must be more than lowest ({measure.lowest:g})")
        if measure.slip:
            refer(measure.slip, set(rules.measures), f"{path}.slip", "measures", problems)
    for index, validity in enumerate(rules.thresholds.validity):
        path = f"validity[{index}]"
        if validity.hours is None and not validity.same_day:
            problems.add(path, validity.code, "needs hours or same_day")
        for place, code in enumerate(validity.measures):
            refer(code, set(rules.measures), f"{path}.measures[{place}]", "measures", problems)
        check_conditions(validity.when, rules, f"{path}.when", problems)


def one_of(value: str, allowed: Sequence[str], path: str, problems: Problems) -> None:
    if value not in allowed:
        problems.add(path, value, f"must be one of {', '.join(a or repr(a) for a in allowed)}")


def check_conditions(conditions: Iterable[Condition], rules: RuleSet, path: str, problems: Problems) -> None:
    """Kinds of the closed list, with what each of them needs."""
    for index, condition in enumerate(conditions):
        place = f"{path}[{index}]"
        kind = condition.kind
        one_of(kind, tuple(PREDICATES), f"{place}.kind", problems)
        if kind in NUMERIC and condition.value is None:
            problems.add(f"{place}.value", None, f"{kind} needs a number")
        if kind == "measure_above":
            refer(condition.subject, set(rules.measures), f"{place}.subject", "measures", problems)
        if kind == "condition":
            refer(condition.subject, set(rules.conditions), f"{place}.subject", "conditions", problems)
            if condition.values not in (("yes",), ("no",)):
                problems.add(f"{place}.values", list(condition.values), 'must be ["yes"] or ["no"]')
        if kind == "procedure":
            refer(condition.subject, set(PLANNED), f"{place}.subject", "what can be planned", problems)
        if kind == "medicine_group":
            for group in condition.values:
                refer(group, set(rules.groups), f"{place}.values", "groups", problems)
        if kind == "any":
            check_conditions(condition.any_of, rules, f"{place}.any_of", problems)
        needs_values = kind in ("answer", "procedure", "medicine_group", "pregnancy")
        if (needs_values and not condition.values) or (kind == "any" and not condition.any_of):
            problems.add(f"{place}.values", [], f"{kind} needs at least one")


def _check_ingredient(ingredient: Ingredient, rules: RuleSet, path: str, problems: Problems) -> None:
    refer(ingredient.group, set(rules.groups), f"{path}.group", "groups", problems)
    if ingredient.rxcui and not ingredient.rxcui.isdigit():
        problems.add(f"{path}.rxcui", ingredient.rxcui, "must be digits")
    if ingredient.verified and not ingredient.rxcui:
        problems.add(f"{path}.verified", True, "there is no code to verify")
    for index, tier in enumerate(ingredient.tiers):
        if not tier.doses:
            problems.add(f"{path}.tiers[{index}].doses", [], "must have a dose")
        for place, dose in enumerate(tier.doses):
            where = f"{path}.tiers[{index}].doses[{place}].reduced"
            one_of(dose.reduced, ("", "yes", "no"), where, problems)
            if dose.reduced and ingredient.reduced is None:
                problems.add(where, dose.reduced, "the ingredient has no reduced dose")


def _check_rxcui(ingredients: Sequence[Ingredient], problems: Problems) -> None:
    seen: dict[str, str] = {}
    for index, ingredient in enumerate(ingredients):
        if ingredient.rxcui in seen:
            problems.add(
                f"ingredients[{index}].rxcui", ingredient.rxcui, f"is already the code of {seen[ingredient.rxcui]}"
            )
        elif ingredient.rxcui:
            seen[ingredient.rxcui] = ingredient.code


def _check_hold(rule: HoldRule, rules: RuleSet, path: str, problems: Problems) -> None:
    refer(rule.bleeding_class, set(rules.classes), f"{path}.bleeding_class", "classes", problems)
    one_of(rule.action, ACTIONS, f"{path}.action", problems)
    one_of(rule.combine, COMBINE, f"{path}.combine", problems)
    for index, code in enumerate(rule.ingredients):
        refer(code, set(rules.ingredients), f"{path}.ingredients[{index}]", "ingredients", problems)
        if rule.tier and code in rules.ingredients:
            tiers = {tier.code for tier in rules.ingredients[code].tiers}
            refer(rule.tier, tiers, f"{path}.tier", f"the tiers of {code}", problems)
    if rule.action == "hold" and not rule.hold_hours:
        problems.add(f"{path}.hold_hours", rule.hold_hours, "a hold needs its hours")
    if rule.action in ("continue", "consult") and (rule.hold_hours or rule.labs):
        problems.add(f"{path}.hold_hours", rule.hold_hours, f"is of no use for {rule.action}")
    if bool(rule.labs) != bool(rule.combine):
        problems.add(f"{path}.combine", rule.combine, "must say all or any where there is a laboratory target")
    for index, lab in enumerate(rule.labs):
        refer(lab.code, set(rules.measures), f"{path}.labs[{index}].code", "measures", problems)
        one_of(lab.op, LAB_OPS, f"{path}.labs[{index}].op", problems)
    for name in ("hold_hours", "lab_after_hours", "restart_hours", "restart_if_traumatic_hours"):
        if getattr(rule, name) is not None and getattr(rule, name) <= 0:
            problems.add(f"{path}.{name}", getattr(rule, name), "must be more than 0, or absent")
    traumatic = rule.restart_if_traumatic_hours
    if traumatic is not None and (rule.restart_hours is None or traumatic <= rule.restart_hours):
        problems.add(f"{path}.restart_if_traumatic_hours", traumatic, "must be longer than restart_hours, or absent")
    _check_choices(rule.choices, rules, f"{path}.choices", problems)


def _check_every_band(rules: RuleSet, problems: Problems) -> None:
    """For each class and ingredient: every tier has a rule, and its renal bands leave no gap and do not overlap."""
    for kind in rules.classes:
        for ingredient in rules.medicines.ingredients:
            found = rules.holds.get((kind, ingredient.code), ())
            tiers = {rule.tier for rule in found}
            wanted = {""} if tiers <= {""} else {tier.code for tier in ingredient.tiers}
            if not found or tiers != wanted:
                missing = ", ".join(sorted(wanted - tiers)) or "a rule"
                problems.add("holds", ingredient.code, f"{kind} lacks {missing}, or has both with and without a tier")
            for tier in tiers:
                _check_bands([rule for rule in found if rule.tier == tier], ingredient.code, kind, problems)


def _check_bands(rules: list[HoldRule], code: str, kind: str, problems: Problems) -> None:
    bands = sorted(((rule.crcl_min or 0.0), rule.crcl_max) for rule in rules)
    gap = bands[0][0] != 0 or bands[-1][1] is not None
    if gap or any(upper != lower for (_, upper), (lower, _) in pairwise(bands)):
        problems.add("holds", code, f"{kind}: the renal bands must follow each other without gap or overlap: {bands}")


def _check_lab_rules(rules: RuleSet, problems: Problems) -> None:
    thresholds = rules.thresholds
    for index, rule in enumerate(thresholds.lab_rules):
        path = f"lab_rules[{index}]"
        refer(rule.bleeding_class, set(rules.classes), f"{path}.bleeding_class", "classes", problems)
        refer(rule.measure, set(rules.measures), f"{path}.measure", "measures", problems)
        one_of(rule.severity, SEVERITIES, f"{path}.severity", problems)
        _check_choices((rule.choice,) if rule.choice else (), rules, f"{path}.choice", problems)
        if rule.below is None and rule.above is None:
            problems.add(path, rule.code, "needs below or above")
    for index, request in enumerate(thresholds.lab_requests):
        path = f"lab_requests[{index}]"
        refer(request.bleeding_class, set(rules.classes), f"{path}.bleeding_class", "classes", problems)
        refer(request.measure, set(rules.measures), f"{path}.measure", "measures", problems)
        one_of(request.severity, SEVERITIES, f"{path}.severity", problems)
        check_conditions(request.when, rules, f"{path}.when", problems)
        worst = [r.severity for r in thresholds.lab_rules if (r.bleeding_class, r.measure) == _key(request)]
        if any(_rank(request.severity) < _rank(severity) for severity in worst):
            problems.add(f"{path}.severity", request.severity, "an unknown value must not weigh less than a bad one")


def _check_allergies(rules: RuleSet, problems: Problems) -> None:
    thresholds = rules.thresholds
    allergens = {a.code for a in thresholds.allergens}
    for index, question in enumerate(thresholds.allergy_questions):
        refer(question.allergen, allergens, f"allergy_questions[{index}].allergen", "allergens", problems)
    for index, rule in enumerate(thresholds.allergy_rules):
        path = f"allergy_rules[{index}]"
        refer(rule.allergen, allergens, f"{path}.allergen", "allergens", problems)
        one_of(rule.severity, SEVERITIES, f"{path}.severity", problems)
        _check_common(rule, rules, path, problems)
    for index, material in enumerate(thresholds.materials):
        one_of(material.kind, MATERIAL_KINDS, f"materials[{index}].kind", problems)
        if material.allergen:
            refer(material.allergen, allergens, f"materials[{index}].allergen", "allergens", problems)


def _check_unknown_reaction(rules: RuleSet, problems: Problems) -> None:
    reactions = rules.thresholds.reactions
    unknown = reactions.get("unknown", "")
    if any(_rank(unknown) < _rank(severity) for severity in reactions.values()):
        problems.add("reactions.unknown", unknown, "unknown must not weigh less than a known reaction")


def _check_common(rule: Any, rules: RuleSet, path: str, problems: Problems) -> None:
    for index, code in enumerate(rule.classes):
        refer(code, set(rules.classes), f"{path}.classes[{index}]", "classes", problems)
    _check_choices((rule.choice,) if rule.choice else (), rules, f"{path}.choice", problems)
    check_conditions(rule.when, rules, f"{path}.when", problems)


def _check_choices(codes: Iterable[str], rules: RuleSet, path: str, problems: Problems) -> None:
    for code in codes:
        refer(code, set(rules.choices), path, "choices", problems)


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else -1


def _key(request: Any) -> tuple[str, str]:
    return request.bleeding_class, request.measure
