"""What people type to find a patient."""

from __future__ import annotations

from datetime import date

import pytest

from procedures.domain import names
from procedures.domain.search import Term, terms

BORN = frozenset({date(1984, 5, 17)})


@pytest.mark.parametrize(
    "typed",
    [
        "1984-05-17",
        "5/17/1984",
        "17.5.1984",
        "17/5/1984",
        "17 May 1984",
        "17 may, 1984",
        "May 17, 1984",
        "may 17th 1984",
    ],
)
def test_a_birth_date_is_read_in_many_spellings(typed: str) -> None:
    assert terms(typed) == (Term(dates=BORN),)


@pytest.mark.parametrize("typed", ["19840517", "05171984"])
def test_eight_digits_may_be_a_date_or_a_number(typed: str) -> None:
    assert terms(typed) == (Term(text=typed, dates=BORN),)


def test_an_ambiguous_date_means_both() -> None:
    (term,) = terms("5/6/1984")
    assert term.dates == {date(1984, 5, 6), date(1984, 6, 5)}


def test_a_short_year_means_either_century() -> None:
    (term,) = terms("5/17/84")
    assert term.dates == {date(1984, 5, 17), date(2084, 5, 17)}


def test_name_and_date_together_are_two_terms() -> None:
    assert set(terms("Zim 17 May 1984")) == {Term(text="ZIM"), Term(dates=BORN)}


@pytest.mark.parametrize("typed", ["", " ", "a", "-", "a b"])
def test_too_little_is_no_search(typed: str) -> None:
    assert terms(typed) == ()


@pytest.mark.parametrize("typed", ["31/31/1984", "30 Feb 1984", "1984-13-40"])
def test_a_date_that_does_not_exist_is_only_text(typed: str) -> None:
    assert not any(term.dates for term in terms(typed))


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("müller", "Muller"), ("MULLER", "Müller"), ("obrien", "O'Brien"), ("O'Brien", "OBrien"), ("ørsted", "Orsted")],
)
def test_spellings_meet(typed: str, stored: str) -> None:
    (term,) = terms(typed)
    assert term.text in names.search_text(stored, "Ann", "M1")


def test_the_search_text_holds_family_given_and_numbers_folded() -> None:
    assert names.search_text("Zimmermann", "Ána", "M000123") == "ZIMMERMANN ANA M000123"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Smith", "Jon"), ("Smyth", "John")),
        (("Smith", "Jonathan"), ("Smith", "Jon")),
        (("Ana", "Lopez"), ("Lopez", "Ana")),
        (("García-López", "Ana"), ("Garcia Lopez", "Ana")),
    ],
)
def test_names_that_may_be_one_person(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert names.similar(one, other)
    assert names.similar(other, one)


@pytest.mark.parametrize(
    ("one", "other"), [(("Smith", "Jon"), ("Jones", "Mary")), (("Zimmermann", "Ada"), ("Novak", "Petr"))]
)
def test_names_that_are_two_people(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert not names.similar(one, other)
