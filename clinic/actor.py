"""Who does something: a person in a browser, or the engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clinic.roles import Role

if TYPE_CHECKING:
    from clinic.models import User


@dataclass(frozen=True)
class Actor:
    """``user_id`` is None for the engine; ``name`` is copied as text so that history survives."""

    user_id: int | None
    name: str
    roles: frozenset[Role] = field(default_factory=frozenset)
    via: str = "web"

    @classmethod
    def person(cls, user: User, via: str = "web") -> Actor:
        return cls(user_id=user.pk, name=user.display_name, roles=user.role_set, via=via)

    @classmethod
    def system(cls, name: str = "engine") -> Actor:
        return cls(user_id=None, name=name, via="engine")

    def has(self, *roles: Role) -> bool:
        return bool(self.roles.intersection(roles))
