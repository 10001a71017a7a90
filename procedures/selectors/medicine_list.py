"""The medicines that the rules know, as somebody types them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from procedures.domain import medicine_search
from procedures.domain.case_snapshot import code_of
from procedures.domain.checklist_round import MedicineRow, Round
from procedures.domain.medicine_search import Match
from procedures.domain.ruleset import RuleSet
from procedures.selectors import safety


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a typed name was recognised as. ``tiers``: the kinds of dose that its rules tell apart."""

    code: str
    label: str
    group: str
    agent: bool
    tiers: tuple[tuple[str, str], ...]


def search(text: str) -> tuple[Match, ...]:
    """The best matches first. One query."""
    rules = _rules()
    return medicine_search.search(rules, text) if rules is not None else ()


def known(name: str) -> Known | None:
    """The listed medicine that this is; None when no rule knows it. One query."""
    rules = _rules()
    code = code_of(rules, name) if rules is not None else ""
    if rules is None or not code:
        return None
    ingredients = rules.ingredients_of(code)
    groups = [rules.groups[ingredient.group] for ingredient in ingredients]
    return Known(
        code=code,
        label=", ".join(ingredient.label for ingredient in ingredients),
        group=", ".join(dict.fromkeys(group.label for group in groups)),
        agent=any(group.agent for group in groups),
        tiers=tuple((tier.code, tier.label) for ingredient in ingredients for tier in ingredient.tiers),
    )


def unlisted(rules: RuleSet | None, rows: Iterable[MedicineRow]) -> frozenset[int]:
    """The lines whose medicine no rule knows; none where there are no rules."""
    if rules is None:
        return frozenset()
    return frozenset(row.id for row in rows if not (rules.ingredients_of(row.code) or code_of(rules, row.name)))


def unlisted_in(found: Round | None) -> frozenset[int]:
    """The same for a round of the checklist. One query."""
    return unlisted(_rules(), found.medicines if found is not None else ())


def names() -> tuple[str, ...]:
    """Every name there is, in order of the alphabet: what a browser without a script offers. One query."""
    return names_in(_rules())


def names_in(rules: RuleSet | None) -> tuple[str, ...]:
    """The same for these rules. No query."""
    if rules is None:
        return ()
    found = {name for one in rules.medicines.ingredients for name in (one.label, *one.names, *one.brands)}
    found |= {name for one in rules.medicines.products for name in (one.label, *one.names)}
    return tuple(sorted(found, key=str.casefold))


def _rules() -> RuleSet | None:
    version = safety.rule_set()
    return version.parsed if version is not None else None
