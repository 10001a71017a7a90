"""The closed list of named calculations over laboratory values. Pure.

A protocol names the calculation, its inputs and the clinical numbers of its formula; nothing clinical is written here.
A calculation answers with a number or refuses with a typed reason; it never guesses a missing value, a unit or a time.
Results are aids shown beside the laboratory's values, never instead of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction

from procedures.domain.lab_content import Calculation, Component
from procedures.domain.measurement import Value, canonical, exact
from procedures.domain.protocol import Protocol

_Numbers = Sequence[Fraction]
_Parameters = Mapping[str, Fraction]


class Refusal(StrEnum):
    """Why a calculation gives no number."""

    MISSING = "missing"
    UNIT_UNKNOWN = "unit_unknown"
    NOT_EXACT = "not_exact"  # the laboratory gave only a bound, "<5"
    PRELIMINARY = "preliminary"
    TIME_UNKNOWN = "time_unknown"
    TOO_FAR_APART = "too_far_apart"
    DIVISION_BY_ZERO = "division_by_zero"


@dataclass(frozen=True, kw_only=True)
class Calculated:
    """``value`` in ``unit``, or ``refused`` because of ``inputs`` (their "test.component" names)."""

    code: str
    value: float | None = None
    unit: str = ""
    refused: Refusal | None = None
    inputs: tuple[str, ...] = ()
    preliminary: bool = False  # made from at least one preliminary value


@dataclass(frozen=True)
class Formula:
    """``same_unit`` names groups of inputs (by position) that must share their canonical unit; ``percent`` the inputs
    that must be per cent."""

    compute: Callable[[_Numbers, _Parameters], Fraction]
    arity: int
    parameters: tuple[str, ...] = ()
    same_unit: tuple[tuple[int, ...], ...] = ()
    percent: tuple[int, ...] = ()
    meaning: str = field(default="")


def _absolute(v: _Numbers, p: _Parameters) -> Fraction:
    return v[0] * v[1] / 100


def _absolute_blood_corrected(v: _Numbers, p: _Parameters) -> Fraction:
    return max(Fraction(0), v[0] * v[1] / 100 - v[2] / p["red_cells_per_cell"])


def _less_red_cell_share(v: _Numbers, p: _Parameters) -> Fraction:
    return max(Fraction(0), v[0] - p["removed"] * v[1] / p["red_cells"])


def _difference(v: _Numbers, p: _Parameters) -> Fraction:
    return v[0] - v[1]


def _ratio(v: _Numbers, p: _Parameters) -> Fraction:
    return v[0] / v[1]


def _ratio_of_ratios(v: _Numbers, p: _Parameters) -> Fraction:
    return (v[0] / v[1]) / (v[2] / v[3])


#: The whole list. A protocol that names another function is refused.
FORMULAS: Mapping[str, Formula] = {
    "absolute_count": Formula(_absolute, 2, percent=(1,), meaning="cells × per cent / 100"),
    "absolute_count_blood_corrected": Formula(
        _absolute_blood_corrected,
        3,
        parameters=("red_cells_per_cell",),
        same_unit=((0, 2),),
        percent=(1,),
        meaning="cells × per cent / 100 − red cells / red_cells_per_cell, at least 0",
    ),
    "less_red_cell_share": Formula(
        _less_red_cell_share,
        2,
        parameters=("removed", "red_cells"),
        meaning="value − removed × red cells / red_cells, at least 0",
    ),
    "difference": Formula(_difference, 2, same_unit=((0, 1),), meaning="first − second"),
    "ratio": Formula(_ratio, 2, same_unit=((0, 1),), meaning="first / second"),
    "ratio_of_ratios": Formula(
        _ratio_of_ratios, 4, same_unit=((0, 1), (2, 3)), meaning="(first / second) / (third / fourth)"
    ),
}


def calculate_all(protocol: Protocol, values: Mapping[str, Value]) -> dict[str, Calculated]:
    """Every calculation of the protocol, by code, over the values known by ``"test.component"``."""
    return {c.code: calculate(protocol, c, values) for c in protocol.calculations}


def calculate(protocol: Protocol, calculation: Calculation, values: Mapping[str, Value]) -> Calculated:
    """One calculation, in canonical units and exact arithmetic. Refuses rather than guesses."""
    found = {name: values.get(name) for name in calculation.inputs}
    missing = tuple(name for name, value in found.items() if value is None or value.is_blank)
    if missing:
        return _refuse(calculation, Refusal.MISSING, missing)
    known = {name: value for name, value in found.items() if value is not None}
    numbers, refused = _numbers(protocol, calculation, known)
    if refused is not None:
        return refused
    preliminary = tuple(name for name, value in known.items() if value.preliminary)
    if preliminary and not calculation.preliminary_ok:
        return _refuse(calculation, Refusal.PRELIMINARY, preliminary)
    refused = _time_refusal(calculation, known)
    if refused is not None:
        return refused
    parameters = {name: exact(number) for name, number in calculation.parameters.items()}
    try:
        number = FORMULAS[calculation.function].compute(numbers, parameters)
    except ZeroDivisionError:
        return _refuse(calculation, Refusal.DIVISION_BY_ZERO, calculation.inputs)
    return Calculated(
        code=calculation.code,
        value=float(number),  # never rounded before it is compared with a limit
        unit=calculation.unit,
        inputs=calculation.inputs,
        preliminary=bool(preliminary),
    )


def component_of(protocol: Protocol, name: str) -> Component:
    """The component called ``"test.component"``. Raises KeyError when there is none."""
    test_code, _, component_code = name.partition(".")
    for component in protocol.test(test_code).components:
        if component.code == component_code:
            return component
    raise KeyError(name)


def _numbers(
    protocol: Protocol, calculation: Calculation, known: Mapping[str, Value]
) -> tuple[list[Fraction], Calculated | None]:
    numbers = []
    for name in calculation.inputs:
        component, value = component_of(protocol, name), known[name]
        number = canonical(component, value)
        if number is None:
            reason = Refusal.NOT_EXACT if value.comparator else Refusal.UNIT_UNKNOWN
            return [], _refuse(calculation, reason, (name,))
        numbers.append(number)
    return numbers, None


def _time_refusal(calculation: Calculation, known: Mapping[str, Value]) -> Calculated | None:
    if calculation.max_hours_apart is None:
        return None
    untimed = tuple(name for name, value in known.items() if value.collected_at is None)
    if untimed:
        return _refuse(calculation, Refusal.TIME_UNKNOWN, untimed)
    times = [value.collected_at for value in known.values() if value.collected_at is not None]
    if max(times) - min(times) > timedelta(hours=calculation.max_hours_apart):
        return _refuse(calculation, Refusal.TOO_FAR_APART, tuple(known))
    return None


def _refuse(calculation: Calculation, reason: Refusal, inputs: tuple[str, ...]) -> Calculated:
    return Calculated(code=calculation.code, unit=calculation.unit, refused=reason, inputs=inputs)
