"""Who is asked, at one moment: who is active, who is away, who is on call, who covers whom. Pure.

Who is away is never asked: who covers is, else the role on duty. While the clinic is shut what cannot wait also goes to
whoever is on call. Somebody is always found while any director or administrator has access.

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
    """``roles``: active people and what they are. ``on_call``: by role, now. ``away``: everybody absent now.
    ``covers``: absent now → surrogate who has accepted. ``open_now``: the clinic is.
    """

    roles: Mapping[int, frozenset[Role]]
    on_call: Mapping[Role, tuple[int, ...]] = field(default_factory=dict)
    covers: Mapping[int, int] = field(default_factory=dict)
    away: frozenset[int] = frozenset()
    open_now: bool = True
    #: What was looked up already: one roster answers for thousands of rungs.
    _duty: dict[Role, tuple[int, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def present(self, person: int | None) -> int | None:
        """The person, or who covers for them, or nobody. Covers are followed; a ring of them ends in nobody, and so
        does an absence that nobody covers: its inbox is closed.
        """
        seen: set[int] = set()
        while person is not None and person not in seen:
            seen.add(person)
            if person not in self.covers:
                return person if person in self.roles and person not in self.away else None
            person = self.covers[person]
        return None

    def on_duty(self, role: Role) -> tuple[int, ...]:
        """Who is on call for the role now; else everybody who holds it. The absent are replaced by their surrogates."""
        found = self._duty.get(role)
        if found is None:
            called = self._present(self.on_call.get(role, ()))
            found = called or self._present(person for person, roles in self.roles.items() if role in roles)
            self._duty[role] = found
        return found

    def asked(
        self,
        to: To | Role,
        *,
        role: Role,
        owners: Iterable[int | None],
        involved: Iterable[int] = (),
        on_call_too: bool = False,
    ) -> Asked:
        """Whom a rung to ``to`` reaches. ``owners``: who took the promise, then who is responsible for it.

        ``involved`` people are asked besides the owner: where none is left, nobody stands in for them. ``on_call_too``:
        it cannot wait for the morning (``Ladders.wakes``), so whoever is on duty for its role is asked as well; the
        owner gets a copy.
        """
        if to is To.INVOLVED:
            return Asked(self._present(involved))
        directors = self.on_duty(Role.DIRECTOR)
        people = self._first(to, role, tuple(owners)) or directors
        if on_call_too and isinstance(to, To):
            people = tuple(sorted({*people, *(self.on_duty(role) or directors)}))
        return Asked(people) if people else Asked(self._last_resort(), empty=True)

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

    def _last_resort(self) -> tuple[int, ...]:
        """The administrators who are there; with nobody there, whoever could act at all, also from away."""
        here = self._present(p for p, roles in self.roles.items() if Role.ADMINISTRATOR in roles)
        anybody = (p for p, roles in self.roles.items() if roles & {Role.DIRECTOR, Role.ADMINISTRATOR})
        return here or tuple(sorted(anybody))

    def _present(self, people: Iterable[int]) -> tuple[int, ...]:
        return tuple(sorted({found for person in people if (found := self.present(person)) is not None}))
