"""Who is asked, at one moment: who is active, who is on call, who covers whom. Pure.

Looked up when a rung is taken and when a list is read; an absence never rewrites a promise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from clinic.roles import Role
from followups.domain.ladder import To


@dataclass(frozen=True)
class Asked:
    """Whom a rung reaches. ``empty``: nobody was left but the administrators (or nobody at all)."""

    people: tuple[int, ...]
    empty: bool = False


@dataclass(frozen=True, kw_only=True)
class Roster:
    """``roles``: active people and what they are. ``on_call``: by role, now. ``covers``: absent now → surrogate who
    has accepted.
    """

    roles: Mapping[int, frozenset[Role]]
    on_call: Mapping[Role, tuple[int, ...]] = field(default_factory=dict)
    covers: Mapping[int, int] = field(default_factory=dict)

    def present(self, person: int | None) -> int | None:
        """The person, or who covers for them, or nobody. Covers are followed; a ring of them ends in nobody."""
        seen: set[int] = set()
        while person is not None and person not in seen:
            seen.add(person)
            if person not in self.covers:
                return person if person in self.roles else None
            person = self.covers[person]
        return None

    def on_duty(self, role: Role) -> tuple[int, ...]:
        """Who is on call for the role now; else everybody who holds it. The absent are replaced by their surrogates."""
        called = self._present(self.on_call.get(role, ()))
        return called or self._present(person for person, roles in self.roles.items() if role in roles)

    def asked(self, to: To | Role, *, role: Role, owners: Iterable[int | None], involved: Iterable[int] = ()) -> Asked:
        """Whom a rung to ``to`` reaches. ``owners``: who took the promise, then who is responsible for it.

        ``involved`` people are asked besides the owner: where none is left, nobody stands in for them.
        """
        if to is To.INVOLVED:
            return Asked(self._present(involved))
        people = self._first(to, role, tuple(owners)) or self.on_duty(Role.DIRECTOR)
        if people:
            return Asked(people)
        return Asked(self._present(p for p, roles in self.roles.items() if Role.ADMINISTRATOR in roles), empty=True)

    def empty_roles(self, roles: Iterable[Role]) -> tuple[Role, ...]:
        """Those of ``roles`` that nobody answers for."""
        return tuple(sorted(role for role in set(roles) if not self.on_duty(role)))

    def _first(self, to: To | Role, role: Role, owners: tuple[int | None, ...]) -> tuple[int, ...]:
        if to is To.OWNER:
            owner = next((found for person in owners if (found := self.present(person)) is not None), None)
            return (owner,) if owner is not None else self.on_duty(role)
        if to is To.COVER:
            known = {person for owner in owners for person in (owner, self.present(owner))}
            return tuple(person for person in self.on_duty(role) if person not in known)
        return self.on_duty(role if isinstance(to, To) else to)

    def _present(self, people: Iterable[int]) -> tuple[int, ...]:
        return tuple(sorted({found for person in people if (found := self.present(person)) is not None}))
