"""How a patient may be written to, and in which order. Pure. What is not allowed falls to a person, who calls."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SMS = "sms"
EMAIL = "patient_email"
#: Ways of reaching somebody that are people: a message would go to the wrong phone, or to nobody.
THROUGH_PEOPLE = frozenset({"caregiver", "facility", "none"})


class Which(StrEnum):
    """Which of the allowed ways a rung uses."""

    PREFERRED = "preferred"
    OTHER = "other"  # the second one; the first again where there is one alone


class Never(StrEnum):
    """Why nothing may be written."""

    DECEASED = "deceased"
    INPATIENT = "inpatient"
    THROUGH_PEOPLE = "through_people"
    NO_WAY = "no_way"


@dataclass(frozen=True, kw_only=True)
class Reach:
    """``sms``, ``email``: agreed to for the number or address of today, which is known, and the clinic can send it."""

    reach_by: str
    sms: bool = False
    email: bool = False
    inpatient: bool = False
    deceased: bool = False


def never(reach: Reach) -> Never | None:
    """Why no message may go to this patient at all; None when one may."""
    if reach.deceased:
        return Never.DECEASED
    if reach.inpatient:
        return Never.INPATIENT
    if reach.reach_by in THROUGH_PEOPLE:
        return Never.THROUGH_PEOPLE
    return None if reach.sms or reach.email else Never.NO_WAY


def ways(reach: Reach) -> tuple[str, ...]:
    """The channels that are allowed, the preferred one first: a text unless e-mail was asked for."""
    if never(reach) is not None:
        return ()
    order = (EMAIL, SMS) if reach.reach_by == "email" else (SMS, EMAIL)
    allowed = {SMS: reach.sms, EMAIL: reach.email}
    return tuple(channel for channel in order if allowed[channel])


def way(reach: Reach, which: Which) -> str:
    """The channel of one rung; empty when there is none."""
    found = ways(reach)
    if not found:
        return ""
    return found[-1] if which is Which.OTHER else found[0]
