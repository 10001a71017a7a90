"""Telling by a message with a link: what may be told so, sending it, and what the patient answers.

Sent is not told. The patient counts as told when they say that they have read it; who asks for a call is called. What
cannot wait, what is only written in another language, and what has changed since is never told so.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from clinic import audit, clock, row_locks
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid, NotPermitted
from clinic.roles import Role
from followups.domain.kinds import Kind
from followups.models import FollowUp, PatientContact, PatientLink
from followups.models.contacts import ContactChannel, ContactOutcome, ContactPurpose
from followups.models.links import LinkPurpose
from followups.selectors import telling
from followups.selectors.telling import Line
from followups.services import links, outreach
from procedures import events
from procedures.domain import languages
from procedures.models import Procedure


def why_not(procedure: Procedure, lines: Iterable[Line]) -> str | None:
    """Why a message with a link is no way to tell these results, in words; None when it is one."""
    rows = list(lines)
    patient = procedure.patient
    if patient.deceased_at is not None:
        return _("the patient has died.")
    if patient.is_inpatient:
        return _("an inpatient is told by the ward team.")
    if not rows:
        return _("no reviewed result waits to be told.")
    if any(line.critical for line in rows):
        return _("one of the results cannot wait: call.")
    if not (languages.is_theirs(patient.language) and all(line.readable for line in rows)):
        return _("one of the results has no words in the patient's language: call, with an interpreter if needed.")
    return None


def _promise(procedure: Procedure) -> FollowUp:
    """The promise that the message belongs to: what cannot wait first. Raises Conflict when nothing is promised."""
    rows = FollowUp.objects.filter(procedure=procedure, kind=Kind.TELL_PATIENT, closed_at__isnull=True)
    found = rows.exclude(key="tell:no_result").order_by("due_at", "pk").first()
    if found is None:
        raise Conflict
    return found


def lines_of(link: PatientLink) -> list[Line] | None:
    """What the link tells; None when any of it has changed since, or is not to be told so any more."""
    sent = PatientContact.objects.filter(link=link, outcome=ContactOutcome.LINK_SENT).first()
    if sent is None:
        return None
    wanted = set(sent.told_versions)
    rows = [line for line in telling.lines(link.procedure) if line.version.pk in wanted]
    changed = len(rows) != len(wanted) or any(line.critical or line.not_told_because for line in rows)
    newer = any(review.at > sent.at for line in rows for review in line.version.reviews.all())
    return None if changed or newer or not all(line.readable for line in rows) else rows


@transaction.atomic
def send(*, procedure: Procedure, actor: Actor) -> PatientContact:
    """Send the patient one message with a link to everything that waits to be told.

    Raises Invalid with the reason when it is no way to tell these results, or no message may go to this patient.
    """
    if not actor.has(Role.NURSE, Role.PHYSICIAN) or actor.user_id is None:
        raise NotPermitted
    related = ("patient", "protocol_version")
    row = row_locks.lock(Procedure, procedure.pk, *related, without=("protocol_version__data",))
    waiting = [line for line in telling.lines(row) if line.waits]
    refused = why_not(row, waiting)
    if refused is not None:
        raise Invalid("%(reason)s", reason=refused)
    now = clock.now()
    link = links.issue(procedure=row, purpose=LinkPurpose.RESULTS, now=now)
    outreach.by_hand(follow_up=_promise(row), link=link, now=now)
    contact = PatientContact.objects.create(
        procedure=row,
        purpose=ContactPurpose.RESULTS,
        channel=ContactChannel.PORTAL,
        outcome=ContactOutcome.LINK_SENT,
        told_versions=sorted(line.version.pk for line in waiting),
        at=now,
        recorded_at=now,
        by_id=actor.user_id,
        link=link,
    )
    data = {"channel": contact.channel, "outcome": contact.outcome, "versions": contact.told_versions}
    audit.record(action="patient.contacted", actor=actor, subject=contact, patient_id=row.patient_id, data=data)
    events.changed(row)
    return contact


@transaction.atomic
def answer(*, link: PatientLink, wants_call: bool, note: str = "") -> PatientContact:
    """The patient has read it. Uses the link up.

    Raises Conflict when it was used in the meantime, or when what it told has changed: then nothing counts as told.
    """
    row = row_locks.lock(Procedure, link.procedure_id)
    rows = lines_of(link)
    now = clock.now()
    if rows is None or not links.spend(link, now):
        raise Conflict
    contact = PatientContact.objects.create(
        procedure=row,
        purpose=ContactPurpose.RESULTS,
        channel=ContactChannel.PORTAL,
        outcome=ContactOutcome.CALL_WANTED if wants_call else ContactOutcome.REACHED,
        spoke_with=_("the patient, by the link"),
        told_versions=sorted(line.version.pk for line in rows),
        note=note.strip(),
        at=now,
        recorded_at=now,
        link=link,
    )
    data = {"channel": contact.channel, "outcome": contact.outcome, "versions": contact.told_versions}
    audit.record(
        action="patient.answered", actor=Actor.system("link"), subject=contact, patient_id=row.patient_id, data=data
    )
    events.changed(row)
    return contact
