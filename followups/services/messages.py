"""The outbox: what a rung wants said, how it is worded, and sending it again by hand.

No personal data leaves: the wording comes from the kind of promise alone, and the link shows the case only to who
may see it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from clinic import audit, clock, transitions
from clinic.access import require
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid
from clinic.models import AuditEntry
from clinic.roles import Role
from followups.channels.base import OutgoingMessage
from followups.domain import kinds
from followups.domain.kinds import Kind, MessageState
from followups.domain.states import MESSAGE
from followups.domain.unknown_fate import DIGEST
from followups.models import FollowUp, Message
from followups.services import ladders, patient_words
from procedures import events

#: Ends of a message to a patient that the plan of its case depends on.
MATTERS = frozenset({MessageState.SENT, MessageState.FAILED, MessageState.UNKNOWN})
PROVIDER = Actor(user_id=None, name="delivery report", via="sms")


@dataclass(frozen=True)
class Step:
    """One taken rung: what makes its messages the same however often it is tried."""

    rung: int
    repeat: int
    channel: str
    now: datetime


def key_of(follow_up: FollowUp, step: Step, recipient: int) -> str:
    """follow-up : generation : rung : repeat : recipient : channel."""
    parts = (follow_up.pk, follow_up.generation, step.rung, step.repeat, recipient, step.channel)
    return ":".join(str(part) for part in parts)


def generation_of(key: str) -> int:
    """The generation of the promise that a message speaks of."""
    return int(key.split(":")[1])


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A message to somebody of the staff, before it is written."""

    key: str
    kind: str
    channel: str
    recipient: int
    not_before: datetime
    created_at: datetime
    follow_up: int | None = None
    useful_until: datetime | None = None


#: Promise, generation, channel and recipient of a message that has not left yet.
Waiting: TypeAlias = tuple[int, int, str, int]


def waiting(follow_ups: Iterable[FollowUp]) -> set[Waiting]:
    """Which messages of these promises have not left yet. One query."""
    found = Message.objects.filter(
        follow_up__in=[row.pk for row in follow_ups], state=MessageState.QUEUED, recipient__isnull=False
    ).values_list("follow_up_id", "key", "channel", "recipient_id")
    return {(pk, generation_of(key), channel, recipient) for pk, key, channel, recipient in found}


def reminders(
    *, follow_up: FollowUp, step: Step, recipients: Iterable[int], waiting: Collection[Waiting]
) -> list[Draft]:
    """One message for each recipient. Who still has one of this promise ``waiting`` gets no second: after an outage one
    reminder is enough.
    """
    not_before = ladders.not_before(step.now, channel=step.channel, level=follow_up.level)
    return [
        Draft(
            key=key_of(follow_up, step, recipient),
            follow_up=follow_up.pk,
            kind=follow_up.kind,
            channel=step.channel,
            recipient=recipient,
            not_before=not_before,
            created_at=step.now,
        )
        for recipient in recipients
        if (follow_up.pk, follow_up.generation, step.channel, recipient) not in waiting
    ]


def digests(*, step: Step, recipients: Iterable[int]) -> list[Draft]:
    """Each recipient's next daily digest."""
    at = ladders.next_digest(step.now)
    day = at.astimezone(ZoneInfo(settings.CLINIC_ZONE)).date()
    return [
        Draft(
            key=f"{DIGEST}:{day.isoformat()}:{recipient}:{step.channel}",
            kind=DIGEST,
            channel=step.channel,
            recipient=recipient,
            not_before=at,
            useful_until=at + timedelta(days=1),
            created_at=step.now,
        )
        for recipient in recipients
    ]


INSERT = """
INSERT INTO followups_message (key, kind, channel, recipient_id, not_before, created_at, follow_up_id, useful_until,
    state, attempts, language, outcome, provider_id, report)
SELECT d.*, 'queued', 0, '', '', '', '' FROM unnest(%s::text[], %s::text[], %s::text[], %s::bigint[],
    %s::timestamptz[], %s::timestamptz[], %s::bigint[], %s::timestamptz[]) AS d
ON CONFLICT (key) DO NOTHING
"""


def insert(drafts: Iterable[Draft]) -> int:
    """Queue them all, each key once; returns how many are new. One statement, whatever the number.

    In the order of their keys: two passes at once that queue the same digests wait for each other, never in a circle.
    """
    rows = sorted({draft.key: draft for draft in drafts}.items())
    if not rows:
        return 0
    columns = [[getattr(draft, field.name) for _key, draft in rows] for field in fields(Draft)]
    with connection.cursor() as cursor:
        cursor.execute(INSERT, columns)
        return int(cursor.rowcount)


def render(message: Message) -> OutgoingMessage:
    """The words that leave. ``message`` carries ``recipient``, ``patient``, ``link`` and ``follow_up__procedure``."""
    if message.patient is not None:
        return patient_words.render(message)
    follow_up = message.follow_up
    urgent = follow_up is not None and follow_up.level == "critical"
    template = f"messages/{message.channel}/{'digest' if message.kind == DIGEST else 'promise'}.txt"
    task = "" if message.kind == DIGEST else _(kinds.of(Kind(message.kind)).mail)
    body = _body(template, task, urgent, settings.CLINIC_NAME, get_language() or "")
    body = body.replace(LINK, settings.SITE_URL + _path(follow_up))
    subject = _("Urgent: you have a task in Procedure Tracker") if urgent else _("You have a task in Procedure Tracker")
    to = message.recipient.email if message.recipient is not None else ""
    return OutgoingMessage(key=message.key, to=to, subject=subject, body=body)


#: Stands in the words of a mail where each has its own address.
LINK = "https://link.invalid/"


