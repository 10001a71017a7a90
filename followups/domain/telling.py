"""When the patient counts as told, and when as not reachable. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from followups.domain.facts import ContactFact

#: Three tries by two channels, then a letter (clinical-facts §6.5, VA Directive 1088; not yet approved by a clinic).
TRIES = 3
CHANNELS = 2


def unreachable(contacts: Iterable[ContactFact], since: datetime) -> datetime | None:
    """When the unreachable-patient protocol was completed after ``since``; None while it is not.

    Sent is not told: only three unsuccessful tries by at least two channels *and* a letter end the promise.
    """
    tries = [c for c in contacts if c.at >= since and not c.told]
    calls = [c for c in tries if c.outcome != "letter_sent"]
    letters = [c for c in tries if c.outcome == "letter_sent"]
    enough = len(calls) >= TRIES and len({c.channel for c in tries}) >= CHANNELS
    return max(c.at for c in tries) if enough and letters else None


def knows_of_cancellation(contacts: Iterable[ContactFact], since: datetime) -> bool:
    """The patient was told after ``since`` that there will be no (full) result, or could not be reached by protocol."""
    rows = list(contacts)
    told = any(c.told and c.purpose == "cancellation" and c.at >= since for c in rows)
    return told or unreachable([c for c in rows if c.purpose == "cancellation"], since) is not None
