"""One delivery report from standard input: for a mail server's pipe."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from followups.domain.delivery_report import Unreadable
from followups.services import bounces
from followups.services.bounces import Became, Recorded

#: What mail servers understand (sysexits.h): the data is wrong, trying again is of no use.
EX_DATAERR = 65
MOST_BYTES = 5_000_000


class Command(BaseCommand):
    help = (
        "Read one delivery report (RFC 3464) from standard input and mark the message it speaks of as failed. "
        "Exit code 65 when it cannot be read; a report about a mail that is not ours is no fault."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        raw = sys.stdin.buffer.read(MOST_BYTES + 1)
        try:
            if len(raw) > MOST_BYTES:
                raise Unreadable(f"it has more than {MOST_BYTES} bytes")
            self.stdout.write(words(bounces.record(raw=raw)))
        except Unreadable as error:
            self.stderr.write(f"not read: {error}")
            raise SystemExit(EX_DATAERR) from error


def words(recorded: Recorded) -> str:
    number = recorded.message.pk if recorded.message else ""
    return {
        Became.FAILED: f"message {number} came back: it is on the engine's page",
        Became.KNOWN: f"message {number} is not waiting for a report any more: nothing changed",
        Became.NO_FAILURE: f"message {number} is {recorded.action}: no failure, nothing changed",
        Became.NOT_OURS: "about a mail that is not in the outbox: nothing changed",
    }[recorded.became]
