"""What a patient is told by a message, and what of it has not reached them, as facts."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from django.db.models import Model
from django.utils import timezone

from clinic.ready_query import ReadyQuery
from followups.domain import notices
from followups.domain.kinds import Closed, Kind, MessageState
from followups.domain.notices import Notice
from followups.models import Message
from procedures.domain.states import (
    ProcedureStatus,
)
from procedures.models import (
    Procedure,
)

#: States of a message that did not arrive, or of which nobody knows.
STOPPED = frozenset({MessageState.FAILED, MessageState.UNKNOWN})
COLUMNS = ("state", "dealt_at", "not_before", "follow_up__key", "follow_up__kind", "follow_up__closed_because")
#: Asked at every change of a fact: written once.
TO_PATIENT = ReadyQuery(
    lambda case: Message.objects.filter(patient__isnull=False, follow_up__procedure=case).values_list(*COLUMNS)
)


def messages(
    procedure: Procedure, flags: frozenset[str], reachable: bool, there: frozenset[type[Model]]
) -> dict[str, Any]:
    """What the patient is told by messages. ``reachable``: they may be written to. One query where there is one."""
    rows = TO_PATIENT.rows(procedure.pk) if Message in there else []
    stopped = [row for row in rows if row[0] in STOPPED and row[1] is None]
    # what came back after it was sent is somebody's call, and not written once more to the same number
    written = [row for row in rows if row[0] == MessageState.SENT or row[1] is not None or row[5] == Closed.KEPT]
    return {
        "notices": _notices(procedure, flags) if reachable else (),
        "written": frozenset(row[3] for row in written if row[4] == Kind.WRITE_TO_PATIENT),
        "unreached_since": min((row[2] for row in stopped), default=None),
    }


def _notices(procedure: Procedure, flags: frozenset[str]) -> tuple[Notice, ...]:
    zone, times = timezone.get_default_timezone(), notice_times()
    if procedure.status == ProcedureStatus.SCHEDULED and procedure.stay and procedure.scheduled_at:
        slot_at, scheduled_at = procedure.stay.lower, procedure.scheduled_at
        return tuple(notices.before(slot_at=slot_at, scheduled_at=scheduled_at, times=times, zone=zone))
    if procedure.status == ProcedureStatus.COMPLETED and procedure.started_at:
        checks = procedure.protocol_version.parsed.symptom_checks
        if notices.quiet_week(flags, checks, times):
            return (notices.after(started_at=procedure.started_at, times=times, zone=zone),)
    return ()


@cache
def notice_times() -> notices.Times:
    """``notices.toml``, read once."""
    return notices.Times.of(tomllib.loads((Path(__file__).resolve().parent.parent / "notices.toml").read_text("utf-8")))
