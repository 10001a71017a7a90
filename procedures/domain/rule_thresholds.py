"""The shapes of ``thresholds.toml``: values, answers, allergies and pregnancy. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from procedures.domain.items import Source
from procedures.domain.rule_medicines import LocalChoice


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One predicate of the closed list in ``predicates.py``, answered yes, no or unknown.

    ``any_of`` is for kind ``any``: one of them is enough.
    """

    kind: str
    subject: str = ""  # the question, condition, measure or planned thing it looks at
    values: tuple[str, ...] = ()
    value: float | None = None
    any_of: tuple[Condition, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Measure:
    """Something with a number: what is plausible, and from where on it counted as abnormal last time."""

    code: str
    label: str
    units: tuple[str, ...]  # first is canonical
    factors: tuple[float, ...]
    lowest: float
    highest: float
    abnormal_below: float | None = None
    abnormal_above: float | None = None
    slip: str = ""  # the other measure whose value is often typed here
    source: Source


@dataclass(frozen=True, kw_only=True)
class Validity:
    """How old a value may be at the needle. Of all that apply the shortest counts; unknown applies."""

    code: str
    label: str
    measures: tuple[str, ...]
    hours: int | None = None
    same_day: bool = False
    abnormal_before: bool = False  # applies when the value before it was abnormal
    when: tuple[Condition, ...] = ()
    source: Source


@dataclass(frozen=True, kw_only=True)
class LabRule:
    """A value in [``at_least``, ``below``), above ``above``."""

    code: str
    bleeding_class: str
    measure: str
    at_least: float | None = None
    below: float | None = None
    above: float | None = None
    severity: str
    title: str
    why: str
    todo: str
    choice: str = ""
    source: Source


@dataclass(frozen=True, kw_only=True)
class LabRequest:
    """Who needs a value at all: only on a trigger. While it is missing then, that is the finding."""

    code: str
    bleeding_class: str
    measure: str
    severity: str
    when: tuple[Condition, ...]
    title: str
    why: str
    todo: str
    source: Source


@dataclass(frozen=True, kw_only=True)
class AskedBy:
    """A question whose answer says that a patient has a condition, or has not. Any other answer: unknown."""

    question: str
    yes: tuple[str, ...]
    no: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PatientCondition:
    code: str
    label: str
    asked_by: tuple[AskedBy, ...]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A finding when every condition holds, or cannot be told to be false: unknown weighs as much as yes."""

    code: str
    classes: tuple[str, ...] = ()  # empty: all
    severity: str
    when: tuple[Condition, ...]
    title: str
    why: str
    todo: str
    blocks: str = "start"  # of a stop: start, fluoroscopy
    flags: tuple[str, ...] = ()
    choice: str = ""
    source: Source


@dataclass(frozen=True, kw_only=True)
class Substance:
    label: str
    names: tuple[str, ...] = ()
    rxcui: str = ""
    verified: bool = False


@dataclass(frozen=True, kw_only=True)
class Allergen:
    """A kind of allergy that matters here, and the substances it is recognised by."""

    code: str
    label: str
    substances: tuple[Substance, ...] = ()
    source: Source


@dataclass(frozen=True, kw_only=True)
class AllergyQuestion:
    """A question of the checklist whose answer says that there is an allergy."""

    question: str
    values: tuple[str, ...]
    allergen: str


@dataclass(frozen=True, kw_only=True)
class AllergyRule:
    """As hard as the reaction was (``reactions``), and never harder than ``severity``."""

    code: str
    allergen: str
    classes: tuple[str, ...] = ()
    severity: str
    when: tuple[Condition, ...] = ()
    title: str
    why: str
    todo: str
    flags: tuple[str, ...] = ()
    choice: str = ""
    source: Source


@dataclass(frozen=True, kw_only=True)
class Material:
    """An antiseptic or anaesthetic that may be planned."""

    code: str
    label: str
    kind: str  # antiseptic, anaesthetic
    allergen: str = ""


@dataclass(frozen=True, kw_only=True)
class PregnancyValidity:
    hours: int
    test_hours: int
    source: Source


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    reactions: dict[str, str]
    pregnancy: PregnancyValidity
    measures: tuple[Measure, ...]
    validity: tuple[Validity, ...]
    lab_rules: tuple[LabRule, ...]
    lab_requests: tuple[LabRequest, ...]
    conditions: tuple[PatientCondition, ...]
    rules: tuple[Rule, ...]
    allergens: tuple[Allergen, ...]
    allergy_questions: tuple[AllergyQuestion, ...]
    allergy_rules: tuple[AllergyRule, ...]
    materials: tuple[Material, ...]
    choices: tuple[LocalChoice, ...] = ()
