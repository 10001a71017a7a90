"""Claim, commit, send, settle: the only module that claims messages.

Two keys, never one. The claim token is new at every claim and lets ``settle`` refuse a slow worker whose lease the
reaper has given away. The message's key never changes and is what the provider gets.

Leases run on the wall clock; ``not_before`` and the next try are the clinic's time.

A reminder to the staff may repeat, so it is looked at by one narrow query just before it leaves and settled by one
statement that waits for no disk (docs/adr/0011). A message to a patient is read whole, sent and settled by itself,
and that is on the disk before the next one leaves.
"""

from __future__ import annotations

import logging
import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from clinic import audit, clock, prepared
from followups import channels
from followups.channels.base import Outcome, Session
from followups.domain import backoff, unknown_fate
from followups.domain.backoff import Fate
from followups.domain.kinds import MessageState
from followups.domain.states import MESSAGE
from followups.models import DeliveryAttempt, FollowUp, Message
from followups.services import messages, outreach

logger = logging.getLogger(__name__)

#: Far longer than a channel's time-out (10 s for each step of a server that answers at the last moment).
LEASE = timedelta(seconds=120)
#: So much of it is left whenever something is sent; else it is renewed first, for all that is left of the batch.
LEFT = timedelta(seconds=90)
BATCH = 50


@dataclass(frozen=True)
class Claim:
    """The right to send one message, until the lease ends."""

    message_id: int
    token: uuid.UUID


@dataclass
class Batch:
    """What was claimed together, until when it is ours, and what was read of it for all at once: reminders alone."""

    claims: list[Claim]
    until: datetime
    read: dict[int, Message]


@dataclass(frozen=True)
class Verdict:
    """Where a message goes, and why in words."""

    state: MessageState
    outcome: str
    attempt: str
    not_before: datetime | None = None
    provider_id: str = ""


# --- claim --------------------------------------------------------------------------------------


def claim_due(*, channel: str, now: datetime, limit: int = BATCH) -> list[Claim]:
    """Lease up to ``limit`` queued messages to the caller. Safe to run anywhere, any number of times."""
    wall = clock.real_now()
    token = uuid.uuid4()
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(DUE, [channel, now, limit])
        due = [pk for (pk,) in cursor.fetchall()]
        if due:
            cursor.execute(CLAIM, {"due": due, "token": token, "wall": wall, "until": wall + LEASE})
    return [Claim(pk, token) for pk in due]


DUE = """
SELECT id FROM followups_message
WHERE channel = %s AND state = 'queued' AND not_before <= %s
ORDER BY not_before, id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
"""
#: A statement of its own: it sees every attempt that was written before the messages were locked, so that its own
#: number is the next.
CLAIM = """
WITH claimed AS (
    UPDATE followups_message
    SET state = 'sending', claim_token = %(token)s, lease_until = %(until)s, attempts = attempts + 1
    WHERE id = ANY(%(due)s::bigint[]) RETURNING id
)
INSERT INTO followups_deliveryattempt (message_id, number, claim_token, started_at, outcome, detail)
SELECT id, 1 + coalesce((SELECT max(number) FROM followups_deliveryattempt t WHERE t.message_id = claimed.id), 0),
    %(token)s, %(wall)s, 'open', '' FROM claimed
"""


def channels_due(now: datetime) -> set[str]:
    """Channels on which something waits to be sent."""
    due = Message.objects.filter(state=MessageState.QUEUED, not_before__lte=now)
    return set(due.order_by().values_list("channel", flat=True).distinct())


def _claim_batch(channel: str, now: datetime) -> Batch:
    until = clock.real_now() + LEASE
    claims = claim_due(channel=channel, now=now)
    rows = Message.objects.filter(pk__in=[claim.message_id for claim in claims], patient__isnull=True)
    return Batch(claims, until, {row.pk: row for row in rows.select_related(*READ).only(*COLUMNS)} if claims else {})


def renew_lease(batch: Batch) -> None:
    """Before each send, and only when too little of it is left: one statement for what is left of the batch.

    It does not say whether a single message is still ours: ``_look`` does, just before that one leaves.
    """
    wall = clock.real_now()
    if batch.until - wall < LEFT:
        batch.until = wall + LEASE
        mine = Message.objects.filter(pk__in=[claim.message_id for claim in batch.claims])
        mine.filter(state=MessageState.SENDING, claim_token=batch.claims[0].token).update(lease_until=batch.until)


