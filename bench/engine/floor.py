"""The floor: what PostgreSQL itself needs to claim promises, have their effect, and write down that it was had.

Three of them. ``same_rows`` leaves the rows that the engine leaves for one reminder (the promise's step, its message,
the attempt, the audit line) and settles a claim in one commit; ``same_commits`` leaves the same rows and settles each
reminder in a commit of its own; ``barest`` has one table and two commits for a claim. Every commit waits for the disk.

``python -m bench.engine.floor NAME`` is the worker process.
"""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import psycopg

from bench.engine import effects
from bench.engine.contestant import ROWS, Contestant, Item

#: As many as the engine takes at once: steps, and messages.
STEPS, CLAIMS = 100, 20
IDLE_SECONDS = 0.05

STEP = """
WITH due AS (
    SELECT id, generation, kind, responsible_id, due_at FROM followups_followup
    WHERE closed_at IS NULL AND next_action_at <= now() AND (snoozed_until IS NULL OR snoozed_until <= now())
    ORDER BY next_action_at, id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
), taken AS (
    UPDATE followups_followup f SET rung = 1, next_action_at = f.due_at + interval '1 day'
    FROM due WHERE f.id = due.id
)
INSERT INTO followups_message
    (key, follow_up_id, kind, channel, recipient_id, language, state, not_before, attempts, created_at, outcome,
     provider_id, report)
SELECT concat_ws(':', id, generation, 0, 0, responsible_id, 'email'), id, kind, 'email', responsible_id, '', 'queued',
       now(), 0, now(), '', '', '' FROM due
"""
CLAIM = """
WITH due AS (
    SELECT id FROM followups_message WHERE channel = 'email' AND state = 'queued' AND not_before <= now()
    ORDER BY not_before, id LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
), claimed AS (
    UPDATE followups_message m SET state = 'sending', claim_token = %(token)s, attempts = m.attempts + 1,
           lease_until = now() + interval '120 s'
    FROM due WHERE m.id = due.id RETURNING m.id, m.follow_up_id, m.attempts
), tried AS (
    INSERT INTO followups_deliveryattempt (message_id, number, claim_token, started_at, outcome, detail)
    SELECT id, attempts, %(token)s, now(), 'open', '' FROM claimed
)
SELECT id, follow_up_id FROM claimed ORDER BY id
"""
SETTLE = """
WITH settled AS (
    UPDATE followups_message SET state = 'sent', claim_token = NULL, lease_until = NULL, settled_at = now(),
           outcome = 'handed to the mail server'
    WHERE id = ANY(%(ids)s) AND state = 'sending' AND claim_token = %(token)s RETURNING id, kind, recipient_id
), tried AS (
    UPDATE followups_deliveryattempt t SET outcome = 'sent', detail = 'handed to the mail server', ended_at = now()
    FROM settled WHERE t.message_id = settled.id AND t.claim_token = %(token)s AND t.outcome = 'open'
)
INSERT INTO clinic_auditentry
    (action, at, recorded_at, actor_name, via, subject_type, subject_id, data, reason)
SELECT 'message.sent', now(), now(), 'engine', 'engine', 'followups.message', id,
       jsonb_build_object('kind', kind, 'channel', 'email', 'recipient', recipient_id,
                          'outcome', 'handed to the mail server'), ''
FROM settled
"""
BARE_TABLE = """
CREATE TABLE IF NOT EXISTS bench_floor (
    id bigint PRIMARY KEY, due_at timestamptz NOT NULL, state text NOT NULL DEFAULT 'todo', settled_at timestamptz
);
CREATE INDEX IF NOT EXISTS bench_floor_due ON bench_floor (due_at) WHERE state = 'todo'
"""
BARE_CLAIM = """
UPDATE bench_floor f SET state = 'doing' FROM (
    SELECT id FROM bench_floor WHERE state = 'todo' AND due_at <= now()
    ORDER BY due_at, id LIMIT %s FOR UPDATE SKIP LOCKED
) due WHERE f.id = due.id RETURNING f.id
"""
BARE_SETTLE = "UPDATE bench_floor SET state = 'done', settled_at = now() WHERE id = ANY(%s)"
#: Of one promise that somebody else has seen to: step, message, attempt and audit line in one commit.
KEEP = """
WITH taken AS (
    UPDATE followups_followup SET rung = 1, next_action_at = due_at + interval '1 day' WHERE id = %(promise)s
    RETURNING id, generation, kind, responsible_id
), said AS (
    INSERT INTO followups_message
        (key, follow_up_id, kind, channel, recipient_id, language, state, not_before, attempts, created_at, settled_at,
         outcome, provider_id, report)
    SELECT concat_ws(':', id, generation, 0, 0, responsible_id, 'email'), id, kind, 'email', responsible_id, '', 'sent',
           now(), 1, now(), now(), 'handed to the mail server', '', '' FROM taken RETURNING id, kind, recipient_id
), tried AS (
    INSERT INTO followups_deliveryattempt (message_id, number, claim_token, started_at, ended_at, outcome, detail)
    SELECT id, 1, gen_random_uuid(), now(), now(), 'sent', 'handed to the mail server' FROM said
)
INSERT INTO clinic_auditentry (action, at, recorded_at, actor_name, via, subject_type, subject_id, data, reason)
SELECT 'message.sent', now(), now(), 'engine', 'engine', 'followups.message', id,
       jsonb_build_object('kind', kind, 'channel', 'email', 'recipient', recipient_id,
                          'outcome', 'handed to the mail server'), '' FROM said
"""


