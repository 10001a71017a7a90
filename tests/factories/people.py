"""People: one maker with visible defaults, and the standing cast."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any

from clinic.models import User
from clinic.roles import Role

PASSWORD = "correct horse battery"
_numbers = count(1)


def make_user(*roles: Role | str, username: str = "", full_name: str = "", password: str = "", **extra: Any) -> User:
    """An active user; a nurse unless said otherwise. Without ``password`` only ``client.force_login`` lets them in."""
    number = next(_numbers)
    user = User(
        username=username or f"person{number}",
        full_name=full_name or f"Person Number{number}",
        roles=sorted(str(role) for role in roles or (Role.NURSE,)),
        **extra,
    )
    user.set_password(password or None)
    user.save(force_insert=True)
    return user


@dataclass(frozen=True)
class Cast:
    """One person for each role, and a second physician who covers."""

    sam: User
    nora: User
    pia: User
    carl: User
    dora: User
    ada: User

    def playing(self, role: Role | str) -> User:
        """The one whose only role this is; for physicians, Pia."""
        by_role = {
            Role.SCHEDULER: self.sam,
            Role.NURSE: self.nora,
            Role.PHYSICIAN: self.pia,
            Role.DIRECTOR: self.dora,
            Role.ADMINISTRATOR: self.ada,
        }
        return by_role[Role(role)]


def make_cast(password: str = "") -> Cast:
    return Cast(
        sam=make_user(Role.SCHEDULER, username="sam", full_name="Sam Schedule", password=password),
        nora=make_user(Role.NURSE, username="nora", full_name="Nora Nurse", credentials="RN", password=password),
        pia=make_user(Role.PHYSICIAN, username="pia", full_name="Pia Physician", credentials="MD", password=password),
        carl=make_user(Role.PHYSICIAN, username="carl", full_name="Carl Cover", credentials="MD", password=password),
        dora=make_user(Role.DIRECTOR, username="dora", full_name="Dora Director", credentials="MD", password=password),
        ada=make_user(Role.ADMINISTRATOR, username="ada", full_name="Ada Admin", password=password),
    )