def _held(claim: Claim) -> QuerySet[Message]:
    return Message.objects.filter(pk=claim.message_id, state=MessageState.SENDING, claim_token=claim.token)


# --- send ---------------------------------------------------------------------------------------


def run(*, channel: str, now: datetime, until: datetime) -> Counter[str]:
    """Send what is due on one channel, until nothing is left or the wall clock passes ``until``.

    One session for all of it: it connects for the first message, so none is opened for nothing.
    """
    counts: Counter[str] = Counter()
    with channels.get(channel).session() as session:
        while clock.real_now() < until:
            batch = _claim_batch(channel, now)
            if len(batch.claims) == BATCH and not counts:
                prepared.forget_plans()
            for claim in batch.claims:
                if clock.real_now() >= until:
                    counts[put_back(claim, now)] += 1
                    continue
                renew_lease(batch)
                counts[deliver(claim, session=session, now=now, read=batch.read.get(claim.message_id))] += 1
            if len(batch.claims) < BATCH:
                break
    return counts


def deliver(claim: Claim, *, session: Session, now: datetime, read: Message | None = None) -> str:
    """Look once more, send outside any transaction, settle. A crash in between leaves the lease to the reaper.

    ``read``: a reminder as it was when it was claimed; what can have changed since is looked at here. Returns what
    became of it: the message's new state, or ``lost`` when the lease was.
    """
    message = _look(claim) if read is None else _look_again(claim, read)
    if message is None:
        return "lost"
    verdict = why_not(message, now)
    if verdict is None:
        verdict = _verdict(message, _send(message, session), now)
    return settle(claim, message=message, verdict=verdict)


def _look(claim: Claim) -> Message | None:
    """The whole message, with its lease renewed. None: it is not ours any more, somebody else may be sending."""
    if not _held(claim).update(lease_until=clock.real_now() + LEASE):
        return None
    rows = Message.objects.select_related("recipient", "patient", "link__procedure__patient", "follow_up__procedure")
    return rows.get(pk=claim.message_id)


#: What is read of a reminder when it is claimed: what makes its words and its audit line.
READ = ("recipient", "follow_up__procedure")
COLUMNS = (
    *("key", "kind", "channel", "patient_id", "useful_until", "attempts"),
    *("recipient__is_active", "recipient__email"),
    *("follow_up__kind", "follow_up__level", "follow_up__generation", "follow_up__closed_at", "follow_up__subject_id"),
    *("follow_up__procedure__code", "follow_up__procedure__patient_id"),
)
#: What can change of it until it leaves: is it ours, is its promise open and the same, may its recipient be written to.
LOOK = """
SELECT f.closed_at, f.generation, f.level, u.is_active, u.email
FROM followups_message m
LEFT JOIN followups_followup f ON f.id = m.follow_up_id
LEFT JOIN clinic_user u ON u.id = m.recipient_id
WHERE m.id = %s AND m.state = 'sending' AND m.claim_token = %s
"""


def _look_again(claim: Claim, message: Message) -> Message | None:
    """A promise that is kept between claim and send is told to nobody: one narrow query. None: no longer ours."""
    found = prepared.fetch_one(LOOK, [claim.message_id, claim.token])
    if found is None:
        return None
    if message.follow_up is not None:
        message.follow_up.closed_at, message.follow_up.generation, message.follow_up.level = found[:3]
    if message.recipient is not None:
        message.recipient.is_active, message.recipient.email = found[3:]
    return message


