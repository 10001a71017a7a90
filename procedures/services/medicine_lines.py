"""What is kept of one medicine: recognised by name, its dose read, and nothing that cannot be.

A name that no rule knows is kept as it was written. It is never ignored: the safety rules weigh it as unknown until
somebody says whether it affects bleeding.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from clinic.errors import Invalid
from procedures.domain import doses, plausibility
from procedures.domain.case_snapshot import code_of
from procedures.domain.plausibility import Implausible
from procedures.domain.ruleset import RuleSet
from procedures.domain.snapshot import Medicine
from procedures.domain.snapshot import MedicineStatus as Status
from procedures.models.checklists import MedicineRoute, MedicineStatus
from procedures.selectors import safety

LAST_DOSE_NEEDED = "A stopped medicine needs the date and time of its last dose. If nobody knows, choose “unknown”."
LAST_DOSE_FUTURE = "The last dose cannot lie in the future. What is planned is the planned last dose."
UNIT_NEEDED = "The dose needs its unit: mg, g, mcg or units."
NUMBER_NEEDED = "The unit needs its number."
TWO_DOSES = "This says another dose than the fields for it. Keep one of the two."
STOP_TOO_FAR = "More than a year ahead is no planned stop. Look at the year."
OTHER_TIER = "This kind of dose does not belong to this medicine."
#: A stop is planned for a needle, and none is booked further ahead.
FURTHEST_STOP = timedelta(days=366)
#: What plausibility calls a field, and what the line calls it.
FIELDS = {"text": "name", "dose": "amount"}


@dataclass(frozen=True, kw_only=True)
class Details:
    """Everything besides name and status. ``dose``: in free words; ``amount`` and ``unit``: one dose.
    ``thins_blood`` None: nobody has said.
    """

    dose: str = ""
    amount: float | None = None
    unit: str = ""
    times_per_day: float | None = None
    route: str = ""
    tier: str = ""
    planned_stop_at: datetime | None = None
    indication: str = ""
    prescriber: str = ""
    last_dose_at: datetime | None = None
    thins_blood: bool | None = None


def values_of(name: str, status: str, details: Details, *, now: datetime) -> dict[str, Any]:
    """The columns of the line. Raises Invalid, with the field it belongs to."""
    words = {part: getattr(details, part).strip() for part in ("dose", "unit", "route", "indication", "prescriber")}
    details = replace(details, **words)
    if not name.strip():
        raise Invalid("Name the medicine.", field="name")
    if status not in MedicineStatus.values:
        raise Invalid("Say whether it is still taken.", field="status")
    _refuse_dates(status, details, now)
    _refuse_dose(details)
    version = safety.rule_set()
    rules = version.parsed if version is not None else None
    code = code_of(rules, name) if rules is not None else ""
    tier = _tier(rules, code, details.tier) if rules is not None else ""
    if rules is not None:
        for wrong in plausibility.medicine(rules, _medicine(name.strip(), code, status, details), now):
            raise _invalid(wrong)
    kept = {each.name: getattr(details, each.name) for each in fields(details)}
    return {**kept, "name": name.strip(), "status": status, "code": code, "tier": tier}


def refuse_too_many(count: int) -> None:
    """Raises Invalid for a list longer than anybody can check."""
    for wrong in plausibility.medicine_count(count):
        raise Invalid(wrong.text.message, field="name", **wrong.text.params)


def _refuse_dates(status: str, details: Details, now: datetime) -> None:
    if status == MedicineStatus.STOPPED and details.last_dose_at is None:
        raise Invalid(LAST_DOSE_NEEDED, field="last_dose_at")
    if details.last_dose_at is not None and details.last_dose_at > now:
        raise Invalid(LAST_DOSE_FUTURE, field="last_dose_at")
    if details.planned_stop_at is not None and details.planned_stop_at > now + FURTHEST_STOP:
        raise Invalid(STOP_TOO_FAR, field="planned_stop_at")


def _refuse_dose(details: Details) -> None:
    if details.amount is not None and not details.unit:
        raise Invalid(UNIT_NEEDED, field="unit")
    if details.unit and details.amount is None:
        raise Invalid(NUMBER_NEEDED, field="amount")
    if details.route and details.route not in MedicineRoute.values:
        raise Invalid("This answer cannot be chosen here.", field="route")
    said = doses.read(details.dose)
    if said is None:
        return
    amount, unit = doses.amount(details.amount, details.unit)
    other_amount = amount is not None and (round(amount, 6), unit) != (round(said.amount, 6), said.unit)
    times = details.times_per_day
    if other_amount or (times is not None and said.times_per_day is not None and times != said.times_per_day):
        raise Invalid(TWO_DOSES, field="dose")


def _tier(rules: RuleSet, code: str, tier: str) -> str:
    known = {each.code for ingredient in rules.ingredients_of(code) for each in ingredient.tiers}
    if tier and tier not in known:
        raise Invalid(OTHER_TIER, field="tier")
    return tier


def _medicine(name: str, code: str, status: str, details: Details) -> Medicine:
    read = doses.read(details.dose)
    amount, unit, times = details.amount, details.unit, details.times_per_day
    if amount is None and read is not None:
        amount, unit = read.amount, read.unit
    if times is None and read is not None:
        times = read.times_per_day
    return Medicine(
        text=name, code=code, dose=amount, unit=unit, times_per_day=times, status=Status(status),
        last_dose_at=details.last_dose_at, planned_stop_at=details.planned_stop_at,
    )  # fmt: skip


def _invalid(wrong: Implausible) -> Invalid:
    return Invalid(wrong.text.message, field=FIELDS.get(wrong.field, wrong.field), **wrong.text.params)
