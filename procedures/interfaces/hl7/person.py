"""The patient (PID), as every version from 2.1 on names one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from procedures.domain.report import Identifier, Person
from procedures.interfaces.hl7 import moments
from procedures.interfaces.hl7.fields import Fields
from procedures.interfaces.hl7.segments import Segment

#: Fields with numbers: the list, the external one, others, the account (what it is when no kind is said).
NUMBERS = ((3, ""), (2, ""), (4, ""), (18, "AN"))
#: The name, and the alias of older versions.
NAMES = (5, 9)
#: Kinds of numbers of authorities (HL7 table 0301): not kinds of patient numbers.
NUMBERING = frozenset({"ISO", "DNS", "GUID", "UUID", "URI", "HCD", "L,M,N"})
FAMILY, GIVEN, MIDDLE = 0, 1, 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Patient:
    """``person`` None: the segment names nobody. ``problem``: a code, empty when all could be read."""

    person: Person | None
    problem: str = ""


def patient(segment: Segment, fields: Fields) -> Patient:
    identifiers = tuple(dict.fromkeys(_identifiers(segment, fields)))
    names = [one for number in NAMES for one in fields.repetitions(segment.field(number))]
    born = fields.separators.components(segment.field(7))[0].strip()
    birth_date = moments.day(born)
    person = Person(
        identifiers=identifiers,
        family_names=_unique(name for one in names for name in _family(one, fields)),
        given_names=_unique(_part(one, GIVEN, fields) for one in names),
        middle_names=_unique(_part(one, MIDDLE, fields) for one in names),
        birth_date=birth_date,
        sex=fields.first(segment.field(8)).upper(),
    )
    says_birth = bool(born) and not moments.says_nothing(born)
    if not (identifiers or person.family_names or person.given_names or birth_date):
        return Patient(person=None)
    return Patient(person=person, problem="birth_date_unreadable" if says_birth and birth_date is None else "")


def _identifiers(segment: Segment, fields: Fields) -> list[Identifier]:
    found = []
    for number, usual_kind in NUMBERS:
        for one in fields.repetitions(segment.field(number)):
            components = fields.separators.components(one)
            value = fields.subparts(components[0])[0]
            if not value:
                continue
            authority, authority_id = _authority(components[3] if len(components) > 3 else "", fields)
            kinds = [fields.text(component) for component in components[4:6]]
            if len(kinds) > 1 and kinds[0].upper() in NUMBERING and kinds[1]:  # an authority in parts, badly separated
                kinds = kinds[1:]
            kind = kinds[0] if kinds else ""
            found.append(
                Identifier(
                    value=value, authority=authority or authority_id, kind=kind or usual_kind, authority_id=authority_id
                )
            )
    return found


def _authority(component: str, fields: Fields) -> tuple[str, str]:
    """Its name and its universal number: HD, ``name&number&type``."""
    parts = [*fields.subparts(component), "", ""]
    return parts[0], parts[1]


def _family(name: str, fields: Fields) -> list[str]:
    """The whole surname, and the own one and the partner's where they are said apart (FN, since v2.5)."""
    parts = [*fields.subparts(fields.separators.components(name)[FAMILY]), "", "", "", "", ""]
    own = " ".join(part for part in (parts[1], parts[2]) if part) if parts[2] else ""
    partner = " ".join(part for part in (parts[3], parts[4]) if part) if parts[4] else ""
    return [parts[0], own, parts[2], partner, parts[4]]


def _part(name: str, at: int, fields: Fields) -> str:
    components = fields.separators.components(name)
    return fields.subparts(components[at])[0] if at < len(components) else ""


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name))
