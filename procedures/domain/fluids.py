"""Which fluid a specimen, a code or a laboratory's words mean. Pure; words and codes are ``codes/fluids.toml``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from procedures.domain.names import spaced


@dataclass(frozen=True, kw_only=True)
class Fluid:
    """``serves``: the fluids of a protocol's tests that are taken from it."""

    code: str
    label: str
    serves: frozenset[str]
    words: tuple[str, ...]
    loinc: frozenset[str]


@dataclass(frozen=True)
class Fluids:
    """All that are known."""

    rows: tuple[Fluid, ...]

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Fluids:
        return cls(
            tuple(
                Fluid(
                    code=row["code"],
                    label=row["label"],
                    serves=frozenset(row["serves"]),
                    words=tuple(row["words"]),
                    loinc=frozenset(row.get("loinc", ())),
                )
                for row in data["fluids"]
            )
        )

    @cached_property
    def _by_loinc(self) -> dict[str, Fluid]:
        return {code: fluid for fluid in self.rows for code in fluid.loinc}

    @cached_property
    def _by_word(self) -> tuple[tuple[str, Fluid], ...]:
        """The longest first: *peritoneal fluid* before a word of it."""
        pairs = [(f" {spaced(word)} ", fluid) for fluid in self.rows for word in fluid.words]
        return tuple(sorted(pairs, key=lambda pair: -len(pair[0])))

    def of_loinc(self, code: str) -> Fluid | None:
        """The fluid that the code itself names; None: it names none, or we do not know it."""
        return self._by_loinc.get(code)

    def of_words(self, *texts: str) -> Fluid | None:
        """The one fluid that the first text which names any speaks of. Two in one text: none is certain."""
        for text in texts:
            found = self._named(f" {spaced(text)} ")
            if found:
                return found[0] if len(found) == 1 else None
        return None

    def _named(self, text: str) -> list[Fluid]:
        found: list[Fluid] = []
        for word, fluid in self._by_word:
            if word in text:
                text = text.replace(word, " ")
                if fluid not in found:
                    found.append(fluid)
        return found


def fits(fluid: Fluid | None, test_fluid: str) -> bool | None:
    """Whether a test of this fluid can be made of it; None: it is not known what it is."""
    return None if fluid is None else test_fluid in fluid.serves


def served(fluids: Iterable[Fluid]) -> frozenset[str]:
    return frozenset(code for fluid in fluids for code in fluid.serves)
