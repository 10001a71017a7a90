"""Who works in the clinic, and invented patients from many places."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.conf import settings

from clinic import audit
from clinic.actor import Actor
from clinic.errors import Conflict
from clinic.models import User
from clinic.roles import Role
from procedures.models import Patient
from procedures.services import patients

#: User name, full name, credentials, role.
STAFF = (
    ("ada", "Ada Lindqvist", "", Role.ADMINISTRATOR),
    ("dora", "Dora Mensah", "MD", Role.DIRECTOR),
    ("pia", "Pia Castellanos", "MD", Role.PHYSICIAN),
    ("carl", "Carl Haugen", "MD", Role.PHYSICIAN),
    ("nora", "Nora Tanaka", "RN", Role.NURSE),
    ("sam", "Sam Abernathy", "", Role.SCHEDULER),
)
LOGINS = settings.VAR_DIR / "demo-logins.txt"

#: Given name, sex, family name. They are combined anew, so that nobody in particular is meant.
GIVEN = (
    ("Amina", "female"), ("Bao", "male"), ("Catalina", "female"), ("Dmitri", "male"), ("Esperanza", "female"),
    ("Farid", "male"), ("Grace", "female"), ("Hiroshi", "male"), ("Ingrid", "female"), ("Jamal", "male"),
    ("Keola", "male"), ("Leila", "female"), ("Mateo", "male"), ("Ngozi", "female"), ("Oskar", "male"),
    ("Priya", "female"), ("Quentin", "male"), ("Rosa", "female"), ("Sanjay", "male"), ("Tamsin", "female"),
    ("Umar", "male"), ("Vera", "female"), ("Wiremu", "male"), ("Ximena", "female"), ("Yusuf", "male"),
    ("Zofia", "female"), ("Aroha", "female"), ("Benedikt", "male"), ("Chiara", "female"), ("Dawit", "male"),
    ("Eun-ji", "female"), ("Fergus", "male"), ("Halima", "female"), ("Iker", "male"), ("Joy", "female"),
    ("Kwame", "male"), ("Linh", "female"), ("Malik", "male"), ("Noemi", "female"), ("Pavel", "male"),
)  # fmt: skip
FAMILY = (
    "Abara", "Bergström", "Chatterjee", "Delacroix", "Eriksen", "Fonseca", "Gallagher", "Hassanzadeh", "Ivanova",
    "Jankowski", "Kahananui", "Lindgren", "Morales", "Nakagawa", "Oyelaran", "Petrosyan", "Quispe", "Rahman",
    "Sandoval", "Tuilagi", "Ueda", "Vasquez", "Whitcombe", "Xiong", "Yilmaz", "Zamora", "Achterberg", "Begay",
    "Castellano", "Diallo", "Esposito", "Fujimori", "Grzelak", "Hernandez", "Iwu", "Jefferies", "Kovalenko",
    "Le Guen", "Mbeki-Ross", "Nguyen", "O'Dowd", "Pereira", "Rasmussen", "Siddiqui", "Tesfaye", "Underhill",
    "Vandermeer", "Wijaya", "Yazzie", "Zielinski",
)  # fmt: skip
LANGUAGES = ("Spanish", "Arabic", "Vietnamese", "Polish", "Mandarin")
AREA_CODES = ("202", "212", "303", "312", "415", "503", "617", "713")


@dataclass(frozen=True)
class Cast:
    """The demonstration's people, as the services see them."""

    users: dict[str, User]

    def actor(self, name: str) -> Actor:
        return Actor.person(self.users[name])


def existing() -> bool:
    """Whether the demonstration's people are there."""
    names = [name for name, *_ in STAFF]
    return User.objects.filter(username__in=names).count() == len(names)


