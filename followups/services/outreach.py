"""Messages to patients: queued once for a rung, with the link that they carry, and stopped when they are over.

Nothing is written to who has not agreed to it for exactly this number or address, to an inpatient, or to somebody who
has died; then the rung falls to a person, and the promise says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from clinic import audit, clock
from clinic.actor import Actor
from clinic.errors import Invalid
from clinic.ready_query import ReadyQuery
from followups.domain import kinds, sms_report
from followups.domain import reach as rules
from followups.domain.kinds import Closed, Kind, MessageState
from followups.domain.kinds.spec import Writes
from followups.domain.ladder import Rung, To
from followups.domain.reach import Never, Which
from followups.models import FollowUp, FollowUpNote, Message, PatientContact, PatientLink
from followups.selectors import reach
from followups.services import ladders, links, messages
from followups.services.messages import Step
from procedures.domain import languages
from procedures.domain.states import ProcedureStatus
from procedures.models import Procedure
from procedures.models.consents import ConsentHow
from procedures.services import consents

NOT_WRITTEN = "not_written"
#: A link that is good for less long is not sent once more: a new one is made.
STILL_GOOD = timedelta(hours=24)
#: Cases in which nothing is asked of the patient any more.
OVER = frozenset({ProcedureStatus.CANCELLED, ProcedureStatus.ENTERED_IN_ERROR})
#: Cases whose notices are of use: before the day, and a word after it.
NOTICED = frozenset({ProcedureStatus.REQUESTED, ProcedureStatus.SCHEDULED, ProcedureStatus.COMPLETED})
WAITING = Q(state=str(MessageState.QUEUED))
STOPPED = Q(state__in=[str(MessageState.FAILED), str(MessageState.UNKNOWN)], dealt_at__isnull=True)

#: The case, locked, with everything that a plan needs of it, and the states of what its patient was written to.
CASE: ReadyQuery[Any] = ReadyQuery(
    lambda case: (
        Procedure.objects.select_for_update(of=("self",), no_key=True)
        .select_related("patient", "protocol_version__protocol")
        .defer("protocol_version__data")  # large, and parsed once per process
        .annotate(
            written=ArraySubquery(
                Message.objects.filter(WAITING | STOPPED, patient__isnull=False, follow_up__procedure=OuterRef("pk"))
                .order_by()
                .values("state")
                .distinct()
            )
        )
        .filter(pk=case)
    )
)


@dataclass(frozen=True)
class Written:
    """``new``: messages that were not there. ``refused``: why none may go, so that a person is asked at once."""

    new: int = 0
    refused: str = ""


def key_of(follow_up: FollowUp, step: Step, channel: str) -> str:
    """As a reminder's (``messages.key_of``); the recipient is the case's patient, so no number of theirs is in it."""
    parts = (follow_up.pk, follow_up.generation, step.rung, step.repeat, "p", channel)
    return ":".join(str(part) for part in parts)


@transaction.atomic
def write(*, follow_up: FollowUp, rung: Rung, step: Step) -> Written:
    """Queue what this rung says to the patient. Twice is once: the key names promise, generation, rung and channel.

    ``follow_up`` is locked by the caller and carries its case.
    """
    spec = kinds.of(Kind(follow_up.kind))
    procedure = follow_up.procedure
    assert spec.writes is not None and procedure is not None and rung.useful_for is not None
    until = _planned_at(follow_up, step) + rung.useful_for
    if step.now > until:
        return Written()  # an engine that was away does not make up for what is of no use any more
    found = reach.of(procedure.patient)
    channel = rules.way(found, Which(rung.channel))
    writes = spec.writes(follow_up.about)
    why = _locked(procedure, writes) if channel else _words(rules.never(found))
    if why:
        return _refuse(follow_up, rung, step, why)
    of_promise = Message.objects.filter(follow_up=follow_up, patient__isnull=False)
    anew = f"{follow_up.pk}:{follow_up.generation}:"
    key = key_of(follow_up, step, channel)
    if of_promise.filter(Q(key=key) | (WAITING & Q(key__startswith=anew))).exists():
        return Written()
    Message.objects.create(
        key=key,
        follow_up=follow_up,
        kind=follow_up.kind,
        channel=channel,
        patient=procedure.patient,
        link=_link(procedure, writes, step.now) if writes.link else None,
        language=languages.of(procedure.patient.language),
        not_before=ladders.not_before(step.now, channel=channel, level=follow_up.level),
        useful_until=until,
        created_at=step.now,
    )
    return Written(new=1)


def by_hand(*, follow_up: FollowUp, link: PatientLink, now: datetime) -> Message:
    """A message that a person sends about a promise, with a link made for it, by the patient's preferred way.

    Raises Invalid, in words, when nothing may be written to this patient. ``follow_up`` carries its case, locked by the
    caller; quiet hours hold it back as any other.
    """
    procedure = follow_up.procedure
    assert procedure is not None
    found = reach.of(procedure.patient)
    channel = rules.way(found, Which.PREFERRED)
    if not channel:
        raise Invalid("%(reason)s", reason=_words(rules.never(found)))
    return Message.objects.create(
        key=f"{follow_up.pk}:{follow_up.generation}:link:{link.pk}:p:{channel}",
        follow_up=follow_up,
        kind=follow_up.kind,
        channel=channel,
        patient=procedure.patient,
        link=link,
        language=languages.of(procedure.patient.language),
        not_before=ladders.not_before(now, channel=channel, level="normal"),
        useful_until=link.expires_at,
        created_at=now,
    )


def _planned_at(follow_up: FollowUp, step: Step) -> datetime:
    times = {"start_at": follow_up.start_at, "due_at": follow_up.due_at}
    return ladders.of(follow_up).action_at(rung=step.rung, repeat=step.repeat, **times)


def _link(procedure: Procedure, writes: Writes, now: datetime) -> PatientLink:
    """The one that the patient has already, while it is good for a day; else a new one."""
    for link in _links(procedure, writes).order_by("-pk"):
        if links.is_open(link, now) and link.expires_at - now >= STILL_GOOD:
            return link
    return links.issue(procedure=procedure, purpose=writes.link, about=writes.about, now=now)


def _links(procedure: Procedure, writes: Writes) -> QuerySet[PatientLink]:
    return PatientLink.objects.filter(procedure=procedure, purpose=writes.link, about=writes.about)


def _locked(procedure: Procedure, writes: Writes) -> str:
    """Ten wrong birth dates: a new link would only invite ten more."""
    if not writes.link or not _links(procedure, writes).filter(locked_at__isnull=False).exists():
        return ""
    return _("the link was locked after ten wrong birth dates")


def _words(never: Never | None) -> str:
    return {
        Never.DECEASED: _("the patient has died"),
        Never.INPATIENT: _("an inpatient: the ward team is asked"),
        Never.THROUGH_PEOPLE: _("the patient is reached through somebody else"),
    }.get(never or Never.NO_WAY, _("the patient has agreed to no message, or no number or address is known"))


def _refuse(follow_up: FollowUp, rung: Rung, step: Step, why: str) -> Written:
    """Said once for a generation: at its first rung to the patient."""
    first = next(place for place, other in enumerate(ladders.of(follow_up).rungs) if other.to is To.PATIENT)
    if step.rung != first:
        return Written()
    FollowUpNote.objects.create(follow_up=follow_up, at=step.now, by=None, action=NOT_WRITTEN, text=why)
    return Written(refused=why)


# --- what is over ---------------------------------------------------------------------------------


def heed(procedure_id: int) -> Procedure:
    """After a fact about a case or its patient has changed, in the same transaction: what may not leave any more is
    cancelled, links of what is over are closed, and what somebody has called about waits for nobody.

    One query where nothing was written to the patient, as of most cases. Returns the case as it was read, locked and
    with what a plan needs of it.
    """
    case: Procedure = CASE.get(procedure_id)
    patient, over = case.patient, case.status in OVER
    states = set(case.written)  # type: ignore[attr-defined]
    if MessageState.QUEUED in states:
        found = reach.of(patient)
        if over:
            cancel(case, _("the case is over"))
        else:
            cancel(case, _words(rules.never(found)), but=rules.ways(found))
    if over or patient.deceased_at is not None or patient.is_inpatient:
        links.withdraw(procedure=case, now=clock.now())
    if states - {MessageState.QUEUED}:
        _called(case)
    return case


def cancel(procedure: Procedure, why: str, but: Iterable[str] = ()) -> int:
    """What is queued for the patient of this case does not leave, except by the ways ``but``. What is being sent is
    looked at once more by its sender (``dispatch.why_not``).
    """
    queued = Message.objects.filter(WAITING, patient__isnull=False, follow_up__procedure=procedure)
    queued = queued.exclude(channel__in=list(but))
    gone = 0
    for message in queued.order_by("pk"):
        # the state moves through the filter: a sender may have claimed it in the meantime
        moved = Message.objects.filter(WAITING, pk=message.pk).update(
            state=str(MessageState.CANCELLED), outcome=why[:200], settled_at=clock.real_now()
        )
        if moved:
            gone += 1
            data = {"kind": message.kind, "channel": message.channel, "outcome": why}
            audit.record(
                action="message.cancelled",
                actor=Actor.system(),
                subject=message,
                patient_id=message.patient_id,
                data=data,
            )
    return gone


def _called(procedure: Procedure) -> None:
    """A message that stopped before the newest try to call is seen to."""
    stopped = Message.objects.filter(STOPPED, patient__isnull=False, follow_up__procedure=procedure)
    newest = PatientContact.objects.filter(procedure=procedure).order_by("-at").values_list("at", flat=True).first()
    seen_to = Q(follow_up__closed_at__isnull=False)
    if procedure.status in NOTICED:
        # such a promise was kept by sending it: what comes back later still waits for a call
        seen_to &= ~Q(follow_up__kind=Kind.WRITE_TO_PATIENT, follow_up__closed_because=str(Closed.KEPT))
    if newest is not None:
        seen_to |= Q(not_before__lte=newest)
    # ids first: an update cannot join
    ids = list(stopped.filter(seen_to).values_list("pk", flat=True))
    Message.objects.filter(pk__in=ids).update(dealt_at=clock.real_now())


# --- when it is sent ------------------------------------------------------------------------------


def why_not(message: Message, now: datetime) -> str:
    """Looked at once more just before it leaves: what has changed since it was queued. Empty when it may go."""
    patient, follow_up = message.patient, message.follow_up
    assert patient is not None
    if follow_up is None or follow_up.procedure is None or follow_up.procedure.patient_id != patient.pk:
        return _("the case is another patient's")
    found = reach.of(patient)
    if message.channel not in rules.ways(found):
        return _words(rules.never(found))
    if message.link is not None and not links.is_open(message.link, now):
        return _("its link has been used or has ended")
    return ""


def opted_out(message: Message) -> None:
    """The provider refuses because whoever has this number has told it to stop: no text goes there again."""
    assert message.patient is not None
    number = reach.address(message.patient, message.channel)
    consents.stopped(number=number, how=ConsentHow.PROVIDER, actor=messages.PROVIDER)


def lock_case(message: Message) -> None:
    """Cases are locked before what is below them: settling a message to a patient plans its case."""
    case = message.follow_up.procedure_id if message.follow_up is not None else None
    if message.patient_id is not None and case is not None:
        Procedure.objects.select_for_update(of=("self",), no_key=True).filter(pk=case).first()


def report_before_settling(message: Message) -> None:
    """The provider's report may overtake our own note that it took the text."""
    report = Message.objects.values_list("report", flat=True).get(pk=message.pk)
    if report and sms_report.failed(report):
        messages.reported(message=message, report=report, delivered=False, failed=True)
