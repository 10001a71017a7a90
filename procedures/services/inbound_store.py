"""Keeping what laboratories send: one short transaction, and only then may anybody acknowledge it.

The same bytes again are the same row. What cannot be a message is kept as well, and is somebody's task at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, F, Min, Q

from procedures import events
from procedures.models import InboundMessage
from procedures.models.inbound import InboundState

SENDER_LENGTH = 250
CONTROL_ID_LENGTH = 200
PEER_LENGTH = 120
PROBLEM_LENGTH = 300
#: So often is a message tried that raises, and so often one with which the process itself ends each time.
MOST_ERRORS = 3
MOST_TRIES = 6

Key = tuple[str, str, str]

COLUMNS = tuple(field for field in InboundMessage._meta.local_concrete_fields if not field.primary_key)
INSERT = """
INSERT INTO {table} ({columns}) VALUES {rows}
ON CONFLICT ON CONSTRAINT inbound_once DO NOTHING
RETURNING id, sender, control_id, digest
"""


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """One message as it came. ``problem``: why it is none, in words; then sender and number may be empty."""

    raw: bytes
    source: str
    peer: str = ""
    sender: str = ""
    control_id: str = ""
    problem: str = ""

    def key(self) -> Key:
        digest = hashlib.sha256(self.raw).hexdigest()
        return _text(self.sender, SENDER_LENGTH), _text(self.control_id, CONTROL_ID_LENGTH), digest


@dataclass(frozen=True)
class Kept:
    """``is_new``: false when these very bytes were here already."""

    pk: int
    is_new: bool
    state: str


def _text(value: str, length: int) -> str:
    """PostgreSQL keeps no NUL in a text."""
    return value.replace("\0", "�")[:length]


def store(arrival: Arrival, *, now: datetime) -> Kept:
    """Keep one message."""
    return store_all([arrival], now=now)[0]


def store_all(arrivals: Sequence[Arrival], *, now: datetime) -> list[Kept]:
    """Keep them all in one transaction of its own; when it returns they are on the disk. Same order as given.

    Rows are inserted in the order of their keys: two batches with the same messages wait for each other, and never
    in a circle.
    """
    keys = [arrival.key() for arrival in arrivals]
    rows = dict(sorted(zip(keys, arrivals, strict=True), key=lambda pair: pair[0]))
    with transaction.atomic(durable=True):
        new = _insert(rows, now)
        for pk, key in new.items():
            if rows[key].problem:
                events.message_changed(InboundMessage(pk=pk))
        kept = {key: Kept(pk, True, _state(rows[key])) for pk, key in new.items()}
        kept |= _known([key for key in rows if key not in kept])
    found = []
    for key in keys:
        found.append(kept[key])
        kept[key] = replace(kept[key], is_new=False)  # twice in one batch: the second is no news
    return found


def _insert(rows: dict[Key, Arrival], now: datetime) -> dict[int, Key]:
    """The numbers of those that were not here. One statement: Django's own says nothing of what it passed over."""
    values = [value for key, arrival in rows.items() for value in _values(key, arrival, now)]
    row = f"({', '.join(['%s'] * len(COLUMNS))})"
    statement = INSERT.format(
        table=InboundMessage._meta.db_table,
        columns=", ".join(str(field.column) for field in COLUMNS),
        rows=", ".join([row] * len(rows)),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return {pk: (sender, control_id, digest) for pk, sender, control_id, digest in cursor.fetchall()}


def _values(key: Key, arrival: Arrival, now: datetime) -> list[Any]:
    sender, control_id, digest = key
    message = InboundMessage(
        source=arrival.source,
        peer=_text(arrival.peer, PEER_LENGTH),
        sender=sender,
        control_id=control_id,
        digest=digest,
        raw=arrival.raw,
        received_at=now,
        state=_state(arrival),
        problem=_text(arrival.problem, PROBLEM_LENGTH),
    )
    return [field.get_db_prep_save(getattr(message, field.attname), connection) for field in COLUMNS]


def _state(arrival: Arrival) -> str:
    return str(InboundState.UNREADABLE if arrival.problem else InboundState.STORED)


def _known(keys: list[Key]) -> dict[Key, Kept]:
    if not keys:
        return {}
    wanted = Q()
    for sender, control_id, digest in keys:
        wanted |= Q(sender=sender, control_id=control_id, digest=digest)
    found = InboundMessage.objects.filter(wanted).values_list("pk", "sender", "control_id", "digest", "state")
    return {(sender, number, digest): Kept(pk, False, state) for pk, sender, number, digest, state in found}


# --- reading them, later ---------------------------------------------------------------------


@dataclass(frozen=True)
class Claimed:
    """A message that we may read; ``tries`` with this one."""

    pk: int
    tries: int


def next_to_read(*, after: int = 0) -> Claimed | None:
    """Claim the oldest stored message behind ``after``; None when there is none."""
    return _claim(Q(pk__gt=after))


def claim(pk: int) -> Claimed | None:
    """Claim this very message; None when it is not to be read, or somebody is reading it."""
    return _claim(Q(pk=pk))


def _claim(which: Q) -> Claimed | None:
    """The try is counted, and committed, before anything is read: a message with which the process ends each time is
    given up as well. The count need not survive a crash of the database, so nothing waits for the disk.
    """
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")
        row = (
            InboundMessage.objects.filter(which, state=InboundState.STORED)
            .select_for_update(of=("self",), no_key=True, skip_locked=True)
            .only("pk", "tries")
            .order_by("pk")
            .first()
        )
        if row is None:
            return None
        InboundMessage.objects.filter(pk=row.pk).update(tries=F("tries") + 1)
        return Claimed(row.pk, row.tries + 1)


def still_stored(pk: int) -> bool:
    """Whoever read it came to no end and has counted that: our own count is taken back."""
    left = InboundMessage.objects.filter(pk=pk, state=InboundState.STORED, tries__gt=0)
    return bool(left.update(tries=F("tries") - 1))


def give_up(pk: int, *, problem: str) -> None:
    """It cannot be read: the others go on, and this one is a person's."""
    with transaction.atomic():
        changed = InboundMessage.objects.filter(pk=pk, state=InboundState.STORED).update(
            state=InboundState.UNREADABLE, problem=problem[:PROBLEM_LENGTH]
        )
        if changed:
            events.message_changed(InboundMessage(pk=pk))


def waiting(*, now: datetime) -> tuple[int, int]:
    """How many messages are stored and not read, and for how many seconds the oldest has waited."""
    stored = InboundMessage.objects.filter(state=InboundState.STORED)
    found = stored.aggregate(count=Count("pk"), oldest=Min("received_at"))
    oldest = found["oldest"]
    return found["count"], max(0, int((now - oldest).total_seconds())) if oldest else 0