def create(password: str, staff: Sequence[tuple[str, str, str, Role]] = STAFF) -> Cast:
    """These people, who all log in with ``password``. Raises Conflict when one of the names is taken."""
    names = [name for name, *_ in staff]
    if User.objects.filter(username__in=names).exists():
        raise Conflict("Somebody here already has the user name of one of the demonstration's people.")
    made = {name: _create(name, full_name, credentials, role, password) for name, full_name, credentials, role in staff}
    return Cast(made)


def cast() -> Cast:
    """The people who are there already."""
    return Cast({user.username: user for user in User.objects.filter(username__in=[name for name, *_ in STAFF])})


def _create(name: str, full_name: str, credentials: str, role: Role, password: str) -> User:
    user = User.objects.create_user(name, password, full_name=full_name, roles=[role], email=f"{name}@example.org")
    user.credentials = credentials
    user.phone = f"+1 617 555 01{20 + len(name) + user.pk % 60:02d}"
    user.save(update_fields=["credentials", "phone"])
    audit.record(action="user.created", actor=Actor.system("demo"), subject=user, data={"roles": user.roles})
    return user


def write_logins(password: str) -> str:
    """Keep the log-ins where only the owner of this checkout reads them; returns the text."""
    lines = ["Log in as                     (password for all of them: " + password + ")"]
    lines += [f"  {name:<6}{role:<15}{full_name}" for name, full_name, _, role in STAFF]
    text = "\n".join(lines) + "\n"
    LOGINS.parent.mkdir(parents=True, exist_ok=True)
    LOGINS.touch(mode=0o600)
    LOGINS.chmod(0o600)
    LOGINS.write_text(text, encoding="utf-8")
    return text


# --- patients -------------------------------------------------------------------------------


class Names:
    """Invented patients; the same random numbers give the same ones. When the names are used up they come again."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._pairs = [(given, sex, family) for given, sex in GIVEN for family in FAMILY]
        rng.shuffle(self._pairs)
        self._number = 0

    def next(self, today: date, *, sex: str = "", oldest: int = 84, youngest: int = 24) -> dict[str, Any]:
        """The columns of a new patient."""
        given, found, family = self._pair(sex)
        self._number += 1
        number, rng = self._number, self._rng
        born = today - timedelta(days=round(rng.uniform(youngest, oldest) * 365.25))
        mail = _ascii(f"{given}.{family}").lower().replace(" ", "").replace("'", "")
        return {
            "given_name": given,
            "family_name": family,
            "birth_date": born,
            "sex": found,
            "mrn": f"{400_000 + number * 37}",
            "phone": f"+1{rng.choice(AREA_CODES)}555{100 + number % 100:04d}",
            "email": f"{mail}@example.org" if rng.random() < 0.6 else "",
            "voicemail_allowed": rng.random() < 0.5,
            "consent_sms": rng.random() < 0.3,
            **self._language(),
        }

    def _pair(self, sex: str) -> tuple[str, str, str]:
        if not any(found == sex or not sex for _, found, _ in self._pairs):
            again = [(given, found, family) for given, found in GIVEN for family in FAMILY]
            self._rng.shuffle(again)
            self._pairs += again
        wanted = next(i for i, (_, found, _) in enumerate(reversed(self._pairs)) if not sex or found == sex)
        return self._pairs.pop(len(self._pairs) - 1 - wanted)

    def _language(self) -> dict[str, Any]:
        if self._rng.random() > 0.15:
            return {}
        return {"language": self._rng.choice(LANGUAGES), "interpreter_needed": True}


def register(actor: Actor, columns: dict[str, Any], **more: Any) -> Patient:
    """Register an invented patient. A chance likeness on the same birthday is somebody else."""
    values = {**columns, **more}
    names = {key: values[key] for key in ("given_name", "family_name", "birth_date")}
    alike = [patient.pk for patient in patients.similar_to(**names)]
    return patients.create(actor=actor, despite=alike, **values)


def _ascii(text: str) -> str:
    plain = text.replace("ø", "o").replace("ł", "l").replace("ß", "ss")
    return unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
