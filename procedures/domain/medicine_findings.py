"""What the rules say about each medicine at the needle. Pure.

While a medicine is taken, or is only planned to be stopped, no elapsed time makes it safe: the finding is *hold from*.
Only a last dose that a named person confirmed on the day lets it pass. Of all rules that may apply (an unknown tier, an
unknown renal function) the hardest outcome counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from procedures.domain import holds, lab_values
from procedures.domain.findings import Finding, Severity, Text
from procedures.domain.predicates import Scene, is_stale
from procedures.domain.rule_medicines import BleedingClass, HoldRule, Ingredient, LabTarget
from procedures.domain.snapshot import DAY_OF, Asked, Medicine, MedicineStatus

BESIDE = ("medicines",)
TITLES: Mapping[str, str] = {
    "hold_from": "%(medicine)s: hold from %(hold_from)s",
    "last_dose_unknown": "%(medicine)s: last dose not known",
    "too_soon": "%(medicine)s: too soon after the last dose",
    "lab_needed": "%(medicine)s: laboratory value needed as well",
    "to_confirm": "%(medicine)s: held long enough, to be confirmed at sign-in",
    "not_confirmed": "%(medicine)s: last dose not confirmed today",
    "held": "%(medicine)s: held long enough",
    "held_by_level": "%(medicine)s: released by its level, earlier than by time",
    "avoid": "%(medicine)s: no safe interval",
    "decide": "%(medicine)s: a clinician decides",
    "consult": "%(medicine)s: ask before the needle",
    "continue": "%(medicine)s: continue",
}
WHYS: Mapping[str, str] = {
    "hold_from": "As long as it is taken, no elapsed time makes the needle safe.",
    "last_dose_unknown": "An unknown last dose is never a safe one.",
    "too_soon": "It still acts: %(hours)s h from the last dose to the needle.",
    "lab_needed": "Time alone is not enough: it must have worn off in the blood too.",
    "to_confirm": "%(hours)s h from the last dose to the needle. What was told before the day is a plan.",
    "not_confirmed": "Only a last dose that a named person confirmed on the day lets it pass.",
    "held": "%(hours)s h from the last dose to the needle are over.",
    "held_by_level": "The level is low enough, although %(hours)s h from the last dose are not over.",
    "avoid": "No interval is known to be safe for this procedure.",
    "decide": "The interval is over; the guideline still leaves it to a clinician.",
    "consult": "There is no agreed interval.",
    "continue": "It is not withheld before this procedure.",
}
TODOS: Mapping[str, str] = {
    "hold_from": "Ask the prescriber; last dose before %(hold_from)s, then confirm it at sign-in. "
    "Never tell the patient to stop without the prescriber.",
    "last_dose_unknown": "Find out: patient, caregiver, pharmacy, chart. Until then it counts as taken now.",
    "too_soon": "Earliest safe time: %(earliest)s, %(hours)s h after the last dose.",
    "too_soon_level": "Earliest safe time: %(earliest)s, %(hours)s h after the last dose; "
    "or from %(level_from)s with a value: %(labs)s.",
    "lab_needed": "Needed at the needle: %(labs)s.",
    "to_confirm": "Ask for the last dose again at sign-in.",
    "not_confirmed": "Ask the patient for date and time of the last dose, and record who asked.",
    "held": "Go on. Plan the restart.",
    "held_by_level": "A clinician documents why it is not waited for.",
    "avoid": "No needle while it acts: the responsible clinician decides with the prescriber.",
    "decide": "The responsible clinician decides and says why.",
    "consult": "Ask the prescriber how long to pause, and record the answer.",
    "continue": "Nothing to hold.",
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one rule makes of one medicine."""

    code: str
    severity: Severity
    rule: HoldRule
    earliest: datetime | None = None
    params: Mapping[str, object]

    def weight(self) -> tuple[int, float, int]:
        """The hardest last: severity, then the latest release (never is later than any), then the longest hold."""
        release = self.earliest.timestamp() if self.earliest else float("inf")
        return self.severity.rank, release, self.rule.hold_hours or 0


