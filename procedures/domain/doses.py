"""Which dose tier somebody takes. Pure.

The answer is the set of tiers that are possible: what is unknown keeps a tier possible, and the rules then take the
strictest of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from procedures.domain.rule_medicines import DoseRange, Ingredient, ReducedDose
from procedures.domain.snapshot import Medicine, PatientFacts

#: How people write units: (what the rules say, factor).
UNITS = {
    "mg": ("mg", 1.0), "g": ("mg", 1000.0), "mcg": ("mg", 0.001), "µg": ("mg", 0.001), "ug": ("mg", 0.001),
    "units": ("units", 1.0), "unit": ("units", 1.0), "iu": ("units", 1.0), "u": ("units", 1.0),
    "ie": ("units", 1.0),
}  # fmt: skip
_FREQUENCIES = (
    (r"\b(once|one time|1\s*x|qd|od|daily|every day|a day|nightly|qhs|every 24 ?h\w*)\b", 1.0),
    (r"\b(bid|twice|two times|2\s*x|every 12 ?h\w*)\b", 2.0),
    (r"\b(tid|three times|3\s*x|every 8 ?h\w*)\b", 3.0),
    (r"\b(qid|four times|4\s*x|every 6 ?h\w*)\b", 4.0),
    (r"\b(weekly|once a week)\b", 1 / 7),
    (r"\b(every other day|alternate days|qod)\b", 0.5),
)  # fmt: skip
#: How often, as it is written after a dose.
FREQUENCY_WORDS = {
    1.0: "once daily", 2.0: "twice daily", 3.0: "three times a day", 4.0: "four times a day",
    0.5: "every other day", 1 / 7: "once a week",
}  # fmt: skip
_AMOUNT = re.compile(r"(\d+(?:[.,]\d+)*)\s*(mg|mcg|µg|ug|g|iu|ie|units?|u)\b", re.IGNORECASE)
_THOUSANDS = re.compile(r"(\d),(\d{3})(?!\d)")


@dataclass(frozen=True, kw_only=True)
class Dose:
    """``times_per_day`` None: not said."""

    amount: float
    unit: str
    times_per_day: float | None


def read(text: str) -> Dose | None:
    """``5 mg twice daily`` as numbers; None when there is no amount with a unit, or more than one."""
    plain = _THOUSANDS.sub(r"\1\2", text)
    amounts = _AMOUNT.findall(plain)
    if len(amounts) != 1:
        return None
    number, unit = amounts[0]
    if number.count(".") + number.count(",") > 1:
        return None
    name, factor = UNITS[unit.lower()]
    return Dose(amount=float(number.replace(",", ".")) * factor, unit=name, times_per_day=_times(plain.lower()))


def words(amount: float | None, unit: str, times_per_day: float | None) -> str:
    """``5 mg twice daily``: a dose as one writes it, without what is not known. ``read`` reads it back."""
    often = "" if times_per_day is None else FREQUENCY_WORDS.get(times_per_day, f"{times_per_day:g} × a day")
    return " ".join(filter(None, ("" if amount is None else f"{amount:g} {unit}", often)))


def _times(text: str) -> float | None:
    for pattern, times in (*_FREQUENCIES[1:], _FREQUENCIES[0]):  # "twice daily" is not "daily"
        if re.search(pattern, text):
            return times
    return None


def amount(dose: float | None, unit: str) -> tuple[float | None, str]:
    """The dose in the unit the rules use; None when the unit is not known."""
    name, factor = UNITS.get(unit.strip().lower(), ("", 1.0))
    return (dose * factor if dose is not None and name else None), name


def per_day(medicine: Medicine) -> tuple[float | None, str]:
    """The daily dose, and its unit."""
    found, unit = amount(medicine.dose, medicine.unit)
    times = medicine.times_per_day
    return (found * times if found is not None and times is not None else None), unit


def tiers(ingredient: Ingredient, medicine: Medicine, patient: PatientFacts, crcl: float | None) -> tuple[str, ...]:
    """The tiers that are possible; all when none fits. Empty for an ingredient without tiers."""
    known = tuple(tier.code for tier in ingredient.tiers)
    if medicine.tier in known:
        return (medicine.tier,)
    reduced = takes_reduced_dose(ingredient.reduced, patient, crcl) if ingredient.reduced else None
    possible = tuple(
        tier.code
        for tier in ingredient.tiers
        if any(_fits(dose, medicine, reduced) is not False for dose in tier.doses)
    )
    return possible or known


def tier_of(ingredient: Ingredient, medicine: Medicine, patient: PatientFacts, crcl: float | None = None) -> str:
    """The one tier it must be; empty when more than one is possible (the rules then take the strictest)."""
    possible = tiers(ingredient, medicine, patient, crcl)
    return possible[0] if len(possible) == 1 else ""


def takes_reduced_dose(reduced: ReducedDose, patient: PatientFacts, crcl: float | None) -> bool | None:
    """Whether the patient fulfils the conditions of a reduced dose; None when that cannot be told."""
    checks: list[bool | None] = []
    for limit, value, upward in (
        (reduced.age_from, patient.age, True),
        (reduced.weight_up_to_kg, patient.weight_kg, False),
        (reduced.creatinine_from_mg_dl, patient.creatinine_mg_dl, True),
        (reduced.crcl_up_to, crcl, False),
    ):
        if limit is not None:
            checks.append(None if value is None else value >= limit if upward else value <= limit)
    if checks.count(True) >= reduced.at_least:
        return True
    return None if checks.count(True) + checks.count(None) >= reduced.at_least else False


def _fits(dose: DoseRange, medicine: Medicine, reduced: bool | None) -> bool | None:
    """True, False, or None when something is not known. A unit of another kind is unknown, not a no."""
    each, unit = amount(medicine.dose, medicine.unit)
    daily, _ = per_day(medicine)
    if dose.unit and unit != dose.unit:
        each = daily = None
    checks: list[bool | None] = [
        _within(daily, dose.per_day_above, dose.per_day_up_to),
        _within(each, dose.per_dose_above, dose.per_dose_up_to),
        _within(medicine.times_per_day, dose.times_above, dose.times_up_to),
    ]
    if dose.route:
        checks.append(None if not medicine.route else medicine.route == dose.route)
    if dose.reduced:
        checks.append(None if reduced is None else reduced is (dose.reduced == "yes"))
    return _all(checks)


def _within(value: float | None, above: float | None, up_to: float | None) -> bool | None:
    if above is None and up_to is None:
        return True
    if value is None:
        return None
    return (above is None or value > above) and (up_to is None or value <= up_to)


def _all(checks: Iterable[bool | None]) -> bool | None:
    found = set(checks)
    return False if False in found else None if None in found else True
