"""Reading what is stored: one message after the other, oldest first, by one process at a time.

A task may be lost or doubled and a process may die within a message: the row says that it is still to be read, the
engine's tick asks again, and ``processing`` applies nothing twice. A message that raises does not keep the others.
"""

from __future__ import annotations

import logging
from collections import Counter
from datetime import datetime, timedelta

from django.db import DatabaseError, InterfaceError, connection

from clinic import clock
from clinic.errors import place_of
from clinic.turns import turn
from procedures.interfaces.hl7 import processing
from procedures.services import inbound_store
from procedures.services.inbound_store import Claimed

logger = logging.getLogger(__name__)

TURN = "inbound.read"
#: The task, for whoever nudges.
READ = "procedures.tasks.read_inbound"
#: Wall-clock time that one run may take. Below the task's time limit.
READING = timedelta(seconds=90)


def read_waiting(*, until: datetime | None = None) -> Counter[str]:
    """Read all that is stored, unless another process is at it: how many were ``read``, ``set_aside``, ``given_up``.

    Whoever stores a message while we let go of the turn was told that we have it: hence another look after it.
    """
    until = until or clock.real_now() + READING
    counts: Counter[str] = Counter()
    seen = 0
    while clock.real_now() < until:
        with turn(TURN) as ours:
            if not ours:
                counts["busy"] += 1
                return counts
            last = _read(seen, until, counts)
        if last == seen:
            break
        seen = last
    return counts


def _read(after: int, until: datetime, counts: Counter[str]) -> int:
    """From behind the message ``after`` on; the number of the last that was begun."""
    while clock.real_now() < until and (claimed := inbound_store.next_to_read(after=after)) is not None:
        counts[read_one(claimed)] += 1
        after = claimed.pk
    return after


def read_one(claimed: Claimed) -> str:
    """One claimed message: ``read``, ``set_aside`` for the next look, or ``given_up`` and somebody's task."""
    pk, tries = claimed.pk, claimed.tries
    if tries > inbound_store.MOST_TRIES:
        return _give_up(pk, "Reading it was begun several times and never came to an end.")
    try:
        processing.process(pk)
    except Exception as error:
        if isinstance(error, DatabaseError | InterfaceError) and not connection.is_usable():
            logger.warning("inbound message=%s not read: the database went away", pk)
            raise
        # Neither the message nor its values: an error's own words may hold them.
        logger.error(
            "inbound message=%s set aside try=%s error=%s at=%s", pk, tries, type(error).__name__, place_of(error)
        )
        if tries >= inbound_store.MOST_ERRORS:
            return _give_up(pk, f"Reading it failed {tries} times ({type(error).__name__}).")
        return "set_aside"
    return "set_aside" if inbound_store.still_stored(pk) else "read"


def _give_up(pk: int, problem: str) -> str:
    logger.error("inbound message=%s given up", pk)
    inbound_store.give_up(pk, problem=problem)
    return "given_up"