def findings(scene: Scene) -> Iterator[Finding]:
    """One finding for each ingredient of each line, what is not recognised, the combination, and the list itself."""
    medicines, policy = scene.snapshot.medicines, scene.rules.classes[scene.snapshot.procedure.bleeding_class]
    yield from _list_itself(scene, policy)
    agents = holds.agents(scene)
    combination = len(agents) > 1
    seen: dict[str, int] = {}
    for medicine in medicines.entries:
        listed = scene.rules.ingredients_of(medicine.code)
        if not listed:
            yield _not_recognised(medicine, policy, _key(f"medicine:?{medicine.text}", seen))
        for ingredient in listed:
            outcome = worst(ingredient, medicine, scene, policy, strict=combination)
            if scene.rules.groups[ingredient.group].agent or outcome.severity is not Severity.INFO:
                key = _key(f"medicine:{ingredient.code}", seen)
                yield _finding(key, ingredient, medicine, outcome, scene)
    if combination:
        yield _combination(agents, policy)


def worst(
    ingredient: Ingredient, medicine: Medicine, scene: Scene, policy: BleedingClass, *, strict: bool = False
) -> Outcome:
    """The hardest outcome of every rule that may apply."""
    rules = holds.rules_for(ingredient, medicine, scene, strict=strict)
    return max((judge(rule, medicine, scene, policy) for rule in rules), key=Outcome.weight)


def judge(rule: HoldRule, medicine: Medicine, scene: Scene, policy: BleedingClass) -> Outcome:
    """One rule. ``scene.at`` is the needle."""
    if rule.action == "continue":
        return Outcome(code="continue", severity=Severity.INFO, rule=rule, params={})
    if rule.action == "consult":
        return Outcome(code="consult", severity=Severity(policy.consult), rule=rule, params={})
    if rule.hold_hours is None:
        return Outcome(code="avoid", severity=Severity(policy.avoid), rule=rule, params={})
    hard = Severity(policy.avoid if rule.action == "avoid" else policy.hold)
    hold = timedelta(hours=rule.hold_hours)
    params: dict[str, object] = {"hours": rule.hold_hours, "hold_from": scene.at - hold}
    last = medicine.last_dose_at
    if medicine.status is MedicineStatus.ONGOING:
        return Outcome(code="hold_from", severity=hard, rule=rule, params=params)
    if medicine.status is not MedicineStatus.STOPPED or last is None:
        return Outcome(code="last_dose_unknown", severity=hard, rule=rule, params=params)
    return _stopped(rule, medicine, last, scene, hard, params)


def _stopped(
    rule: HoldRule, medicine: Medicine, last: datetime, scene: Scene, hard: Severity, params: dict[str, object]
) -> Outcome:
    assert rule.hold_hours is not None
    free = last + timedelta(hours=rule.hold_hours)
    params |= {"earliest": free, "labs": _targets(rule, scene)}
    in_time = scene.at >= free
    lab = bool(rule.labs) and any(_met(target, rule, last, scene) for target in rule.labs)
    if not in_time and not (rule.combine == "any" and lab and scene.at >= last):
        if rule.combine == "any":
            params["level_from"] = last + timedelta(hours=rule.lab_after_hours or 0)
        return Outcome(code="too_soon", severity=hard, rule=rule, earliest=free, params=params)
    if rule.combine == "all" and not lab:
        return Outcome(code="lab_needed", severity=hard, rule=rule, earliest=free, params=params)
    if not is_confirmed(medicine, scene):
        code, severity = ("not_confirmed", hard) if scene.snapshot.day_of else ("to_confirm", Severity.CAUTION)
        return Outcome(code=code, severity=severity, rule=rule, earliest=free, params=params)
    if rule.action == "avoid":
        return Outcome(code="decide", severity=Severity.CAUTION, rule=rule, earliest=free, params=params)
    if not in_time:
        return Outcome(code="held_by_level", severity=Severity.CAUTION, rule=rule, earliest=free, params=params)
    return Outcome(code="held", severity=Severity.INFO, rule=rule, earliest=free, params=params)