@lru_cache(maxsize=256)
def _body(template: str, task: str, urgent: bool, clinic: str, language: str) -> str:
    """The words, but for the link: the same for thousands of mails. ``language`` is what they are rendered in."""
    return render_to_string(template, {"clinic": clinic, "link": LINK, "urgent": urgent, "task": task})


def _path(follow_up: FollowUp | None) -> str:
    """A case has a code that says nothing of the patient; who may not open it is told so there."""
    if follow_up is not None and follow_up.procedure is not None:
        return reverse("followups:case", args=[follow_up.procedure.code])
    spec = kinds.of(Kind(follow_up.kind)) if follow_up is not None else None
    return reverse("home" if spec is None or spec.args else spec.page)


@transaction.atomic
def send_again(*, actor: Actor, message: Message) -> Message:
    """A person puts a failed message, or one of unknown fate, back into the queue.

    Raises Conflict when it is neither (any more), or somebody has dealt with it.
    """
    require(actor, Role.DIRECTOR, Role.ADMINISTRATOR)
    _check_stopped(message)
    also = {"attempts": 0, "not_before": clock.now(), "settled_at": None, "outcome": ""}
    return _planned(_move(message, to=MessageState.QUEUED, action="message.sent_again", actor=actor, also=also))


def _check_stopped(message: Message) -> None:
    if message.state not in {MessageState.FAILED, MessageState.UNKNOWN} or message.dealt_at is not None:
        raise Conflict("This message is not waiting for a decision any more.")


def _move(
    message: Message, *, to: MessageState, action: str, actor: Actor, also: dict[str, Any], reason: str = ""
) -> Message:
    return transitions.apply(
        message,
        machine=MESSAGE,
        to=to,
        action=action,
        actor=actor,
        patient_id=_patient(message),
        reason=reason,
        field="state",
        also=also,
    )


@transaction.atomic
def dealt_with(*, actor: Actor, message: Message, reason: str) -> Message:
    """A person has seen to it in another way. The reason says who was told, and how.

    The message stays what it is, failed or of unknown fate, and waits for nobody any more. Raises Invalid without a
    reason, Conflict when it does not wait for a decision.
    """
    require(actor, Role.DIRECTOR, Role.ADMINISTRATOR)
    if not reason.strip():
        raise Invalid("Say who was told, and how.", field="reason")
    _check_stopped(message)
    at = clock.real_now()
    if not Message.objects.filter(pk=message.pk, state=message.state, dealt_at__isnull=True).update(dealt_at=at):
        raise Conflict
    message.dealt_at = at
    audit.record(
        action="message.dealt_with",
        actor=actor,
        subject=message,
        patient_id=_patient(message),
        data={"state": message.state, "recipient": message.recipient_id},
        reason=reason.strip(),
    )
    return _planned(message)


@transaction.atomic
def came_back(*, actor: Actor, message: Message, outcome: str) -> Message:
    """A message that the provider took has come back undelivered: by a person, or by a delivery report.

    Raises Conflict when it was not sent (any more). ``outcome`` is in words and names nobody.
    """
    if actor.user_id is not None:
        require(actor, Role.DIRECTOR, Role.ADMINISTRATOR)
    if message.state not in {MessageState.SENT, MessageState.UNKNOWN}:
        raise Conflict("This message is not one that was sent.")
    also = {"settled_at": clock.real_now(), "outcome": outcome[:200], "dealt_at": None}
    return _planned(_move(message, to=MessageState.FAILED, action="message.came_back", actor=actor, also=also))


def _planned(message: Message) -> Message:
    """What did not reach a patient, or is sent to one again, changes what their case still owes."""
    if message.patient_id is not None and message.follow_up is not None and message.follow_up.procedure is not None:
        events.changed(message.follow_up.procedure)
    return message


def _patient(message: Message) -> int | None:
    if message.patient_id is not None:
        return message.patient_id
    follow_up = message.follow_up
    return follow_up.procedure.patient_id if follow_up is not None and follow_up.procedure else None


def settled_entry(*, message: Message, state: MessageState, outcome: str) -> AuditEntry:
    """The audit line of a message that has come to its end, not written yet."""
    return audit.entry(
        action=f"message.{state}",
        actor=Actor.system(),
        subject=message,
        patient_id=_patient(message),
        data={"kind": message.kind, "channel": message.channel, "recipient": message.recipient_id, "outcome": outcome},
    )


@transaction.atomic
def settled(*, message: Message, state: MessageState, outcome: str) -> None:
    """A message has come to its end: its audit line. What is said to a patient also changes the plan."""
    settled_entry(message=message, state=state, outcome=outcome).save(force_insert=True)
    if state in MATTERS:
        _planned(message)


@transaction.atomic
def reported(*, message: Message, report: str, delivered: bool, failed: bool) -> None:
    """What the provider says later of a text that it took. Said twice, or about one that goes out again, it is nothing.

    ``report`` is a code: words of a provider repeat numbers.
    """
    now = clock.now()
    columns: dict[str, Any] = {"report": report[:40]} | ({"delivered_at": now} if delivered else {})
    Message.objects.filter(pk=message.pk, delivered_at__isnull=True).update(**columns)
    message.refresh_from_db()
    if failed and message.state in {MessageState.SENT, MessageState.UNKNOWN}:
        came_back(actor=PROVIDER, message=message, outcome=_("not delivered: %(why)s") % {"why": report})
    elif delivered and message.state == MessageState.UNKNOWN:
        _planned(_move(message, to=MessageState.SENT, action="message.sent", actor=PROVIDER, also={"dealt_at": None}))
