"""What must be handed over before somebody's access can end: the apps say what they know of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from clinic.models import User


@dataclass(frozen=True)
class OpenItems:
    """Something of which a person still has some. ``words``: "3 open cases"; no name of a patient."""

    code: str
    words: str
    count: int


#: Given a person, what they still hold. Must read the database: it is asked under the person's lock.
Guard = Callable[[User], list[OpenItems]]
_guards: list[Guard] = []


def while_open(guard: Guard) -> Guard:
    """Register a guard: while it names something, nobody ends this person's access."""
    if guard not in _guards:
        _guards.append(guard)
    return guard


def open_items(user: User) -> list[OpenItems]:
    """Everything that all guards name."""
    return [items for guard in _guards for items in guard(user) if items.count]
