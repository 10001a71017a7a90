"""The safety rules as data: ``medicines.toml`` and ``thresholds.toml``, looked up by code. Pure.

Both files together are one RuleSet with one digest, versioned apart from the protocols: a case pins its protocol, a
safety run takes the newest rule set. A protocol names its ``bleeding_class``; nothing here knows a procedure by name.
Every rule carries a ``Source``; an empty ``approved_by`` is shown wherever the rule is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from procedures.domain.rule_medicines import (
    BleedingClass,
    HoldRule,
    Ingredient,
    LocalChoice,
    MedicineGroup,
    Medicines,
    Product,
)
from procedures.domain.rule_thresholds import Measure, PatientCondition, Thresholds


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