def why_not(message: Message, now: datetime) -> Verdict | None:
    """Why this message must not leave (any more); None when it may."""
    state, why = MessageState.CANCELLED, ""
    if message.useful_until is not None and now > message.useful_until:
        state, why = MessageState.EXPIRED, _("too late to be of use")
    elif message.follow_up is None:
        why = "" if _anything_escalated() else _("nothing is escalated any more")
    elif not message.follow_up.is_open:
        why = _("kept or no longer needed")
    elif message.follow_up.generation != messages.generation_of(message.key):
        why = _("the promise has changed since")
    if not why and message.patient is not None:
        why = outreach.why_not(message, now)
    elif not why and (message.recipient is None or not message.recipient.is_active):
        state, why = MessageState.FAILED, _("the account is no longer active")
    if not why and message.recipient is not None and not message.recipient.email:
        state, why = MessageState.FAILED, _("this person has no e-mail address")
    return Verdict(state, why, str(state)) if why else None


def _anything_escalated() -> bool:
    """What a digest speaks of. Its reader may stand in for the role it was escalated to."""
    return FollowUp.objects.filter(closed_at__isnull=True).exclude(escalated_role="").exists()


def _send(message: Message, session: Session) -> Outcome:
    try:
        outgoing = messages.render(message)
    except Exception as error:  # one message that cannot be worded must not stop the others
        logger.exception("message %s cannot be worded", message.pk)
        return Outcome(Fate.NOT_NOW, _("cannot be worded: %(why)s") % {"why": type(error).__name__})
    return session.send(outgoing)


def _verdict(message: Message, outcome: Outcome, now: datetime) -> Verdict:
    if outcome.fate is Fate.SENT:
        return Verdict(MessageState.SENT, outcome.detail, "sent", provider_id=outcome.provider_id)
    if outcome.opted_out and message.patient is not None:
        outreach.opted_out(message)
    return _after(message, outcome, now)


def _after(message: Message, outcome: Outcome, now: datetime, attempt: str = "") -> Verdict:
    """The decision about an attempt that did not deliver."""
    decision = backoff.decide(
        fate=outcome.fate,
        tries=message.attempts,
        now=now,
        useful_until=message.useful_until,
        may_repeat=_may_repeat(message),
        wait=outcome.wait,
    )
    match decision:
        case backoff.RetryAt(at):
            return Verdict(MessageState.QUEUED, outcome.detail, attempt or "retry", at)
        case backoff.Expire():
            return Verdict(MessageState.EXPIRED, outcome.detail, attempt or "failed")
        case backoff.Ask():
            return Verdict(MessageState.UNKNOWN, outcome.detail, attempt or "unknown")
        case backoff.GiveUp():
            return Verdict(MessageState.FAILED, outcome.detail, attempt or "failed")


def _may_repeat(message: Message) -> bool:
    """Whether a second copy does no harm: of most reminders, and of no message to a patient."""
    return message.patient_id is None and unknown_fate.may_repeat(message.kind)


# --- settle -------------------------------------------------------------------------------------


def settle(claim: Claim, *, message: Message, verdict: Verdict) -> str:
    """Write down what became of a claimed message, if it is still ours. Returns its state, or ``lost``."""
    if verdict.state is MessageState.SENT and _may_repeat(message):
        return _settle_reminder(claim, message, verdict)
    wall = clock.real_now()
    with transaction.atomic(durable=True):
        outreach.lock_case(message)
        if not _held(claim).update(**_columns(verdict, wall)):
            logger.warning("message %s: settled by another worker", claim.message_id)
            return "lost"
        if verdict.state in {MessageState.CANCELLED, MessageState.EXPIRED}:
            MESSAGE.check(MessageState.QUEUED, verdict.state)
            Message.objects.filter(pk=claim.message_id).update(state=verdict.state)
        DeliveryAttempt.objects.filter(message_id=claim.message_id, claim_token=claim.token, outcome="open").update(
            outcome=verdict.attempt, detail=verdict.outcome[:200], ended_at=wall
        )
        if verdict.state is not MessageState.QUEUED:
            messages.settled(message=message, state=verdict.state, outcome=verdict.outcome)
            outreach.report_before_settling(message)
    if verdict.state in {MessageState.FAILED, MessageState.UNKNOWN}:
        logger.error("message %s %s: %s", claim.message_id, verdict.state, verdict.outcome)
    return str(verdict.state)


