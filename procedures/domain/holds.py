"""Which hold rules apply to a medicine, when a hold is over, and when the medicine is taken again. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from procedures.domain import doses, lab_values
from procedures.domain.predicates import Scene, is_stale
from procedures.domain.rule_medicines import HoldRule, Ingredient
from procedures.domain.snapshot import Medicine, MedicineStatus


def renal_function(scene: Scene) -> float | None:
    """The creatinine clearance, unless it is too old or undated."""
    patient = scene.snapshot.patient
    if patient.crcl is None or is_stale("crcl", lab_values.Current(value=patient.crcl, at=patient.crcl_at), scene):
        return None
    return patient.crcl


def rules_for(
    ingredient: Ingredient, medicine: Medicine, scene: Scene, *, strict: bool = False
) -> tuple[HoldRule, ...]:
    """Every rule that may apply: all tiers and renal bands that cannot be excluded.

    ``strict``: beside another agent the dose tier does not count, only the route by which it is taken.
    """
    crcl = renal_function(scene)
    possible = doses.tiers(ingredient, medicine, scene.snapshot.patient, crcl)
    if strict:
        possible = _same_route(ingredient, possible)
    return tuple(
        rule
        for rule in scene.rules.holds.get((scene.snapshot.procedure.bleeding_class, ingredient.code), ())
        if (not rule.tier or rule.tier in possible) and in_band(rule, crcl)
    )


def in_band(rule: HoldRule, crcl: float | None) -> bool:
    """Whether the rule's renal band may be the patient's. Unknown function: every band."""
    if crcl is None:
        return True
    return (rule.crcl_min is None or crcl >= rule.crcl_min) and (rule.crcl_max is None or crcl < rule.crcl_max)


def _same_route(ingredient: Ingredient, possible: tuple[str, ...]) -> tuple[str, ...]:
    routes = {tier.code: {dose.route for dose in tier.doses} for tier in ingredient.tiers}
    taken = {route for code in possible for route in routes[code]}
    return tuple(code for code, found in routes.items() if found & taken)


@dataclass(frozen=True, kw_only=True)
class EarliestSafe:
    """From when on the needle may come if the medicines are stopped as they are known. ``at`` None: no time makes it
    safe, a clinician decides (``decide``: labels). ``needs``: measures that must be right as well."""

    at: datetime | None
    because: str = ""  # the medicine that decides
    hours: int | None = None
    last_dose_at: datetime | None = None
    needs: tuple[str, ...] = ()
    decide: tuple[str, ...] = ()


def earliest_safe(scene: Scene) -> EarliestSafe:
    """By the medicines alone. One still taken counts as stopped at its planned stop, else at ``scene.at`` (now)."""
    worst = EarliestSafe(at=scene.at)
    needs: list[str] = []
    decide: list[str] = []
    strict = is_combination(scene)
    for medicine in scene.snapshot.medicines.entries:
        listed = scene.rules.ingredients_of(medicine.code)
        if not listed and medicine.thins_blood is not False:
            decide.append(medicine.text)
        for ingredient in listed:
            for rule in rules_for(ingredient, medicine, scene, strict=strict):
                if rule.action == "avoid" or (rule.action == "consult" and _consult_stops(scene)):
                    decide.append(ingredient.label)
                if rule.action != "hold" or rule.hold_hours is None:
                    continue
                last = _last_dose(medicine, scene.at)
                free = last + timedelta(hours=rule.hold_hours)
                if rule.combine == "all":
                    needs += [lab.code for lab in rule.labs]
                if worst.at is None or free > worst.at:
                    worst = EarliestSafe(at=free, because=ingredient.label, hours=rule.hold_hours, last_dose_at=last)
    return EarliestSafe(
        at=None if decide else worst.at,
        because=worst.because,
        hours=worst.hours,
        last_dose_at=worst.last_dose_at,
        needs=tuple(dict.fromkeys(needs)),
        decide=tuple(dict.fromkeys(decide)),
    )


def _consult_stops(scene: Scene) -> bool:
    return scene.rules.classes[scene.snapshot.procedure.bleeding_class].consult == "stop"


def _last_dose(medicine: Medicine, now: datetime) -> datetime:
    if medicine.status is MedicineStatus.STOPPED and medicine.last_dose_at is not None:
        return medicine.last_dose_at
    return max(medicine.planned_stop_at or now, now)


def agents(scene: Scene) -> tuple[str, ...]:
    """Labels of everything that acts on bleeding at the needle, each once."""
    found: dict[str, str] = {}
    for medicine in scene.snapshot.medicines.entries:
        listed = scene.rules.ingredients_of(medicine.code)
        for ingredient in listed:
            if scene.rules.groups[ingredient.group].agent and _acts(ingredient, medicine, scene):
                found[ingredient.code] = ingredient.label
        if not listed and medicine.thins_blood and medicine.status is not MedicineStatus.STOPPED:
            found[f"text:{medicine.text}"] = medicine.text
    return tuple(found.values())


def is_combination(scene: Scene) -> bool:
    return len(agents(scene)) > 1


def _acts(ingredient: Ingredient, medicine: Medicine, scene: Scene) -> bool:
    """Whether it may still act at the needle. It is over only after the longest hold that any rule knows for it."""
    last = medicine.last_dose_at
    if medicine.status is not MedicineStatus.STOPPED or last is None or last > scene.at:
        return True
    rules = scene.rules.holds.get((scene.snapshot.procedure.bleeding_class, ingredient.code), ())
    hours = max((rule.hold_hours for rule in rules if rule.hold_hours), default=None)
    return scene.at - last < timedelta(hours=hours or scene.rules.medicines.timing.combination_hours)


@dataclass(frozen=True, kw_only=True)
class Restart:
    """When a held ingredient is taken again. ``hours`` None: the physician sets the time before discharge."""

    ingredient: str
    label: str
    hours: int | None
    at: datetime | None
    rule: HoldRule

    @property
    def physician_sets(self) -> bool:
        return self.hours is None


def restarts(medicine: Medicine, scene: Scene, *, needle_at: datetime, traumatic: bool) -> tuple[Restart, ...]:
    """For each ingredient that this class of procedure holds. Of several rules that may apply the latest counts, and
    one without a time leaves it to the physician."""
    found = []
    for ingredient in scene.rules.ingredients_of(medicine.code):
        held = [rule for rule in rules_for(ingredient, medicine, scene) if rule.action in ("hold", "avoid", "consult")]
        if not held:
            continue
        rule = max(held, key=lambda r: _order(_restart_hours(r, traumatic)))
        hours = _restart_hours(rule, traumatic)
        at = needle_at + timedelta(hours=hours) if hours is not None else None
        found.append(Restart(ingredient=ingredient.code, label=ingredient.label, hours=hours, at=at, rule=rule))
    return tuple(found)


def _restart_hours(rule: HoldRule, traumatic: bool) -> int | None:
    return rule.restart_if_traumatic_hours if traumatic else rule.restart_hours


def _order(hours: int | None) -> float:
    return float("inf") if hours is None else hours
