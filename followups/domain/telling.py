"""When the patient counts as told, and when as not reachable. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from followups.domain.facts import ContactFact

#: Three tries by two channels, then a letter (clinical-facts §6.5, VA Directive 1088; not yet approved by a clinic).
TRIES = 3
CHANNELS = 2
#: Read by the patient, who asks for a call: neither told nor out of reach.
CALL_WANTED = "call_wanted"


def unreachable(contacts: Iterable[ContactFact], since: datetime) -> datetime | None:
    """When the unreachable-patient protocol was completed after ``since``; None while it is not.

    Sent is not told: only three unsuccessful tries by at least two channels *and* a letter end the promise.
    """
    tries = [c for c in contacts if c.at >= since and not c.told and c.outcome != CALL_WANTED]
    calls = [c for c in tries if c.outcome != "letter_sent"]
    letters = [c for c in tries if c.outcome == "letter_sent"]
    return max(c.at for c in tries) if _enough(calls) and letters else None


def exhausted(contacts: Iterable[ContactFact], since: datetime) -> datetime | None:
    """When enough tries after ``since`` had reached nobody; None while more are owed, or once a letter went out."""
    tries = sorted((c for c in contacts if c.at >= since and not c.told and c.outcome != CALL_WANTED), key=_when)
    if any(c.outcome == "letter_sent" for c in tries):
        return None
    return next((tries[n - 1].at for n in range(TRIES, len(tries) + 1) if _enough(tries[:n])), None)


def call_wanted(contacts: Iterable[ContactFact], since: datetime) -> datetime | None:
    """When the patient, having read a message, asked to be called; None when nobody asked or somebody has called."""
    rows = [c for c in contacts if c.at >= since and (c.told or c.outcome == CALL_WANTED)]
    newest = max(rows, key=_when, default=None)
    return newest.at if newest is not None and newest.outcome == CALL_WANTED else None


def _when(contact: ContactFact) -> datetime:
    return contact.at


def _enough(calls: list[ContactFact]) -> bool:
    """The letter itself is no second way: it comes after the tries."""
    return len(calls) >= TRIES and len({c.channel for c in calls}) >= CHANNELS


def knows_of_cancellation(contacts: Iterable[ContactFact], since: datetime) -> bool:
    """The patient was told after ``since`` that there will be no (full) result, or could not be reached by protocol."""
    rows = list(contacts)
    told = any(c.told and c.purpose == "cancellation" and c.at >= since for c in rows)
    return told or unreachable([c for c in rows if c.purpose == "cancellation"], since) is not None
