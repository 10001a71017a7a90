"""Whom a rung reaches: owner, cover, role, and what happens when nobody is there."""

from __future__ import annotations

import pytest

from clinic.roles import Role
from followups.domain.ladder import To
from followups.domain.roster import Asked, Roster

ANN, BOB, CAT, DIR, ADM = 1, 2, 3, 4, 5
ROLES = {
    ANN: frozenset({Role.PHYSICIAN}),
    BOB: frozenset({Role.PHYSICIAN}),
    CAT: frozenset({Role.NURSE}),
    DIR: frozenset({Role.DIRECTOR}),
    ADM: frozenset({Role.ADMINISTRATOR}),
}


def ask(roster: Roster, to: To | Role, *owners: int | None, role: Role = Role.PHYSICIAN) -> Asked:
    return roster.asked(to, role=role, owners=owners)


def test_the_owner_is_who_took_it_before_who_is_responsible() -> None:
    assert ask(Roster(roles=ROLES), To.OWNER, BOB, ANN).people == (BOB,)
    assert ask(Roster(roles=ROLES), To.OWNER, None, ANN).people == (ANN,)


def test_an_absent_owner_is_replaced_by_the_surrogate() -> None:
    assert ask(Roster(roles=ROLES, covers={ANN: BOB}), To.OWNER, None, ANN).people == (BOB,)


def test_covers_are_followed_and_a_ring_of_them_ends_in_the_role() -> None:
    assert ask(Roster(roles=ROLES, covers={ANN: BOB, BOB: CAT}), To.OWNER, None, ANN).people == (CAT,)
    ring = Roster(roles=ROLES, covers={ANN: BOB, BOB: ANN})
    assert ring.present(ANN) is None
    assert ask(ring, To.OWNER, None, ANN).people == (DIR,)


def test_an_owner_who_left_is_replaced_by_who_is_responsible_and_then_by_the_role() -> None:
    without_ann = {person: roles for person, roles in ROLES.items() if person != ANN}
    assert ask(Roster(roles=without_ann), To.OWNER, ANN, BOB).people == (BOB,)
    assert ask(Roster(roles=without_ann), To.OWNER, None, ANN).people == (BOB,)


def test_without_an_owner_everybody_on_duty_for_the_role_is_asked() -> None:
    assert ask(Roster(roles=ROLES), To.OWNER, None, None).people == (ANN, BOB)
    assert ask(Roster(roles=ROLES, on_call={Role.PHYSICIAN: (BOB,)}), To.OWNER, None, None).people == (BOB,)


def test_who_is_on_call_but_left_is_not_on_duty() -> None:
    assert Roster(roles=ROLES, on_call={Role.PHYSICIAN: (99,)}).on_duty(Role.PHYSICIAN) == (ANN, BOB)


def test_cover_is_who_is_on_duty_besides_the_owner_and_their_surrogate() -> None:
    assert ask(Roster(roles=ROLES), To.COVER, None, ANN).people == (BOB,)
    assert ask(Roster(roles=ROLES, covers={ANN: BOB}), To.COVER, None, ANN).people == (DIR,)


@pytest.mark.parametrize("to", [To.OWNER, To.ROLE, To.COVER, Role.PHYSICIAN])
def test_an_empty_role_goes_to_the_director_and_an_empty_director_to_the_administrators(to: To | Role) -> None:
    assert ask(Roster(roles={DIR: ROLES[DIR], ADM: ROLES[ADM]}), to, None, None) == Asked((DIR,))
    assert ask(Roster(roles={ADM: ROLES[ADM], CAT: ROLES[CAT]}), to, None, None) == Asked((ADM,), empty=True)


def test_nobody_at_all_is_said() -> None:
    assert ask(Roster(roles={}), To.OWNER, None, ANN) == Asked((), empty=True)


def test_empty_roles_are_named() -> None:
    roster = Roster(roles={ANN: ROLES[ANN], ADM: ROLES[ADM]})
    assert roster.empty_roles([Role.PHYSICIAN, Role.NURSE, Role.DIRECTOR]) == (Role.DIRECTOR, Role.NURSE)
