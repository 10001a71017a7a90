"""Whom a rung reaches: owner, cover, role, and what happens when nobody is there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


# --- away without cover -------------------------------------------------------------------------


def test_who_is_away_uncovered_is_not_asked_and_the_role_on_duty_is() -> None:
    roster = Roster(roles=ROLES, away=frozenset({ANN}))
    assert roster.present(ANN) is None
    assert ask(roster, To.OWNER, None, ANN).people == (BOB,)
    assert ask(Roster(roles=ROLES, away=frozenset({ANN}), on_call={Role.PHYSICIAN: (ANN,)}), To.OWNER, ANN).people == (
        BOB,
    )


def test_a_surrogate_who_is_away_uncovered_too_is_not_asked() -> None:
    roster = Roster(roles=ROLES, covers={ANN: BOB}, away=frozenset({ANN, BOB}))
    assert ask(roster, To.OWNER, None, ANN).people == (DIR,)


def test_a_ring_of_covers_ends_in_the_role() -> None:
    roles = {**ROLES, 6: frozenset({Role.PHYSICIAN})}
    ring = Roster(roles=roles, covers={ANN: BOB, BOB: ANN}, away=frozenset({ANN, BOB}))
    assert ask(ring, To.OWNER, None, ANN).people == (6,)


def test_with_everybody_away_whoever_could_act_is_asked_all_the_same_and_it_is_said() -> None:
    everybody = Roster(roles=ROLES, away=frozenset(ROLES))
    assert ask(everybody, To.OWNER, None, ANN) == Asked((DIR, ADM), empty=True)


# --- nights and weekends ------------------------------------------------------------------------

EVE = 6
AT_NIGHT = Roster(roles={**ROLES, EVE: frozenset({Role.PHYSICIAN})}, on_call={Role.PHYSICIAN: (EVE,)}, open_now=False)


@pytest.mark.parametrize(
    ("to", "people"),
    [(To.OWNER, (ANN, EVE)), (To.ROLE, (EVE,)), (To.COVER, (EVE,)), (Role.DIRECTOR, (DIR,))],
)
def test_what_cannot_wait_reaches_who_is_on_call_and_the_owner_gets_a_copy(
    to: To | Role, people: tuple[int, ...]
) -> None:
    assert AT_NIGHT.asked(to, role=Role.PHYSICIAN, owners=(None, ANN), on_call_too=True).people == people


def test_what_can_wait_keeps_its_ordinary_recipients() -> None:
    assert AT_NIGHT.asked(To.OWNER, role=Role.PHYSICIAN, owners=(None, ANN)).people == (ANN,)


def test_with_an_empty_role_the_director_is_asked_besides_the_owner() -> None:
    found = AT_NIGHT.asked(To.OWNER, role=Role.SCHEDULER, owners=(None, ANN), on_call_too=True)
    assert found.people == (ANN, DIR)


PEOPLE = st.integers(1, 8)
ROSTERS = st.builds(
    Roster,
    roles=st.dictionaries(PEOPLE, st.frozensets(st.sampled_from(list(Role)), min_size=1)),
    on_call=st.dictionaries(st.sampled_from(list(Role)), st.lists(PEOPLE, max_size=3).map(tuple)),
    covers=st.dictionaries(PEOPLE, PEOPLE),
    away=st.frozensets(PEOPLE),
    open_now=st.booleans(),
)


@given(
    roster=ROSTERS,
    to=st.sampled_from([To.OWNER, To.ROLE, To.COVER, *Role]),
    role=st.sampled_from(list(Role)),
    owners=st.tuples(st.none() | PEOPLE, st.none() | PEOPLE),
    on_call_too=st.booleans(),
)
def test_whatever_the_roster_somebody_active_is_asked_while_any_director_or_administrator_is(
    roster: Roster, to: To | Role, role: Role, owners: tuple[int | None, int | None], on_call_too: bool
) -> None:
    found = roster.asked(to, role=role, owners=owners, on_call_too=on_call_too)
    assert set(found.people) <= set(roster.roles)
    if any(roles & {Role.DIRECTOR, Role.ADMINISTRATOR} for roles in roster.roles.values()):
        assert found.people
    if not found.empty:
        assert not set(found.people) & roster.away, "asked in a closed inbox"
