"""Values that cannot be: refused at the field with words, never accepted or corrected silently. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from procedures.domain import doses
from procedures.domain.findings import Text
from procedures.domain.lab_values import canonical
from procedures.domain.rule_thresholds import Measure
from procedures.domain.ruleset import RuleSet
from procedures.domain.snapshot import Medicine, MedicineStatus

#: A last dose before this many years is a slip of the pen.
OLDEST = timedelta(days=365 * 30)
MOST_MEDICINES = 100
LONGEST_NAME = 120


@dataclass(frozen=True)
class Implausible:
    """``field``: the name of the field it is shown at."""

    field: str
    text: Text


def medicine(rules: RuleSet, entry: Medicine, now: datetime) -> tuple[Implausible, ...]:
    """What is wrong with one line of the medicine list; empty when nothing is."""
    return tuple(_medicine(rules, entry, now))


def _medicine(rules: RuleSet, entry: Medicine, now: datetime) -> Iterator[Implausible]:
    if not entry.text.strip():
        yield Implausible("text", Text("Name the medicine."))
    if len(entry.text) > LONGEST_NAME:
        yield Implausible("text", Text("At most %(count)s letters.", {"count": LONGEST_NAME}))
    if entry.last_dose_at is not None and entry.last_dose_at > now:
        yield Implausible("last_dose_at", Text("The last dose cannot be in the future. Still taking it? Say so."))
    if entry.last_dose_at is not None and now - entry.last_dose_at > OLDEST:
        yield Implausible("last_dose_at", Text("That is too long ago to be the last dose. Check the year."))
    if entry.status is MedicineStatus.STOPPED and entry.last_dose_at is None:
        yield Implausible("last_dose_at", Text("When was the last dose? If nobody knows, the status is unknown."))
    if entry.planned_stop_at is not None and entry.status is MedicineStatus.STOPPED:
        yield Implausible("planned_stop_at", Text("It is stopped already: there is no last dose to plan."))
    if entry.dose is not None and entry.dose <= 0:
        yield Implausible("dose", Text("The dose must be more than 0."))
    if entry.times_per_day is not None and not 0 < entry.times_per_day <= 24:
        yield Implausible("times_per_day", Text("Between once a week and 24 times a day."))
    if entry.unit and not doses.amount(1.0, entry.unit)[1]:
        yield Implausible("unit", Text("Not a unit that is known: mg, g, mcg or units."))
    yield from _dose(rules, entry)


def _dose(rules: RuleSet, entry: Medicine) -> Iterator[Implausible]:
    """A daily dose, or a single one, beyond anything that is taken."""
    single, unit = doses.amount(entry.dose, entry.unit)
    daily, _ = doses.per_day(entry)
    amount = max((x for x in (single, daily) if x is not None), default=None)
    for ingredient in rules.ingredients_of(entry.code):
        most = ingredient.absurd_per_day
        if most is None or amount is None:
            continue
        if unit == ingredient.absurd_unit and amount > most:
            params = {"medicine": ingredient.label, "amount": f"{amount:g}", "most": f"{most:g}", "unit": unit}
            yield Implausible(
                "dose", Text("%(amount)s %(unit)s a day of %(medicine)s? More than %(most)s is a slip.", params)
            )


def medicine_count(count: int) -> tuple[Implausible, ...]:
    """A list longer than anybody can check."""
    if count <= MOST_MEDICINES:
        return ()
    text = Text(
        "At most %(count)s medicines on one list: leave out what was stopped long ago.", {"count": MOST_MEDICINES}
    )
    return (Implausible("medicines", text),)


def value(
    rules: RuleSet, code: str, typed: float, *, unit: str = "", at: datetime | None = None, now: datetime
) -> tuple[Implausible, ...]:
    """What is wrong with a typed value of a measure (platelets, inr, weight, age…); empty when nothing is."""
    measure = rules.measures[code]
    found = list(_value(rules, measure, typed, unit))
    if at is not None and at > now:
        found.append(Implausible(f"{code}_at", Text("This is in the future: when was it drawn?")))
    return tuple(found)


def _value(rules: RuleSet, measure: Measure, typed: float, unit: str) -> Iterator[Implausible]:
    first = canonical(measure, typed, unit)
    if first is None:
        units = ", ".join(u for u in measure.units if u)
        yield Implausible(measure.code, Text("Unknown unit. Known: %(units)s", {"units": units}))
        return
    if measure.lowest <= first <= measure.highest:
        return
    params = {
        "label": measure.label, "value": f"{first:g}", "low": f"{measure.lowest:g}", "high": f"{measure.highest:g}",
        "unit": measure.units[0],
    }  # fmt: skip
    other = rules.measures.get(measure.slip)
    if other is not None and other.lowest <= typed <= other.highest:
        message = "%(value)s cannot be: %(label)s is between %(low)s and %(high)s. Is it the other value, %(other)s?"
        yield Implausible(measure.code, Text(message, params | {"other": other.label}))
    else:
        yield Implausible(measure.code, Text("%(value)s cannot be: between %(low)s and %(high)s %(unit)s.", params))
