"""The shapes of ``medicines.toml``: names, dose tiers, and what is held for the needle. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from procedures.domain.items import Source


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
    one; ``lab_after_hours``: a value drawn earlier after the last dose does not count. An absent restart time means
    that the physician sets it before discharge; so does an absent one after a traumatic tap, never the ordinary one.
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