#: In one transaction of its own, by being one statement; its commit waits for no disk.
SETTLE = """
WITH held AS (
    UPDATE followups_message SET {columns}
    WHERE id = %s AND state = 'sending' AND claim_token = %s RETURNING id
), tried AS (
    UPDATE followups_deliveryattempt t SET outcome = %s, detail = %s, ended_at = %s
    FROM held WHERE t.message_id = held.id AND t.claim_token = %s AND t.outcome = 'open'
), told AS ({audit})
SELECT count(*), set_config('synchronous_commit', 'off', true) FROM held
"""


@cache
def _settle_statement(columns: tuple[str, ...]) -> str:
    return SETTLE.format(columns=", ".join(f"{name} = %s" for name in columns), audit=audit.insert_from("held"))


def _settle_reminder(claim: Claim, message: Message, verdict: Verdict) -> str:
    """A reminder that was sent, in one round trip. A worker that is killed afterwards loses nothing of it; only a crash
    of the database itself may forget the last second, and then the reminder goes out again under the same key, as it
    does after a worker that was killed before.
    """
    wall = clock.real_now()
    columns = _columns(verdict, wall)
    entry = messages.settled_entry(message=message, state=verdict.state, outcome=verdict.outcome)
    found = prepared.fetch_one(
        _settle_statement(tuple(columns)),
        [
            *(str(value) if isinstance(value, MessageState) else value for value in columns.values()),
            *(claim.message_id, claim.token),
            *(verdict.attempt, verdict.outcome[:200], wall, claim.token),
            *audit.values(entry),
        ],
    )
    if found is None or not found[0]:
        logger.warning("message %s: settled by another worker", claim.message_id)
        return "lost"
    return str(verdict.state)


def _columns(verdict: Verdict, wall: datetime) -> dict[str, object]:
    """What leaves ``sending``. Cancelled and expired are reached through the queue: they were never sent."""
    through_queue = verdict.state in {MessageState.CANCELLED, MessageState.EXPIRED}
    state = MessageState.QUEUED if through_queue else verdict.state
    MESSAGE.check(MessageState.SENDING, state)
    columns: dict[str, object] = {
        "state": state,
        "claim_token": None,
        "lease_until": None,
        "outcome": verdict.outcome[:200],
        "settled_at": None if verdict.state is MessageState.QUEUED else wall,
    }
    if verdict.not_before is not None:
        columns["not_before"] = verdict.not_before
    if verdict.provider_id:
        columns["provider_id"] = verdict.provider_id
    return columns


def put_back(claim: Claim, now: datetime) -> str:
    """A claim that there was no time to use. It does not count as a try."""
    message = Message.objects.get(pk=claim.message_id)
    state = settle(claim, message=message, verdict=Verdict(MessageState.QUEUED, "", "lost", now))
    if state == MessageState.QUEUED:
        Message.objects.filter(pk=claim.message_id, attempts__gt=0).update(attempts=F("attempts") - 1)
    return state


# --- reap ---------------------------------------------------------------------------------------


def reap(*, now: datetime) -> int:
    """Take back expired leases: their worker died between claiming and settling. Returns how many.

    A reminder goes out again under the same key; what must not arrive twice becomes ``unknown``.
    """
    wall = clock.real_now()
    expired = Message.objects.filter(state=MessageState.SENDING, lease_until__lt=wall)
    found = list(expired.order_by("lease_until", "pk").values_list("pk", flat=True))
    if not found:
        return 0
    reaped = 0
    # whoever renewed or settled one since is refused below
    for message in expired.filter(pk__in=found).select_related("follow_up__procedure").order_by("lease_until", "pk"):
        assert message.claim_token is not None  # a constraint: sending ⇔ token and lease
        logger.warning("message %s: its worker was lost", message.pk)
        outcome = Outcome(Fate.UNKNOWN, _("the worker was lost while sending"))
        claim = Claim(message.pk, message.claim_token)
        reaped += _reclaim(claim, message, _after(message, outcome, now, attempt="lost"), wall)
    return reaped


def _reclaim(claim: Claim, message: Message, verdict: Verdict, wall: datetime) -> bool:
    """Only if the lease is still expired: a slow worker may have renewed it since it was read."""
    with transaction.atomic(durable=True):
        if not _held(claim).filter(lease_until__lt=wall).update(lease_until=wall):
            return False
    return settle(claim, message=message, verdict=verdict) != "lost"
