"""The closed list of predicates that safety rules are made of, each answered yes, no, unknown or *not asked yet*. Pure.

Unknown weighs as yes wherever a rule asks, so a rule can be silenced by a *no* alone. *Later* is a question that may
still wait (before sign-in): it gives no finding of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from procedures.domain import lab_values
from procedures.domain.answers import NOT_KNOWN, AnswerState
from procedures.domain.rule_thresholds import Condition
from procedures.domain.ruleset import RuleSet
from procedures.domain.snapshot import Asked, Snapshot

#: What a pregnancy status says when nobody knows.
NO_STATUS = frozenset({"", "unknown", "declined", "declined_to_answer"})


class Truth(Enum):
    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    LATER = "later"


@dataclass(frozen=True)
class Scene:
    """What a predicate is asked about."""

    snapshot: Snapshot
    rules: RuleSet
    at: datetime


def all_of(truths: Iterable[Truth]) -> Truth:
    return _first(truths, (Truth.NO, Truth.LATER, Truth.UNKNOWN), Truth.YES)


def any_of(truths: Iterable[Truth]) -> Truth:
    return _first(truths, (Truth.YES, Truth.UNKNOWN, Truth.LATER), Truth.NO)


def holds(conditions: Iterable[Condition], scene: Scene) -> Truth:
    """Whether all of them hold."""
    return all_of(truth(condition, scene) for condition in conditions)


def truth(condition: Condition, scene: Scene) -> Truth:
    return PREDICATES[condition.kind](condition, scene)


def not_asked(scene: Scene) -> Truth:
    return Truth.UNKNOWN if scene.snapshot.day_of else Truth.LATER


def answered(question: str, yes: Iterable[str], scene: Scene, no: Iterable[str] | None = None) -> Truth:
    """Whether the answer to ``question`` is one of ``yes``. ``no``: which say that it is not (any other, if None)."""
    snapshot = scene.snapshot
    answer = snapshot.answers.get(question)
    if answer is None or (answer.valid_until is not None and answer.valid_until < scene.at):
        if snapshot.questions is not None and question not in snapshot.questions:
            return Truth.NO
        return Truth.UNKNOWN if snapshot.is_due(question) else Truth.LATER
    if answer.state in NOT_KNOWN:
        return Truth.UNKNOWN
    if answer.state is AnswerState.ANSWERED and answer.value in yes:
        return Truth.YES
    if no is None or answer.state is not AnswerState.ANSWERED or answer.value in no:
        return Truth.NO
    return Truth.UNKNOWN


def has_condition(code: str, scene: Scene) -> Truth:
    """Whether the patient has it: from elsewhere, or by the first question that the protocol asks about it."""
    snapshot = scene.snapshot
    if code in snapshot.patient.conditions:
        return _known(snapshot.patient.conditions[code])
    for asked in scene.rules.conditions[code].asked_by:
        if snapshot.questions is None or asked.question in snapshot.questions or asked.question in snapshot.answers:
            return answered(asked.question, asked.yes, scene, asked.no)
    return not_asked(scene)


def _first(truths: Iterable[Truth], order: tuple[Truth, ...], otherwise: Truth) -> Truth:
    found = set(truths)
    return next((truth for truth in order if truth in found), otherwise)


def _known(value: bool | None) -> Truth:
    return Truth.UNKNOWN if value is None else Truth.YES if value else Truth.NO


def _answer(condition: Condition, scene: Scene) -> Truth:
    return answered(condition.subject, condition.values, scene)


def _answer_given(condition: Condition, scene: Scene) -> Truth:
    answer = scene.snapshot.answers.get(condition.subject)
    if answer is not None and answer.state is AnswerState.ANSWERED:
        return Truth.YES
    return answered(condition.subject, (), scene)


def _condition(condition: Condition, scene: Scene) -> Truth:
    found = has_condition(condition.subject, scene)
    if condition.values == ("no",):
        return {Truth.YES: Truth.NO, Truth.NO: Truth.YES}.get(found, found)
    return found


def _medicine_group(condition: Condition, scene: Scene) -> Truth:
    medicines = scene.snapshot.medicines
    groups = {i.group for entry in medicines.entries for i in scene.rules.ingredients_of(entry.code)}
    if groups.intersection(condition.values):
        return Truth.YES
    if medicines.asked is Asked.NOT_ASKED or (medicines.valid_until and medicines.valid_until < scene.at):
        return not_asked(scene)
    if medicines.asked is Asked.UNKNOWN or (medicines.asked is Asked.NONE and not medicines.none_by):
        return Truth.UNKNOWN
    return Truth.NO


def _measure_above(condition: Condition, scene: Scene) -> Truth:
    found = lab_values.current(scene.snapshot, scene.rules, condition.subject, scene.at)
    if found.absent:
        return not_asked(scene)
    if found.value is None or is_stale(condition.subject, found, scene):
        return Truth.UNKNOWN
    return _known(found.value > _number(condition))


def _volume_above(condition: Condition, scene: Scene) -> Truth:
    volume = scene.snapshot.procedure.expected_volume_ml
    return Truth.UNKNOWN if volume is None else _known(volume > _number(condition))


def _age_above(condition: Condition, scene: Scene) -> Truth:
    age = scene.snapshot.patient.age
    return Truth.UNKNOWN if age is None else _known(age > _number(condition))


def _below_min_age(condition: Condition, scene: Scene) -> Truth:
    age, least = scene.snapshot.patient.age, scene.snapshot.procedure.min_age
    if least is None:
        return Truth.NO
    return Truth.UNKNOWN if age is None else _known(age < least)


def _procedure(condition: Condition, scene: Scene) -> Truth:
    planned = getattr(scene.snapshot.procedure, condition.subject)
    if planned is None or planned == "":
        return Truth.UNKNOWN
    if isinstance(planned, bool):
        planned = "yes" if planned else "no"
    return _known(planned in condition.values)


def _pregnancy(condition: Condition, scene: Scene) -> Truth:
    pregnancy, validity = scene.snapshot.pregnancy, scene.rules.thresholds.pregnancy
    if pregnancy is None:
        return not_asked(scene)
    if pregnancy.status in NO_STATUS:
        return Truth.UNKNOWN
    hours = validity.test_hours if pregnancy.by_test else validity.hours
    if scene.at - pregnancy.at > timedelta(hours=hours):
        return not_asked(scene)
    return _known(pregnancy.status in condition.values)


def _number(condition: Condition) -> float:
    if condition.value is None:
        raise ValueError(f"{condition.kind} needs a value")  # refused by the validator
    return condition.value


def is_stale(measure: str, found: lab_values.Current, scene: Scene) -> bool:
    """Whether the value is too old at the needle, by the shortest validity that applies or may apply."""
    if found.at is None:
        return True
    for validity in scene.rules.thresholds.validity:
        if measure not in validity.measures or (validity.abnormal_before and not found.abnormal_before):
            continue
        if lab_values.within(validity, found.at, scene.at, scene.snapshot.zone):
            continue
        if holds(validity.when, scene) is not Truth.NO:
            return True
    return False


#: The whole list. A rule that names another kind is refused.
PREDICATES: Mapping[str, Callable[[Condition, Scene], Truth]] = {
    "answer": _answer,
    "answer_given": _answer_given,
    "condition": _condition,
    "medicine_group": _medicine_group,
    "measure_above": _measure_above,
    "volume_above": _volume_above,
    "age_above": _age_above,
    "below_min_age": _below_min_age,
    "procedure": _procedure,
    "pregnancy": _pregnancy,
    "any": lambda condition, scene: any_of(truth(c, scene) for c in condition.any_of),
}
