"""How a result is graded by its protocol's rules: normal, abnormal, critical or unknown. Pure.

Nothing is normal by default. A rule is true, false or *undecided* (a value it needs is missing, in an unknown unit or
only bounded); a condition that is false settles a rule whatever else is unknown. A laboratory's own H or L is shown
elsewhere and never graded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from procedures.domain.calculations import Calculated
from procedures.domain.items import Source
from procedures.domain.lab_content import Component, Condition, CriticalRule, Test
from procedures.domain.measurement import Bounds, Value, bounds, is_usable
from procedures.domain.states import Level

#: Number rules compare with ``value``; the others look at a choice or at whether there is a value at all.
NUMBER_KINDS = ("at_least", "above", "below")
CONDITION_KINDS = (*NUMBER_KINDS, "one_of", "missing", "present")

#: Whatever a laboratory phones as critical is critical here, whatever the rules say.
PHONED = CriticalRule(
    code="phoned",
    level=Level.CRITICAL,
    kind="missing",
    component="",
    message="The laboratory phoned this result as critical.",
    source=Source(source="Working default: what the laboratory phones is critical; needs a clinician's approval"),
)


@dataclass(frozen=True)
class Grade:
    """``undecided``: rules that could not be answered, so that the page can say what is missing."""

    level: Level
    matched: tuple[CriticalRule, ...]
    undecided: tuple[CriticalRule, ...] = ()
    unreadable: tuple[str, ...] = ()  # required components without a usable value


def grade(
    test: Test,
    values: Mapping[str, Value],
    calculated: Mapping[str, Calculated],
    *,
    phoned: bool = False,
) -> tuple[Level, tuple[CriticalRule, ...]]:
    """The level and the rules that matched. ``values`` by component code, ``calculated`` by calculation code."""
    found = grade_in_full(test, values, calculated, phoned=phoned)
    return found.level, found.matched


def grade_in_full(
    test: Test,
    values: Mapping[str, Value],
    calculated: Mapping[str, Calculated],
    *,
    phoned: bool = False,
) -> Grade:
    """As :func:`grade`, with what could not be decided."""
    matched: list[CriticalRule] = [PHONED] if phoned else []
    undecided: list[CriticalRule] = []
    facts = _Facts(test, values, calculated)
    for rule in test.critical:
        holds = facts.holds_all(rule)
        if holds:
            matched.append(rule)
        elif holds is None:
            undecided.append(rule)
    unreadable = tuple(c.code for c in test.components if facts.is_unreadable(c))
    return Grade(_level(matched, bool(undecided or unreadable)), tuple(matched), tuple(undecided), unreadable)


def _level(matched: list[CriticalRule], in_doubt: bool) -> Level:
    levels = {rule.level for rule in matched}
    if Level.CRITICAL in levels:
        return Level.CRITICAL
    if in_doubt:
        return Level.UNKNOWN
    return Level.ABNORMAL if Level.ABNORMAL in levels else Level.NORMAL


@dataclass(frozen=True)
class _Facts:
    test: Test
    values: Mapping[str, Value]
    calculated: Mapping[str, Calculated]

    def is_unreadable(self, component: Component) -> bool:
        """A required value that is not there, or any value that is there and cannot be read."""
        value = self.value(component)
        if value is None:
            return component.required
        return not is_usable(component, value)

    def value(self, component: Component) -> Value | None:
        value = self.values.get(component.code)
        return None if value is None or value.is_blank else value

    def holds_all(self, rule: CriticalRule) -> bool | None:
        """Whether the rule holds; None when undecided. One false condition settles it."""
        answers = [self.holds(rule), *(self.holds(condition) for condition in rule.all_of)]
        if False in answers:
            return False
        return None if None in answers else True

    def holds(self, condition: CriticalRule | Condition) -> bool | None:
        component = next((c for c in self.test.components if c.code == condition.component), None)
        if component is None:
            return self._calculation_holds(condition)
        value = self.value(component)
        if condition.kind in ("missing", "present"):
            return (value is not None and is_usable(component, value)) == (condition.kind == "present")
        if value is None or not is_usable(component, value):
            return None
        if condition.kind == "one_of":
            return value.text in condition.values
        return _compare(condition, bounds(component, value))

    def _calculation_holds(self, condition: CriticalRule | Condition) -> bool | None:
        found = self.calculated.get(condition.component)
        number = found.value if found is not None else None
        if condition.kind in ("missing", "present"):
            return (number is not None) == (condition.kind == "present")
        return None if number is None else _compare(condition, Bounds(number, number))


def _compare(condition: CriticalRule | Condition, known: Bounds | None) -> bool | None:
    """Three answers: a bound such as "<5" decides only what lies wholly on one side of the limit."""
    limit = condition.value
    if known is None or limit is None:
        return None
    if condition.kind == "below":
        return _between(known.high < limit, known.low >= limit)
    if condition.kind == "above":
        return _between(known.low > limit, known.high <= limit)
    return _between(known.low >= limit, known.high < limit)


def _between(surely: bool, surely_not: bool) -> bool | None:
    return True if surely else False if surely_not else None
