"""Finding a medicine by what somebody types: generic name, brand, other name, product. Pure.

Prefixes of words only, folded; no guessing. *ASA* and *aspirin* find one ingredient, *Excedrin* the product with all
that is in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from procedures.domain.names import spaced
from procedures.domain.ruleset import RuleSet

#: Fewer letters than this match half the list.
SHORTEST = 2


@dataclass(frozen=True, kw_only=True)
class Match:
    """``code``: for ``Medicine.code``. ``name``: the name that was found, ``label`` what it is."""

    code: str
    label: str
    name: str
    group: str  # in words; of a product those of its ingredients
    agent: bool  # acts on bleeding
    otc: bool = False


def search(rules: RuleSet, text: str, limit: int = 10) -> tuple[Match, ...]:
    """The best matches first: the whole name, then its beginning, then the beginning of a later word."""
    typed = spaced(text)
    if len(typed) < SHORTEST:
        return ()
    best: dict[str, tuple[int, Match]] = {}
    for folded, match in _names(rules):
        rank = _rank(folded, typed)
        if rank is not None and (match.code not in best or rank < best[match.code][0]):
            best[match.code] = (rank, match)
    ranked = sorted(best.values(), key=lambda item: (item[0], not item[1].agent, item[1].name))
    return tuple(match for _, match in ranked[:limit])


def exactly(rules: RuleSet, text: str) -> str:
    """The code of the ingredient or product that bears exactly this name; empty when none or more than one does."""
    typed = spaced(text)
    codes = {match.code for folded, match in _names(rules) if folded == typed}
    return codes.pop() if len(codes) == 1 else ""


def _rank(folded: str, typed: str) -> int | None:
    if folded == typed:
        return 0
    if folded.startswith(typed):
        return 1
    return 2 if f" {typed}" in f" {folded}" else None


def _names(rules: RuleSet) -> Iterator[tuple[str, Match]]:
    """Every name, folded, with what it stands for. Ingredients before products."""
    for ingredient in rules.medicines.ingredients:
        group = rules.groups[ingredient.group]
        for name in (ingredient.label, *ingredient.names, *ingredient.brands):
            yield spaced(name), Match(
                code=ingredient.code, label=ingredient.label, name=name, group=group.label, agent=group.agent,
                otc=ingredient.otc,
            )  # fmt: skip
    for product in rules.medicines.products:
        groups = [rules.groups[rules.ingredients[code].group] for code in product.ingredients]
        for name in (product.label, *product.names):
            yield spaced(name), Match(
                code=product.code, label=product.label, name=name,
                group=", ".join(dict.fromkeys(g.label for g in groups)), agent=any(g.agent for g in groups),
                otc=product.otc,
            )  # fmt: skip