def is_confirmed(medicine: Medicine, scene: Scene) -> bool:
    """Whether a named person heard the last dose on the day, after it was taken."""
    confirmed, last = medicine.confirmed_at, medicine.last_dose_at
    if not medicine.confirmed_by or medicine.confirmed_stage not in DAY_OF or confirmed is None or last is None:
        return False
    hours = scene.rules.medicines.timing.confirmed_within_hours
    return last <= confirmed <= scene.at and scene.at - confirmed <= timedelta(hours=hours)


def _met(target: LabTarget, rule: HoldRule, last: datetime, scene: Scene) -> bool:
    found = lab_values.current(scene.snapshot, scene.rules, target.code, scene.at)
    if found.value is None or found.at is None or is_stale(target.code, found, scene):
        return False
    return found.at >= last + timedelta(hours=rule.lab_after_hours or 0) and lab_values.meets(target, found.value)


_SIGNS = {"at_most": "≤", "below": "<", "at_least": "≥", "above": ">"}


def _targets(rule: HoldRule, scene: Scene) -> str:
    parts = []
    for target in rule.labs:
        measure = scene.rules.measures[target.code]
        parts.append(f"{measure.label} {_SIGNS[target.op]} {target.value:g} {measure.units[0]}".rstrip())
    return " / ".join(parts)


def _key(key: str, seen: dict[str, int]) -> str:
    """Two lines about one ingredient keep two findings."""
    seen[key] = seen.get(key, 0) + 1
    return key if seen[key] == 1 else f"{key}#{seen[key]}"


def _finding(key: str, ingredient: Ingredient, medicine: Medicine, outcome: Outcome, scene: Scene) -> Finding:
    code, rule, params = outcome.code, outcome.rule, {"medicine": ingredient.label, **outcome.params}
    todo = TODOS["too_soon_level" if "level_from" in params else code]
    stop = outcome.severity is Severity.STOP
    return Finding(
        key=key,
        code=f"medicine_{code}",
        severity=outcome.severity,
        title=_text(TITLES[code], params),
        evidence=tuple(_evidence(ingredient, medicine, rule, scene)),
        why=_text(WHYS[code], params),
        todo=_text(todo, params),
        source=rule.source,
        earliest_safe_at=outcome.earliest,
        hold_from=scene.at - timedelta(hours=rule.hold_hours) if rule.hold_hours else None,
        blocks="start" if stop else "",
        beside=BESIDE,
        choices=rule.choices,
        unknown=code == "last_dose_unknown",
    )


def _text(message: str, params: Mapping[str, object]) -> Text:
    """Only the parameters that the message has places for."""
    return Text(message, {key: value for key, value in params.items() if f"%({key})" in message})


