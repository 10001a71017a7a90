"""A result by hand: reading typed values, and what the case's rules say of them. Pure.

A value is never guessed: what cannot be read is refused with a sentence, an unknown unit is kept and graded unknown.
Calculations use the values of other tests of the same case (serum albumin for the gradient); when such a partner
arrives, the rules of the tests that waited for it are answered on the partner's new version.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar
from typing import Protocol as Shape

from procedures.domain import grading, measurement
from procedures.domain.calculations import Calculated, calculate_all
from procedures.domain.lab_content import Component, CriticalRule, Test
from procedures.domain.measurement import Value
from procedures.domain.protocol import Protocol
from procedures.domain.record import Problem
from procedures.domain.states import Level, ResultStatus

PERCENT = "%"
HUNDRED = 100


@dataclass(frozen=True, kw_only=True)
class Known:
    """The values of one test's version, as they are stored."""

    test: str
    values: Mapping[str, Mapping[str, Any]]
    status: str
    collected_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What the pinned rules say of a version at this moment, with the calculations it takes part in."""

    level: Level
    rules: tuple[CriticalRule, ...]
    undecided: tuple[CriticalRule, ...]
    unreadable: tuple[str, ...]
    calculated: Mapping[str, Calculated]


# --- reading what was typed -----------------------------------------------------------------


def read(test: Test, typed: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, dict[str, Any]], tuple[Problem, ...]]:
    """``{component: {"value" or "text": typed, "unit": unit}}`` as it is stored, blanks left out, and what is wrong.

    A comparator is kept (``<5``). A unit that the component does not know is kept too: see :func:`unknown_units`.
    """
    values: dict[str, dict[str, Any]] = {}
    problems: list[Problem] = []
    for component in test.components:
        given = typed.get(component.code) or {}
        text = _text(given)
        if not text:
            continue
        stored, problem = _read_one(component, text, str(given.get("unit") or "").strip())
        if problem is not None:
            problems.append(problem)
        else:
            values[component.code] = stored
    known = {component.code for component in test.components}
    problems += [Problem(code, "This test has no such value.") for code in typed if code not in known]
    return values, tuple(problems)


def unknown_units(test: Test, values: Mapping[str, Mapping[str, Any]]) -> tuple[Component, ...]:
    """The numbers whose unit is missing or not one of the component's: they cannot be judged."""
    return tuple(
        component
        for component in test.components
        if component.kind == "number"
        and component.code in values
        and measurement.factor(component, str(values[component.code].get("unit") or "")) is None
    )


def _text(given: Mapping[str, Any]) -> str:
    raw = given.get("text")
    if raw is None or raw == "":
        raw = given.get("value")
    return "" if raw is None else str(raw).strip()


def _read_one(component: Component, text: str, unit: str) -> tuple[dict[str, Any], Problem | None]:
    if component.kind == "choice":
        choice = next((c for c in component.choices if text in (c.code, c.label)), None)
        if choice is None:
            return {}, Problem(component.code, "Choose one of the answers offered.")
        return {"value": choice.code, "unit": "", "text": choice.label}, None
    if component.kind in ("text", "said"):
        return {"value": text, "unit": "", "text": text}, None
    comparator, number = measurement.parse_number(text)
    if number is None or not math.isfinite(number):
        message = 'This is not a number: "%(typed)s". Write it like 312, 0.25 or <5; words belong in the report text.'
        return {}, Problem(component.code, message, {"typed": text})
    problem = _impossible(component, number, unit)
    stored = {"value": int(number) if number.is_integer() else number, "unit": unit, "text": text}
    if comparator:
        stored["comparator"] = comparator
    return stored, problem


def _impossible(component: Component, number: float, unit: str) -> Problem | None:
    if number < 0 and (component.low is None or component.low >= 0):
        return Problem(component.code, "This cannot be below zero.")
    if measurement.normal_unit(unit) == PERCENT and number > HUNDRED:
        return Problem(component.code, "This cannot be more than 100 %.")
    return None


# --- judging --------------------------------------------------------------------------------


def judge(protocol: Protocol, own: Known, others: Iterable[Known], *, phoned: bool = False) -> Judgement:
    """The level of ``own`` beside the current versions of the case's other tests."""
    rows = [own, *(other for other in others if other.test != own.test)]
    everything = gather(rows)
    calculated = calculate_all(protocol, everything)
    found = grading.grade_in_full(protocol.test(own.test), _of(own), calculated, phoned=phoned)
    inherited = _answered_for_partners(protocol, own, rows, calculated)
    rules = (*found.matched, *(rule for rule in inherited if rule not in found.matched))
    return Judgement(
        level=_worst(found.level, inherited),
        rules=rules,
        undecided=found.undecided,
        unreadable=found.unreadable,
        calculated={code: c for code, c in calculated.items() if _takes_part(protocol, code, own.test)},
    )


