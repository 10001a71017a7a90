"""The five roles of a clinic. One person may hold several."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    SCHEDULER = "scheduler"
    NURSE = "nurse"
    PHYSICIAN = "physician"
    DIRECTOR = "director"
    ADMINISTRATOR = "administrator"


#: Roles that may open a chart at all. The administrator keeps users, not patients.
CLINICAL = frozenset({Role.NURSE, Role.PHYSICIAN, Role.DIRECTOR})
#: Roles that may see identity and booking.
STAFF = CLINICAL | {Role.SCHEDULER}
