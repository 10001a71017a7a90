"""Whose result it is: a number together with who gave it, and a second thing that agrees. Pure.

One alone never says who somebody is: numbers are mistyped, names are shared. A number is compared as it is written
(``0042`` is not ``42``). What is empty identifies nobody and agrees with nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from procedures.domain.names import fold, spaced
from procedures.domain.report import Person


class Agrees(StrEnum):
    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"  # one side says nothing


class WhoReason(StrEnum):
    """Why it is not certain who it is. Stored with what waits."""

    NOBODY_NAMED = "nobody_named"
    NO_NUMBER = "no_number"  # none, an empty one, or by an authority that the laboratory's page does not name
    UNKNOWN_NUMBER = "unknown_number"
    SEVERAL_PATIENTS = "several_patients"  # two numbers of two people
    ONLY_THE_NUMBER = "only_the_number"  # nothing else agrees
    BIRTH_DATE_DIFFERS = "birth_date_differs"
    NAME_DIFFERS = "name_differs"


@dataclass(frozen=True, kw_only=True)
class Known:
    """A patient of ours, as far as it takes to compare."""

    id: int
    numbers: frozenset[tuple[str, str]]  # (authority, number)
    family_name: str
    given_name: str
    birth_date: date


@dataclass(frozen=True)
class Who:
    """``patient`` only when it is certain. ``by_number``: who bears the number, certain or not."""

    patient: int | None
    reason: WhoReason | None = None
    by_number: int | None = None


#: What stands in the place of a newborn's name, or is no part of one: it agrees and disagrees with nothing.
_NO_NAME = frozenset(
    {
        "BABY", "BABYBOY", "BABYGIRL", "BB", "BG", "BBOY", "BGIRL", "BOY", "GIRL", "NEWBORN", "INFANT",
        "TWIN", "MALE", "FEMALE", "UNKNOWN", "UNNAMED", "UNK", "NN", "A", "B", "C",
    }
)  # fmt: skip
_NEWBORN = frozenset(
    {
        "BABY", "BABYBOY", "BABYGIRL", "BB", "BG", "BBOY", "BGIRL", "NEWBORN", "INFANT", "TWIN", "UNNAMED",
    }
)  # fmt: skip
#: Small words before a family name; alone they are no name.
_PARTICLES = frozenset(
    {
        "DE", "DEL", "DELLA", "DER", "DEN", "DI", "DA", "DOS", "DU", "EL", "LA", "LE", "LOS", "MC", "MAC",
        "VAN", "VON", "VOM", "ZU", "ZUM", "AL", "BIN", "IBN", "O", "D",
    }
)  # fmt: skip
_SUFFIXES = frozenset({"JR", "SR", "II", "III", "IV"})


def numbers(person: Person, authorities: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    """The numbers that may identify: not empty, and given by an authority that we know under a name of ours."""
    ours = {_key(theirs): name for theirs, name in authorities.items() if _key(theirs) and name.strip()}
    return frozenset(
        (ours[_key(authority)], identifier.value.strip())
        for identifier in person.identifiers
        for authority in (identifier.authority, identifier.authority_id)
        if identifier.value.strip() and _key(authority) in ours
    )


def who(person: Person | None, authorities: Mapping[str, str], known: Iterable[Known]) -> Who:
    """Whom the message means, among ``known``: everybody who bears one of its numbers."""
    if person is None:
        return Who(None, WhoReason.NOBODY_NAMED)
    usable = numbers(person, authorities)
    if not usable:
        return Who(None, WhoReason.NO_NUMBER)
    found = [patient for patient in known if patient.numbers & usable]
    if not found:
        return Who(None, WhoReason.UNKNOWN_NUMBER)
    if len(found) > 1:
        return Who(None, WhoReason.SEVERAL_PATIENTS)
    patient = found[0]
    reason = _second(person, patient)
    return Who(None if reason else patient.id, reason, patient.id)


def _second(person: Person, patient: Known) -> WhoReason | None:
    """The birth date, or, where none is said, family and given name. A birth date that differs is never outweighed;
    a family name that differs is (people marry).
    """
    born = birth_date_agrees(person, patient)
    if born is Agrees.YES:
        return None
    if born is Agrees.NO:
        return WhoReason.BIRTH_DATE_DIFFERS
    family = family_agrees(person, patient)
    if family is Agrees.NO or given_agrees(person, patient) is Agrees.NO:
        return WhoReason.NAME_DIFFERS
    return None if family is Agrees.YES else WhoReason.ONLY_THE_NUMBER


def birth_date_agrees(person: Person, patient: Known) -> Agrees:
    if person.birth_date is None:
        return Agrees.UNKNOWN
    return Agrees.YES if person.birth_date == patient.birth_date else Agrees.NO


def family_agrees(person: Person, patient: Known) -> Agrees:
    """Without regard to accents, case, signs between; one of two surnames is enough. A newborn's name agrees with
    nobody's: mother, brother and twin bear it too.
    """
    said = [name for name in person.family_names if name.strip()]
    if is_newborn(person):
        return Agrees.UNKNOWN
    answers = {_family(name, patient.family_name) for name in said}
    return next((a for a in (Agrees.YES, Agrees.NO) if a in answers), Agrees.UNKNOWN)


def given_agrees(person: Person, patient: Known) -> Agrees:
    """The first given name, an initial or a shortened form of it."""
    if is_newborn(person):
        return Agrees.UNKNOWN
    ours = _words(patient.given_name)
    answers = set()
    for name in person.given_names:
        theirs = _words(name)
        if theirs and ours:
            shared = theirs & ours or any(a.startswith(b) or b.startswith(a) for a in theirs for b in ours)
            answers.add(Agrees.YES if shared else Agrees.NO)
    return next((a for a in (Agrees.YES, Agrees.NO) if a in answers), Agrees.UNKNOWN)


def is_newborn(person: Person) -> bool:
    """Whether a name stands for a child that has none yet: *BB SARAH*, *Baby Boy*."""
    words = {word for name in (*person.family_names, *person.given_names) for word in spaced(name).split()}
    return bool(words & _NEWBORN)


def may_be(person: Person, patient: Known) -> bool:
    """Worth showing to a person who looks for whom a message means; never enough to enter anything."""
    return birth_date_agrees(person, patient) is Agrees.YES and family_agrees(person, patient) is not Agrees.NO


def _family(one: str, other: str) -> Agrees:
    left, right = _words(one), _words(other)
    if not left or not right:
        return Agrees.UNKNOWN
    if left <= right or right <= left or _run(one) == _run(other):
        return Agrees.YES
    return Agrees.NO


def _words(name: str) -> set[str]:
    words = {_plain(word) for word in spaced(name).split()}
    return words - _PARTICLES - _SUFFIXES - _NO_NAME


def _run(name: str) -> str:
    """In one piece: ``O'Brien``, ``O Brien`` and ``OBRIEN``; ``van der Berg`` and ``Vanderberg``."""
    return _plain("".join(spaced(name).split()))


def _plain(word: str) -> str:
    """ä is written a or ae."""
    return re.sub(r"([AOU])E", r"\1", word)


def _key(authority: str) -> str:
    return fold(authority)