# --- one round -----------------------------------------------------------------------------------
def same_rows(connection: psycopg.Connection[Any], *, each: bool = False, had: Callable[[int], None]) -> int:
    """Steps, a claim, its effects, its settling; how many. ``connection`` commits by itself."""
    stepped = connection.execute(STEP, [STEPS]).rowcount
    done = 0
    while claimed := _claim(connection):
        token, rows = claimed
        for message, promise in rows:
            had(promise - effects.FIRST_PROMISE)
            if each:
                connection.execute(SETTLE, {"ids": [message], "token": token})
        if not each:
            connection.execute(SETTLE, {"ids": [message for message, _ in rows], "token": token})
        done += len(rows)
    return max(stepped, done)


def _claim(connection: psycopg.Connection[Any]) -> tuple[uuid.UUID, list[tuple[int, int]]] | None:
    token = uuid.uuid4()
    rows = connection.execute(CLAIM, {"limit": CLAIMS, "token": token}).fetchall()
    return (token, rows) if rows else None


def same_commits(connection: psycopg.Connection[Any], *, had: Callable[[int], None]) -> int:
    return same_rows(connection, each=True, had=had)


def barest(connection: psycopg.Connection[Any], *, had: Callable[[int], None]) -> int:
    claimed = [row[0] for row in connection.execute(BARE_CLAIM, [STEPS]).fetchall()]
    for item in claimed:
        had(item)
    if claimed:
        connection.execute(BARE_SETTLE, [claimed])
    return len(claimed)


def keep(connection: psycopg.Connection[Any], item: int) -> None:
    """The engine's rows for a promise whose effect a peer has had."""
    connection.execute(KEEP, {"promise": effects.FIRST_PROMISE + item})


ROUNDS: dict[str, Callable[..., int]] = {"same_rows": same_rows, "same_commits": same_commits, "barest": barest}


# --- the contestants -----------------------------------------------------------------------------
class Floor(Contestant):
    """The engine's own tables."""

    round = "same_rows"
    name = "floor: same rows, in batches"

    def prepare(self) -> None:
        from bench.engine.ours import cases

        cases()

    def fresh(self) -> None:
        from bench.engine.ours import clear_promises

        clear_promises()

    def schedule(self, items: Sequence[Item]) -> None:
        from bench.engine.ours import promise

        promise(items)

    def start(self, *, keep: bool = False, drain: bool = False) -> None:
        self.worker = self.stand.start("-m", "bench.engine.floor", self.round, ready="ready")
        self.stand.until_ready()

    def kept(self) -> int:
        from followups.models import FollowUp

        return FollowUp.objects.filter(closed_at=None, rung=0).count()


class FloorOneByOne(Floor):
    round = "same_commits"
    name = "floor: same rows, each its commit"


class Barest(Floor):
    round = "barest"
    name = "floor: one table, in batches"

    def prepare(self) -> None:
        self._execute(BARE_TABLE)

    def fresh(self) -> None:
        self._execute("TRUNCATE bench_floor")

    def schedule(self, items: Sequence[Item]) -> None:
        from bench.engine.stand import dsn

        with psycopg.connect(dsn(), autocommit=True) as connection:
            for start in range(0, len(items), ROWS):
                part = items[start : start + ROWS]
                connection.execute(
                    "INSERT INTO bench_floor (id, due_at) SELECT i, to_timestamp(d)"
                    " FROM unnest(%s::bigint[], %s::float8[]) t(i, d)",
                    [[item for item, _ in part], [due for _, due in part]],
                )

    def kept(self) -> int:
        from bench.engine.stand import dsn

        with psycopg.connect(dsn()) as connection:
            row = connection.execute("SELECT count(*) FROM bench_floor WHERE state <> 'done'").fetchone()
        return int(row[0]) if row else 0

    def _execute(self, statement: str) -> None:
        from bench.engine.stand import dsn

        with psycopg.connect(dsn(), autocommit=True) as connection:
            connection.execute(statement)


def main(name: str) -> None:
    from bench.engine.stand import dsn

    once = ROUNDS[name]
    with psycopg.connect(dsn(), autocommit=True) as connection:
        print("ready", flush=True)
        while True:
            if not once(connection, had=effects.record):
                time.sleep(IDLE_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1])
