"""What the start waits for. In an emergency only the six-item minimum, and nothing that can be promised instead."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.errors import Conflict
from procedures.domain.states import ProcedureStatus
from procedures.models import Procedure
from procedures.selectors import checklists


class StartBlocked(Conflict):
    """The procedure cannot start yet."""

    def __init__(self, blockers: list[str]) -> None:
        self.blockers = blockers
        super().__init__()


def start_blockers(procedure: Procedure, now: datetime) -> list[str]:
    """Why this case cannot start in the ordinary way, in words; nothing when it can."""
    found = always(procedure, now)
    if procedure.status == ProcedureStatus.REQUESTED:
        found.append(_("It has no slot: book one, or start it as an emergency."))
    found += [
        _("The checklist is not signed: %(stage)s.") % {"stage": stage}
        for stage in checklists.unsigned_blocking_stages(procedure)
    ]
    return found


def emergency_blockers(procedure: Procedure, now: datetime) -> list[str]:
    """What even an emergency waits for: the questions of the minimum that nobody has answered."""
    return always(procedure, now) + [
        _("Not answered: %(question)s") % {"question": question}
        for question in checklists.unanswered_minimum(procedure)
    ]


def always(procedure: Procedure, now: datetime) -> list[str]:
    """What no override lifts: a patient who has died, is younger than the protocol is for, or has refused."""
    patient, protocol = procedure.patient, procedure.protocol_version.parsed
    found: list[str] = []
    if patient.deceased_at is not None:
        found.append(_("This patient is recorded as deceased."))
    if patient.age_on(timezone.localdate(now)) < protocol.min_age:
        found.append(
            _("Outside protocol: %(label)s is for patients of %(age)d years and older.")
            % {"label": protocol.label, "age": protocol.min_age}
        )
    return found + checklists.refusals(procedure, now)