def gather(rows: Iterable[Known]) -> dict[str, Value]:
    """Every value of the case by ``"test.component"``."""
    return {f"{row.test}.{code}": value for row in rows for code, value in _of(row).items()}


def _of(known: Known) -> dict[str, Value]:
    preliminary = known.status == ResultStatus.PRELIMINARY
    return {
        code: Value.from_stored(stored, preliminary=preliminary, collected_at=known.collected_at)
        for code, stored in known.values.items()
    }


def _answered_for_partners(
    protocol: Protocol, own: Known, rows: list[Known], calculated: Mapping[str, Calculated]
) -> tuple[CriticalRule, ...]:
    """Rules of other tests that hold now and rest on a calculation this test takes part in.

    Their own version was graded when this value was still missing: it is said here instead.
    """
    answered: list[CriticalRule] = []
    for partner in rows:
        if partner.test == own.test or not partner.values:
            continue
        test = protocol.test(partner.test)
        shared = tuple(rule for rule in test.critical if _rests_on(protocol, rule, own.test))
        if shared:
            found = grading.grade_in_full(replace(test, critical=shared), _of(partner), calculated)
            answered += found.matched
    return tuple(answered)


def _rests_on(protocol: Protocol, rule: CriticalRule, test_code: str) -> bool:
    names = (rule.component, *(condition.component for condition in rule.all_of))
    return any(_takes_part(protocol, name, test_code) for name in names)


def _takes_part(protocol: Protocol, calculation_code: str, test_code: str) -> bool:
    calculation = next((c for c in protocol.calculations if c.code == calculation_code), None)
    return calculation is not None and any(name.partition(".")[0] == test_code for name in calculation.inputs)


def _worst(own: Level, inherited: tuple[CriticalRule, ...]) -> Level:
    levels = {own, *(Level(rule.level) for rule in inherited)}
    return next(level for level in (Level.CRITICAL, Level.UNKNOWN, Level.ABNORMAL, Level.NORMAL) if level in levels)


# --- the second check of a critical value ---------------------------------------------------


def repeats(
    test: Test, values: Mapping[str, Mapping[str, Any]], rules: Iterable[CriticalRule], protocol: Protocol, again: str
) -> bool:
    """Whether ``again`` repeats one of the values that made the result critical (any value, when none of them did).

    Numbers are compared as numbers, choices by label or code, text without regard to case.
    """
    pool = [values[component.code] for component in concerned(test, values, rules, protocol)]
    if not pool:
        return bool(again.strip())
    return any(_same(stored, again) for stored in pool)


def concerned(
    test: Test, values: Mapping[str, Mapping[str, Any]], rules: Iterable[CriticalRule], protocol: Protocol
) -> tuple[Component, ...]:
    """The values that made the result critical, of those that are given; all that are given, when none of them did."""
    named = {name for rule in rules for name in _components(protocol, test, rule)}
    given = tuple(component for component in test.components if component.code in values)
    return tuple(component for component in given if component.code in named) or given


def _components(protocol: Protocol, test: Test, rule: CriticalRule) -> Iterable[str]:
    for name in (rule.component, *(condition.component for condition in rule.all_of)):
        yield name
        for calculation in protocol.calculations:
            if calculation.code == name:
                yield from (i.partition(".")[2] for i in calculation.inputs if i.partition(".")[0] == test.code)


def _same(stored: Mapping[str, Any], again: str) -> bool:
    raw = stored.get("value")
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return measurement.parse_number(again) == (str(stored.get("comparator") or ""), float(raw))
    return again.strip().casefold() in {str(raw).casefold(), str(stored.get("text")).casefold()}


# --- which versions stand -------------------------------------------------------------------


class Version(Shape):
    """What this needs of a stored version."""

    @property
    def number(self) -> int: ...
    @property
    def status(self) -> str: ...
    @property
    def reported_at(self) -> datetime: ...


V = TypeVar("V", bound=Version)


def standing(stored: Iterable[V]) -> tuple[list[V], list[V]]:
    """The versions that were not taken back, by arrival, and the withdrawals. As ``versions.current`` counts them."""
    rows = sorted(stored, key=lambda v: v.number)
    withdrawals = [v for v in rows if v.status == ResultStatus.WITHDRAWN]
    last = max((v.reported_at for v in withdrawals), default=None)
    return [v for v in rows if v not in withdrawals and (last is None or v.reported_at > last)], withdrawals
