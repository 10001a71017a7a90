"""What the start waits for. In an emergency only the six-item minimum, and nothing that can be promised instead."""

from __future__ import annotations

import logging
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import clock, timewords
from clinic.errors import Conflict
from procedures.domain.clearance import Standing, Stood
from procedures.domain.findings import Severity
from procedures.domain.states import ProcedureStatus
from procedures.models import Procedure
from procedures.selectors import checklists, clearance

logger = logging.getLogger(__name__)


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
    return found + safety_blockers(procedure, now)


def safety_blockers(procedure: Procedure, now: datetime) -> list[str]:
    """What the safety rules find that nobody has cleared: stops, and cautions without a physician's *proceed*.

    With every stage signed nothing may be unknown any more: it is judged as at time-out.
    """
    unsigned = checklists.unsigned_blocking_stages(procedure)
    try:
        found = clearance.of(procedure, now, moment="" if unsigned else "time_out")
    except Exception:  # what cannot be judged is not known to be safe
        logger.exception("procedure %s: the safety rules failed", procedure.pk)
        return [_("The safety rules could not be run, so nothing is known to be safe. The administrator is needed.")]
    return [_uncleared(stood) for stood in found.uncleared] if found else []


def _uncleared(stood: Stood) -> str:
    finding = stood.finding
    title = finding.title.render(_, _moment)
    if stood.standing is Standing.TO_SIGN:
        return _("Stop: %(title)s. The second signature is missing.") % {"title": title}
    if finding.severity is Severity.STOP:
        return _("Stop: %(title)s. %(todo)s") % {"title": title, "todo": finding.todo.render(_, _moment)}
    return _("Caution: %(title)s. A physician must say to proceed.") % {"title": title}


def _moment(moment: datetime) -> str:
    return timewords.when(moment, clock.now(), timezone.get_current_timezone())


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