def _evidence(ingredient: Ingredient, medicine: Medicine, rule: HoldRule, scene: Scene) -> Iterator[Text]:
    yield Text("Recorded as: %(text)s", {"text": medicine.text})
    if rule.tier:
        label = next(tier.label for tier in ingredient.tiers if tier.code == rule.tier)
        yield Text("Judged as: %(tier)s", {"tier": label})
    if rule.crcl_min is not None or rule.crcl_max is not None:
        crcl = holds.renal_function(scene)
        if crcl is None:
            yield Text("Creatinine clearance not known or too old: the strictest band counts.")
        else:
            yield Text("Creatinine clearance %(crcl)s mL/min", {"crcl": f"{crcl:g}"})
    if rule.action == "continue":
        return
    if medicine.status is MedicineStatus.ONGOING:
        yield Text("Still taken.")
        if medicine.planned_stop_at is not None:
            yield Text(
                "Planned last dose: %(moment)s. A plan is not a last dose.", {"moment": medicine.planned_stop_at}
            )
    elif medicine.last_dose_at is None:
        yield Text("Last dose: not known.")
    else:
        yield Text("Last dose: %(moment)s", {"moment": medicine.last_dose_at})
        if medicine.confirmed_by and medicine.confirmed_at is not None:
            params = {"who": medicine.confirmed_by, "moment": medicine.confirmed_at}
            yield Text("Told to %(who)s, %(moment)s", params)
    for target in rule.labs:
        measure = scene.rules.measures[target.code]
        found = lab_values.current(scene.snapshot, scene.rules, target.code, scene.at)
        if found.value is not None and found.at is not None:
            params = {
                "label": measure.label,
                "value": f"{found.value:g} {measure.units[0]}".rstrip(),
                "moment": found.at,
            }
            yield Text("%(label)s %(value)s, %(moment)s", params)
        else:
            yield Text("%(label)s: no value", {"label": measure.label})
    if rule.note:
        yield Text(rule.note)


def _not_recognised(medicine: Medicine, policy: BleedingClass, key: str) -> Finding:
    said = medicine.thins_blood
    severity = Severity.INFO if said is False else Severity(policy.unrecognised)
    evidence = {
        None: "Nobody has said whether it affects bleeding.",
        True: "Said to affect bleeding.",
        False: "Said not to affect bleeding.",
    }[said]
    return Finding(
        key=key,
        code="medicine_not_recognised",
        severity=severity,
        title=Text("%(medicine)s: not recognised", {"medicine": medicine.text}),
        evidence=(Text(evidence),),
        why=Text("It is not in the list of medicines, so no rule can judge it."),
        todo=Text("Pick it from the list, or a person who knows it says whether it affects bleeding."),
        source=policy.source,
        blocks="start" if severity is Severity.STOP else "",
        beside=BESIDE,
    )


def _combination(agents: tuple[str, ...], policy: BleedingClass) -> Finding:
    severity = Severity(policy.combination)
    return Finding(
        key="medicine:combination",
        code="medicine_combination",
        severity=severity,
        title=Text("Several medicines act on bleeding at once: %(medicines)s", {"medicines": ", ".join(agents)}),
        why=Text("Together they bleed more than each alone, so the stricter rule counts for each."),
        todo=Text("A clinician decides, even where each alone could be continued."),
        source=policy.source,
        blocks="start" if severity is Severity.STOP else "",
        beside=BESIDE,
    )


def _list_itself(scene: Scene, policy: BleedingClass) -> Iterator[Finding]:
    """The list was asked for and nobody knows, or *takes none* has no name behind it."""
    medicines = scene.snapshot.medicines
    nameless = medicines.asked is Asked.NONE and not medicines.none_by
    missing = medicines.asked is Asked.NOT_ASKED and scene.snapshot.opened and scene.snapshot.day_of
    old = medicines.valid_until is not None and medicines.valid_until < scene.at and scene.snapshot.day_of
    if not (medicines.asked is Asked.UNKNOWN or nameless or missing or old):
        return
    severity = max((Severity(s) for s in (policy.hold, policy.unrecognised)), key=lambda s: s.rank)
    yield Finding(
        key="medicines",
        code="medicines_unknown",
        severity=severity,
        title=Text("Nobody knows what the patient takes"),
        evidence=(Text("“Takes none” needs the name of who said so.") if nameless else Text("No valid answer."),),
        why=Text("Unknown is not none: a blood thinner may be among them."),
        todo=Text("Ask the patient, the caregiver, the pharmacy; look in the chart."),
        source=policy.source,
        blocks="start" if severity is Severity.STOP else "",
        beside=BESIDE,
        unknown=True,
    )
