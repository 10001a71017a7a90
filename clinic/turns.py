"""Whose turn it is to send on a channel, or to read what laboratories sent: one process at a time, wherever it runs.

So a gateway that hangs holds one process of one worker, and a burst leaves over one connection. Only that: what is
sent once and what is never lost rests on claims and leases, with or without a turn.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, connection

logger = logging.getLogger(__name__)

#: The first half of the advisory lock's key; the second is made of the name.
LOCK = 20_001


@contextmanager
def turn(name: str) -> Iterator[bool]:
    """True for whoever has the turn called ``name`` until the end of the block; PostgreSQL frees it if we die."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", [LOCK, name])
        (ours,) = cursor.fetchone()
    try:
        yield bool(ours)
    finally:
        if ours:
            _give_back(name)


def _give_back(name: str) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", [LOCK, name])
    except DatabaseError:  # the connection is broken, and the lock went with it
        logger.warning("%s: the turn ended with its connection", name)
