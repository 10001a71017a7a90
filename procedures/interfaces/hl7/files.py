"""Files and pasted text of a laboratory, taken in at once: kept like everything else, then read on the spot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import DatabaseError

from clinic import clock
from procedures.interfaces.hl7 import intake, waiting
from procedures.interfaces.hl7.acknowledgement import Verdict
from procedures.interfaces.hl7.intake import Judged, Origin
from procedures.models import InboundMessage
from procedures.services import inbound_store

#: Whole files are held in memory: so many times the limit of one message.
FILE_LIMITS = 10


@dataclass(frozen=True, kw_only=True)
class Became:
    """One message of a file. ``message`` is None where there was nothing to keep; ``reason``: why it was refused."""

    verdict: Verdict
    message: InboundMessage | None = None
    is_new: bool = False
    reason: str = ""


def take_in(raw: bytes, origin: Origin, *, limit: int) -> list[Became]:
    """Keep every message of a file in one transaction, then read each. Raises DatabaseError when it cannot be kept."""
    judged = intake.take_apart(raw, origin, limit=limit)
    given = [one.arrival for one in judged if one.arrival is not None]
    kept = iter(inbound_store.store_all(given, now=clock.now()) if given else [])
    found = [(one, next(kept) if one.arrival is not None else None) for one in judged]
    for _one, row in found:
        if row is not None:
            _read(row.pk)
    rows = InboundMessage.objects.defer("raw").in_bulk([row.pk for _one, row in found if row is not None])
    return [_became(one, rows[row.pk] if row else None, bool(row and row.is_new)) for one, row in found]


def _became(one: Judged, message: InboundMessage | None, is_new: bool) -> Became:
    reason = one.reason.words if one.reason else ""
    return Became(verdict=one.verdict, message=message, is_new=is_new, reason=reason)


def _read(pk: int) -> None:
    """Now, unless somebody has: the worker does what fails here."""
    if not inbound_store.claim(pk):
        return
    try:
        waiting.read_one(pk)
    except DatabaseError:
        return


def summary(became: Sequence[Became]) -> dict[str, int]:
    """How many were ``new``, here ``again``, ``refused``."""
    refused = [one for one in became if one.reason]
    return {
        "new": sum(one.is_new for one in became if not one.reason),
        "again": sum(one.message is not None and not one.is_new for one in became if not one.reason),
        "refused": len(refused),
    }
