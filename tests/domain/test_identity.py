"""Whom a message means: a number with its authority, and a second thing that agrees."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from procedures.domain.identity import Agrees, Known, WhoReason, family_agrees, may_be, who
from procedures.domain.report import Identifier, Person

AUTHORITIES = {"Example Hospital": "CLINIC", "OTHER": "ELSEWHERE"}
ADA = Known(
    id=1,
    numbers=frozenset({("CLINIC", "00042"), ("ELSEWHERE", "42")}),
    family_name="Moreau",
    given_name="Ada",
    birth_date=date(1961, 3, 4),
)
BEN = replace(ADA, id=2, numbers=frozenset({("CLINIC", "77")}), family_name="Okafor", given_name="Ben")


def person(
    *numbers: tuple[str, str], family: str = "Moreau", given: str = "Ada", born: date | None = ADA.birth_date
) -> Person:
    return Person(
        identifiers=tuple(Identifier(value=value, authority=authority) for value, authority in numbers),
        family_names=(family,) if family else (),
        given_names=(given,) if given else (),
        birth_date=born,
    )


def found(asked: Person | None) -> tuple[int | None, WhoReason | None]:
    answer = who(asked, AUTHORITIES, (ADA, BEN))
    return answer.patient, answer.reason


OURS = ("00042", "EXAMPLE HOSPITAL")


def test_number_authority_and_birth_date_are_enough_whatever_the_name_became() -> None:
    assert found(person(OURS)) == (1, None)
    assert found(person(OURS, family="Leclerc")) == (1, None)  # people marry


def test_without_a_birth_date_family_and_given_name_must_both_fit() -> None:
    assert found(person(OURS, born=None)) == (1, None)
    assert found(person(OURS, given="A", born=None)) == (1, None)
    assert found(person(OURS, given="", born=None)) == (1, None)
    assert found(person(OURS, given="Zoe", born=None)) == (None, WhoReason.NAME_DIFFERS)
    assert found(person(OURS, family="Okafor", born=None)) == (None, WhoReason.NAME_DIFFERS)


def test_a_number_alone_is_nobody() -> None:
    assert found(person(OURS, family="", given="", born=None)) == (None, WhoReason.ONLY_THE_NUMBER)


def test_a_birth_date_that_differs_is_never_outweighed_by_a_name() -> None:
    assert found(person(OURS, born=date(1961, 4, 3))) == (None, WhoReason.BIRTH_DATE_DIFFERS)


def test_name_and_birth_date_without_a_number_are_a_candidate_and_no_more() -> None:
    assert found(person()) == (None, WhoReason.NO_NUMBER)
    assert may_be(person(), ADA)
    assert not may_be(person(family="Okafor"), ADA)


@pytest.mark.parametrize(
    "number",
    [("", "EXAMPLE HOSPITAL"), ("00042", ""), ("  ", "EXAMPLE HOSPITAL"), ("00042", "NOBODY WE KNOW")],
)
def test_an_empty_number_or_an_unknown_authority_identifies_nobody(number: tuple[str, str]) -> None:
    nameless = replace(ADA, numbers=frozenset({("", ""), ("CLINIC", "")}))
    assert who(person(number), AUTHORITIES, (nameless, BEN)).reason is WhoReason.NO_NUMBER


def test_leading_zeros_and_the_authority_say_something() -> None:
    assert found(person(("42", "EXAMPLE HOSPITAL"))) == (None, WhoReason.UNKNOWN_NUMBER)
    assert found(person(("42", "other"))) == (1, None)
    assert found(person(("00042", "OTHER"))) == (None, WhoReason.UNKNOWN_NUMBER)


def test_two_numbers_of_two_people_are_nobodys() -> None:
    assert found(person(OURS, ("77", "Example Hospital"))) == (None, WhoReason.SEVERAL_PATIENTS)


def test_an_authority_counts_by_its_universal_number_too() -> None:
    one = replace(person(), identifiers=(Identifier(value="00042", authority="x", authority_id="1.2.3"),))
    assert who(one, {"1.2.3": "CLINIC"}, (ADA,)).patient == 1


@pytest.mark.parametrize(
    ("theirs", "ours", "agrees"),
    [
        ("MÜLLER", "Muller", Agrees.YES),
        ("Mueller", "Müller", Agrees.YES),
        ("GARCIA", "García-López", Agrees.YES),
        ("García López", "Garcia", Agrees.YES),
        ("OBRIEN", "O'Brien", Agrees.YES),
        ("Vanderberg", "van der Berg", Agrees.YES),
        ("de la Cruz", "Cruz", Agrees.YES),
        ("Smith Jr", "Smith", Agrees.YES),
        ("Smith", "Smythe", Agrees.NO),
        ("de la", "de la Cruz", Agrees.UNKNOWN),
        ("Garcia Perez", "Garcia Lopez", Agrees.NO),
        ("", "Smith", Agrees.UNKNOWN),
    ],
)
def test_family_names_are_compared_by_their_letters(theirs: str, ours: str, agrees: Agrees) -> None:
    assert family_agrees(person(family=theirs), replace(ADA, family_name=ours)) is agrees


@pytest.mark.parametrize("name", ["BB SARAH", "Baby Boy Moreau", "Newborn", "Twin A Moreau"])
def test_a_newborns_name_confirms_nobody(name: str) -> None:
    assert found(person(OURS, family=name, given="", born=None)) == (None, WhoReason.ONLY_THE_NUMBER)
    assert found(person(OURS, family=name, given="")) == (1, None)  # the day of birth does


def test_a_message_that_names_nobody_means_nobody() -> None:
    assert found(None) == (None, WhoReason.NOBODY_NAMED)
