"""A patient who could not be reached: the letter."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clinic.roles import Role
from followups.domain import facts as f
from followups.domain.kinds import Kind
from followups.domain.planner import plan
from tests.domain.cases import NOON, case, hours, read, review, specimen


def tried(after: float, channel: str = "phone", outcome: str = "no_answer", purpose: str = "results") -> f.ContactFact:
    return f.ContactFact(
        purpose=purpose, told=outcome == "reached", outcome=outcome, at=NOON + hours(after), channel=channel
    )


#: The result was read six hours after noon.
TRIES = (tried(7), tried(8, "caregiver"), tried(30))


def untold(*contacts: f.ContactFact, level: str = "normal"):
    facts = case(tests=(read(1, review=review(interpretation=level, tell="now")),), specimens=(specimen(),))
    return {p.kind: p for p in plan(replace(facts, contacts=contacts))}


def test_three_tries_by_two_ways_ask_for_the_letter_and_for_nothing_less() -> None:
    promises = untold(*TRIES)
    assert set(promises) == {Kind.TELL_PATIENT, Kind.UNREACHABLE_PATIENT}
    letter = promises[Kind.UNREACHABLE_PATIENT]
    assert letter.start_at == NOON + hours(30)
    assert letter.due_at == letter.start_at + hours(case().protocol.letter_hours)


@pytest.mark.parametrize(
    "contacts",
    [
        (),
        TRIES[:2],
        (tried(7), tried(8), tried(9)),  # one way only
        (tried(1), *TRIES[:2]),  # one of them before the result was read
        (tried(5, purpose="cancellation"), *TRIES[:2]),
    ],
)
def test_while_more_tries_are_owed_no_letter_is(contacts: tuple[f.ContactFact, ...]) -> None:
    assert set(untold(*contacts)) == {Kind.TELL_PATIENT}


def test_the_letter_ends_both_and_so_does_reaching_the_patient_after_all() -> None:
    assert Kind.UNREACHABLE_PATIENT not in untold(*TRIES, tried(31, "letter", "letter_sent"))
    reached = replace(tried(31, outcome="reached"), versions=frozenset({10}))
    facts = case(tests=(read(1, told_at=NOON + hours(31)),), specimens=(specimen(),), contacts=(*TRIES, reached))
    assert plan(facts) == ()


def test_a_letter_is_no_second_way() -> None:
    by_phone = (tried(7), tried(8), tried(9))
    assert set(untold(*by_phone, tried(10, "letter", "letter_sent"))) == {Kind.TELL_PATIENT}


def test_what_is_critical_goes_to_a_physician_at_once() -> None:
    letter = untold(*TRIES, level="critical")[Kind.UNREACHABLE_PATIENT]
    assert (letter.role, letter.level) == (Role.PHYSICIAN, "critical")
    assert untold(*TRIES)[Kind.UNREACHABLE_PATIENT].role is Role.NURSE
