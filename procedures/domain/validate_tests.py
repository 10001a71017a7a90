"""What must hold for the laboratory part of a protocol: tests, containers, clocks, rules, calculations. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from procedures.domain.calculations import FORMULAS
from procedures.domain.grading import CONDITION_KINDS, NUMBER_KINDS
from procedures.domain.lab_content import Calculation, Component, Condition, CriticalRule, Test
from procedures.domain.problems import Problems
from procedures.domain.protocol import Protocol
from procedures.domain.states import Level

COMPONENT_KINDS = ("number", "text", "choice")
RULE_LEVELS = (str(Level.CRITICAL), str(Level.ABNORMAL))
_LOINC = re.compile(r"[1-9][0-9]{0,6}-[0-9]")


def validate_tests(protocol: Protocol, problems: Problems) -> None:
    """Every check of the laboratory part. Adds to ``problems``."""
    components = {f"{t.code}.{c.code}": c for t in protocol.tests for c in t.components}
    calculations = {c.code for c in protocol.calculations}
    for index, test in enumerate(protocol.tests):
        path = f"tests[{index}]"
        _check_test(protocol, test, path, problems)
        _check_clock(protocol, test, path, problems)
        for place, component in enumerate(test.components):
            _check_component(test, component, f"{path}.components[{place}]", problems)
            if component.code in calculations:
                problems.add(f"{path}.components[{place}].code", component.code, "is also the name of a calculation")
        for place, rule in enumerate(test.critical):
            _check_rule(test, rule, f"{path}.critical[{place}]", calculations, problems)
    for index, calculation in enumerate(protocol.calculations):
        _check_calculation(calculation, f"calculations[{index}]", components, problems)
    _check_trends(protocol, calculations, components, problems)
    for index, container in enumerate(protocol.containers):
        if container.receipt_minutes <= 0:
            problems.add(f"containers[{index}].receipt_minutes", container.receipt_minutes, "must be more than 0")


def loinc_is_valid(code: str) -> bool:
    """Shape and check digit (mod 10) of a LOINC code."""
    if not _LOINC.fullmatch(code):
        return False
    digits, check = code.split("-")
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit) * 2 if place % 2 == 0 else int(digit)
        total += number - 9 if number > 9 else number
    return (10 - total % 10) % 10 == int(check)


def _check_loinc(item: Test | Component, path: str, problems: Problems) -> None:
    codes = [(f"{path}.loinc", item.loinc)] if item.loinc else []
    codes += [(f"{path}.also_loinc[{i}]", code) for i, code in enumerate(item.also_loinc)]
    for place, code in codes:
        if not loinc_is_valid(code):
            problems.add(place, code, "is not a LOINC code (check digit)")


def _check_test(protocol: Protocol, test: Test, path: str, problems: Problems) -> None:
    _check_loinc(test, path, problems)
    if not test.loinc and not test.verify:
        problems.add(f"{path}.loinc", "", "an empty code must say verify = true", because=(f"{path}.verify",))
    container = next((c for c in protocol.containers if c.code == test.container), None)
    if container is None:
        problems.add(f"{path}.container", test.container, "is not in containers", because=(f"{path}.container",))
    elif container.fluid != test.fluid:
        problems.add(f"{path}.container", test.container, f"is for {container.fluid}, the test is on {test.fluid}")
    for place, code in enumerate(test.needs):
        if code not in {t.code for t in protocol.tests} or code == test.code:
            problems.add(f"{path}.needs[{place}]", code, "is not another test")
    if not test.components:
        problems.add(f"{path}.components", [], "must have at least one", because=(f"{path}.components",))
    elif not any(component.required for component in test.components):
        problems.add(f"{path}.components", [c.code for c in test.components], "at least one must be required")
    if bool(test.critical) == test.informational:
        problems.add(
            f"{path}.informational", test.informational,
            "a test has rules, or says informational = true: nothing is normal by default",
            because=(f"{path}.critical",),
        )  # fmt: skip


def _check_clock(protocol: Protocol, test: Test, path: str, problems: Problems) -> None:
    usual, outer = test.usual_hours, test.outer_hours
    known = (f"{path}.usual_hours", f"{path}.outer_hours")
    if usual <= 0:
        problems.add(known[0], usual, "must be more than 0", because=known)
    if outer < usual:
        problems.add(known[1], outer, f"must be at least usual_hours ({usual})", because=known)
    if test.preliminary != bool(test.preliminary_hours):
        problems.add(f"{path}.preliminary", test.preliminary, "must be true exactly when preliminary_hours has hours")
    hours = list(test.preliminary_hours)
    if hours != sorted(set(hours)) or any(not 0 < hour <= outer for hour in hours):
        problems.add(
            f"{path}.preliminary_hours",
            hours,
            f"must rise, each after 0 and within outer_hours ({outer})",
            because=known,
        )
    if test.extended != (outer > protocol.promise_hours):
        word = "after" if outer > protocol.promise_hours else "within"
        problems.add(
            f"{path}.extended", test.extended,
            f"outer_hours ({outer}) is {word} promise_hours ({protocol.promise_hours})",
            because=(*known, "promise_hours"),
        )  # fmt: skip


def _check_component(test: Test, component: Component, path: str, problems: Problems) -> None:
    _check_loinc(component, path, problems)
    if not component.loinc and not component.verify and len(test.components) > 1:
        problems.add(f"{path}.loinc", "", "an empty code must say verify = true", because=(f"{path}.verify",))
    if component.kind not in COMPONENT_KINDS:
        problems.add(f"{path}.kind", component.kind, f"must be one of {', '.join(COMPONENT_KINDS)}")
    if component.kind == "choice" and not component.choices:
        problems.add(f"{path}.choices", [], "a choice needs choices", because=(f"{path}.choices",))
    if component.kind == "number" and not component.units:
        problems.add(f"{path}.units", [], 'a number needs units ("" for none)', because=(f"{path}.units",))
    if component.kind != "number" and component.units:
        problems.add(f"{path}.units", list(component.units), f"are of no use for kind {component.kind}")
    factors = list(component.factors)
    if len(factors) != len(component.units):
        problems.add(f"{path}.factors", factors, f"must be as many as units ({len(component.units)})")
    elif factors and (factors[0] != 1 or min(factors) <= 0):
        problems.add(f"{path}.factors", factors, "must start with 1 and all be more than 0")
    if component.low is not None and component.high is not None and component.high < component.low:
        problems.add(f"{path}.high", component.high, f"must be at least low ({component.low:g})")


def _check_rule(test: Test, rule: CriticalRule, path: str, calculations: set[str], problems: Problems) -> None:
    if rule.level not in RULE_LEVELS:
        problems.add(f"{path}.level", rule.level, f"must be one of {', '.join(RULE_LEVELS)}")
    if not rule.message:
        problems.add(f"{path}.message", "", "a rule needs words for the person who reads the result")
    for place, condition in _conditions(rule, path):
        _check_condition(test, condition, place, calculations, problems)


def _conditions(rule: CriticalRule, path: str) -> Iterator[tuple[str, CriticalRule | Condition]]:
    yield path, rule
    for index, condition in enumerate(rule.all_of):
        yield f"{path}.all_of[{index}]", condition


def _check_condition(
    test: Test, condition: CriticalRule | Condition, path: str, calculations: set[str], problems: Problems
) -> None:
    component = next((c for c in test.components if c.code == condition.component), None)
    if condition.kind not in CONDITION_KINDS:
        problems.add(f"{path}.kind", condition.kind, f"must be one of {', '.join(CONDITION_KINDS)}")
        return
    if component is None and condition.component not in calculations:
        message = f"is neither a component of {test.code} nor a calculation"
        problems.add(f"{path}.component", condition.component, message, because=(f"{path}.component",))
        return
    if condition.kind in NUMBER_KINDS:
        if condition.value is None:
            problems.add(f"{path}.value", None, f"{condition.kind} needs a number", because=(f"{path}.value",))
        if component is not None and component.kind != "number":
            problems.add(f"{path}.component", condition.component, "is not a number")
    elif condition.kind == "one_of":
        _check_choices(component, condition, path, problems)


def _check_choices(
    component: Component | None, condition: CriticalRule | Condition, path: str, problems: Problems
) -> None:
    known = {choice.code for choice in component.choices} if component is not None else set()
    if not condition.values:
        problems.add(f"{path}.values", [], "one_of needs values", because=(f"{path}.values",))
    for index, value in enumerate(condition.values):
        if value not in known:
            problems.add(f"{path}.values[{index}]", value, f"is not a choice of {condition.component}")


def _check_calculation(
    calculation: Calculation, path: str, components: dict[str, Component], problems: Problems
) -> None:
    formula = FORMULAS.get(calculation.function)
    if formula is None:
        problems.add(f"{path}.function", calculation.function, f"must be one of {', '.join(sorted(FORMULAS))}")
        return
    inputs = calculation.inputs
    if len(inputs) != formula.arity:
        problems.add(f"{path}.inputs", list(inputs), f"{calculation.function} takes {formula.arity}")
        return
    for index, name in enumerate(inputs):
        if name not in components or components[name].kind != "number":
            problems.add(f"{path}.inputs[{index}]", name, "is not a number component (test.component)")
            return
    for index in formula.percent:
        if components[inputs[index]].units[:1] != ("%",):
            problems.add(f"{path}.inputs[{index}]", inputs[index], "must be measured in %")
    for positions in formula.same_unit:
        units = {components[inputs[i]].units[:1] for i in positions}
        if len(units) > 1:
            problems.add(f"{path}.inputs", list(inputs), "must share their first unit")
    if set(calculation.parameters) != set(formula.parameters):
        wanted = ", ".join(formula.parameters) or "none"
        problems.add(f"{path}.parameters", dict(calculation.parameters), f"must be exactly: {wanted}")
    if any(number <= 0 for number in calculation.parameters.values()):
        problems.add(f"{path}.parameters", dict(calculation.parameters), "must be more than 0")


def _check_trends(
    protocol: Protocol, calculations: set[str], components: dict[str, Component], problems: Problems
) -> None:
    numbers = calculations | {name for name, component in components.items() if component.kind == "number"}
    numbers |= {f"record.{field.code}" for field in protocol.record_fields if field.kind in ("number", "integer")}
    for index, trend in enumerate(protocol.trends):
        path = f"trends[{index}]"
        if not trend.of:
            problems.add(f"{path}.of", [], "must name at least one value", because=(f"{path}.of",))
        for place, name in enumerate(trend.of):
            if name not in numbers:
                message = "is no calculation, number component (test.component) or number of the record (record.field)"
                problems.add(f"{path}.of[{place}]", name, message)
        if trend.divide_by <= 0:
            problems.add(f"{path}.divide_by", trend.divide_by, "must be more than 0")
        if (trend.line is None) == bool(trend.line_label):
            problems.add(f"{path}.line_label", trend.line_label, "belongs to a line, and a line needs one")
