"""A state machine is a table: which states may follow which. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from clinic.errors import IllegalMove

State = TypeVar("State", bound=StrEnum)


@dataclass(frozen=True)
class Machine(Generic[State]):
    """``allowed[old]`` is the set of states that may follow ``old``."""

    noun: str
    allowed: Mapping[State, frozenset[State]]

    def may(self, old: State, new: State) -> bool:
        return new in self.allowed.get(old, frozenset())

    def check(self, old: State, new: State) -> None:
        """Raise IllegalMove unless ``old -> new`` is in the table."""
        if not self.may(old, new):
            raise IllegalMove(noun=self.noun, old=str(old), new=str(new))

    def moves(self) -> list[tuple[str, str]]:
        """Every legal move, sorted: what the database trigger is generated from."""
        return sorted((str(old), str(new)) for old, news in self.allowed.items() for new in news)
