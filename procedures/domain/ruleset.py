"""The safety rules as data: the shapes of ``medicines.toml`` and ``thresholds.toml``. Pure.

Both files together are one RuleSet with one digest, versioned apart from the protocols: a case pins its protocol, a
safety run takes the newest rule set. A protocol names its ``bleeding_class``; nothing here knows a procedure by name.
Every rule carries a ``Source``; an empty ``approved_by`` is shown wherever the rule is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from procedures.domain.protocol import Source


@dataclass(frozen=True, kw_only=True)
class Position:
    """What one guideline says where they disagree."""

    who: str
    says: str
    year: int | None = None


@dataclass(frozen=True, kw_only=True)
class LocalChoice:
    """A question on which guidelines disagree. ``default`` is what the data does until a clinic signs."""

    code: str
    question: str
    positions: tuple[Position, ...]
    default: str
    signed_by: str = ""
    source: Source


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


# --- medicines ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class BleedingClass:
    """How hard each kind of medicine finding is for procedures of this class: info, caution or stop."""

    code: str
    label: str
    hold: str
    avoid: str
    consult: str
    unrecognised: str
    combination: str
    choice: str = ""
    note: str = ""
    source: Source


@dataclass(frozen=True, kw_only=True)
class MedicineGroup:
    """A class of medicines. ``agent``: acts on bleeding, so two of them together are a combination."""

    code: str
    label: str
    agent: bool


@dataclass(frozen=True, kw_only=True)
class DoseRange:
    """One way to take a tier's dose. Limits that are absent do not count; ``above`` excludes, ``up_to`` includes.

    ``reduced``: ``yes`` only for a patient who fulfils the ingredient's conditions of a reduced dose, ``no`` only for
    one who does not, empty for all.
    """

    unit: str = ""
    per_day_above: float | None = None
    per_day_up_to: float | None = None
    per_dose_above: float | None = None
    per_dose_up_to: float | None = None
    times_above: float | None = None
    times_up_to: float | None = None
    route: str = ""
    reduced: str = ""


@dataclass(frozen=True, kw_only=True)
class Tier:
    code: str
    label: str
    doses: tuple[DoseRange, ...]


@dataclass(frozen=True, kw_only=True)
class ReducedDose:
    """Who takes a full treatment with a smaller dose: ``at_least`` so many of the conditions that are given."""

    at_least: int
    age_from: float | None = None
    weight_up_to_kg: float | None = None
    creatinine_from_mg_dl: float | None = None
    crcl_up_to: float | None = None


@dataclass(frozen=True, kw_only=True)
class Ingredient:
    code: str
    label: str
    group: str
    brands: tuple[str, ...] = ()
    names: tuple[str, ...] = ()  # other generic names, spellings, abbreviations
    rxcui: str = ""
    verified: bool = False  # seen in a RxNorm extract; else own knowledge, to be confirmed
    otc: bool = False
    herbal: bool = False
    tiers: tuple[Tier, ...] = ()
    reduced: ReducedDose | None = None
    absurd_per_day: float | None = None  # a daily dose above this is a slip of the pen
    absurd_unit: str = ""
    note: str = ""
    source: Source


@dataclass(frozen=True, kw_only=True)
class Product:
    """A product of several ingredients, or one whose name hides its ingredient."""

    code: str
    label: str
    ingredients: tuple[str, ...]
    names: tuple[str, ...] = ()
    otc: bool = False
    note: str = ""
    source: Source


@dataclass(frozen=True, kw_only=True)
class LabTarget:
    """``op``: at_most, below, at_least, above; in the measure's first unit."""

    code: str
    op: str
    value: float


@dataclass(frozen=True, kw_only=True)
class HoldRule:
    """What to do with an ingredient before the needle, for one class of procedure, dose tier and renal band.

    ``crcl_min`` includes, ``crcl_max`` excludes. ``combine`` joins time and laboratory: ``all`` needs both, ``any``
    one; ``lab_after_hours``: a value drawn earlier after the last dose does not count. An absent restart time means that
    the physician sets it before discharge; so does an absent one after a traumatic tap, never the ordinary one.
    """

    bleeding_class: str
    ingredients: tuple[str, ...]
    tier: str = ""
    crcl_min: float | None = None
    crcl_max: float | None = None
    action: str
    hold_hours: int | None = None
    labs: tuple[LabTarget, ...] = ()
    combine: str = ""
    lab_after_hours: int | None = None
    restart_hours: int | None = None
    restart_if_traumatic_hours: int | None = None
    choices: tuple[str, ...] = ()
    note: str = ""
    source: Source


@dataclass(frozen=True, kw_only=True)
class Timing:
    """``combination_hours``: so long after its last dose an agent without a hold still counts beside another."""

    confirmed_within_hours: int
    combination_hours: int
    source: Source


@dataclass(frozen=True, kw_only=True)
class Medicines:
    timing: Timing
    classes: tuple[BleedingClass, ...]
    groups: tuple[MedicineGroup, ...]
    ingredients: tuple[Ingredient, ...]
    products: tuple[Product, ...]
    holds: tuple[HoldRule, ...]
    choices: tuple[LocalChoice, ...] = ()


# --- thresholds ---------------------------------------------------------------------------------------------------


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


@dataclass(frozen=True, kw_only=True)
class RuleSet:
    """Both files, looked up by code. Made by ``load_ruleset.parse``."""

    medicines: Medicines
    thresholds: Thresholds
    digest: str = field(default="", compare=False)

    @cached_property
    def classes(self) -> Mapping[str, BleedingClass]:
        return {c.code: c for c in self.medicines.classes}

    @cached_property
    def groups(self) -> Mapping[str, MedicineGroup]:
        return {g.code: g for g in self.medicines.groups}

    @cached_property
    def ingredients(self) -> Mapping[str, Ingredient]:
        return {i.code: i for i in self.medicines.ingredients}

    @cached_property
    def products(self) -> Mapping[str, Product]:
        return {p.code: p for p in self.medicines.products}

    @cached_property
    def measures(self) -> Mapping[str, Measure]:
        return {m.code: m for m in self.thresholds.measures}

    @cached_property
    def conditions(self) -> Mapping[str, PatientCondition]:
        return {c.code: c for c in self.thresholds.conditions}

    @cached_property
    def choices(self) -> Mapping[str, LocalChoice]:
        return {c.code: c for c in (*self.medicines.choices, *self.thresholds.choices)}

    @cached_property
    def holds(self) -> Mapping[tuple[str, str], tuple[HoldRule, ...]]:
        """By bleeding class and ingredient."""
        found: dict[tuple[str, str], list[HoldRule]] = {}
        for rule in self.medicines.holds:
            for ingredient in rule.ingredients:
                found.setdefault((rule.bleeding_class, ingredient), []).append(rule)
        return {key: tuple(rules) for key, rules in found.items()}

    def ingredients_of(self, code: str) -> tuple[Ingredient, ...]:
        """What a listed ingredient or product consists of; empty for a code that is not listed."""
        product = self.products.get(code)
        codes = product.ingredients if product else (code,)
        return tuple(self.ingredients[c] for c in codes if c in self.ingredients)
