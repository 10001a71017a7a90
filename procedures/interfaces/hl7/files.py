"""Files and pasted text of a laboratory, taken in at once: kept like everything else, then read on the spot."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError

from clinic import audit, clock
from clinic.actor import Actor
from clinic.nudge import nudge
from procedures.interfaces.hl7 import framing, intake, waiting
from procedures.interfaces.hl7.acknowledgement import Verdict
from procedures.interfaces.hl7.intake import Judged, Origin
from procedures.models import InboundMessage
from procedures.models.inbound import InboundSource
from procedures.services import inbound_store

logger = logging.getLogger(__name__)

#: Whole files are held in memory: so many times the limit of one message.
FILE_LIMITS = 10
#: For so long a page reads what was given to it; then the worker goes on.
UPLOAD_READING = timedelta(seconds=10)


@dataclass(frozen=True, kw_only=True)
class Became:
    """One message of a file. ``message`` is None where there was nothing to keep; ``reason``: why it was refused."""

    verdict: Verdict
    message: InboundMessage | None = None
    is_new: bool = False
    reason: str = ""


def take_in(raw: bytes, origin: Origin, *, limit: int, until: datetime | None = None) -> list[Became]:
    """Keep every message of a file in one transaction, then read each. Raises DatabaseError when it cannot be kept.

    What is not read ``until`` then, the worker reads.
    """
    judged = intake.take_apart(raw, origin, limit=limit)
    given = [one.arrival for one in judged if one.arrival is not None]
    kept = iter(inbound_store.store_all(given, now=clock.now()) if given else [])
    found = [(one, next(kept) if one.arrival is not None else None) for one in judged]
    for _one, row in found:
        if row is not None and not _read(row.pk, until):
            nudge(waiting.READ)
            break
    rows = InboundMessage.objects.defer("raw").in_bulk([row.pk for _one, row in found if row is not None])
    return [_became(one, rows[row.pk] if row else None, bool(row and row.is_new)) for one, row in found]


def missing(raw: bytes) -> int:
    """How many messages the file's own batches announce and do not hold: it lost some on its way."""
    try:
        return framing.missing(framing.split(raw))
    except Exception as error:  # strangers' bytes; what is in them was kept
        logger.error("inbound file not counted bytes=%s error=%s", len(raw), type(error).__name__)
        return 0


def upload(raws: Sequence[bytes], *, actor: Actor) -> list[Became]:
    """What a person gives by hand. Who it was is written down first: then it is known whatever happens."""
    digests = [hashlib.sha256(raw).hexdigest() for raw in raws]
    audit.record(action="results.uploaded", actor=actor, data={"files": digests, "bytes": [len(raw) for raw in raws]})
    until = clock.real_now() + UPLOAD_READING
    origin = Origin(InboundSource.UPLOAD)
    limit = settings.INBOUND_MAX_BYTES
    return [became for raw in raws for became in take_in(raw, origin, limit=limit, until=until)]


def _became(one: Judged, message: InboundMessage | None, is_new: bool) -> Became:
    reason = one.reason.words if one.reason else ""
    return Became(verdict=one.verdict, message=message, is_new=is_new, reason=reason)


def _read(pk: int, until: datetime | None) -> bool:
    """Now, unless somebody has. False when it is for the worker."""
    if until is not None and clock.real_now() > until:
        return False
    try:
        claimed = inbound_store.claim(pk)
        if claimed is not None:
            waiting.read_one(claimed)
    except DatabaseError:
        return False
    return True
