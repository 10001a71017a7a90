"""Claim, commit, send, settle: the only module that claims messages.

Two keys, never one. The claim token is new at every claim and lets ``settle`` refuse a slow worker whose lease the
reaper has given away. The message's key never changes and is what the provider gets.

Leases run on the wall clock; ``not_before`` and the next try are the clinic's time.

A reminder to the staff may repeat, so it is looked at by one narrow query just before it leaves and settled by one
statement that waits for no disk (docs/adr/0011). A message to a patient is read whole, sent and settled by itself, on the
disk before the next one leaves.
"""

from __future__ import annotations

import logging
import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Max, QuerySet
from django.utils.translation import gettext as _

from clinic import clock
from followups import channels
from followups.channels.base import Outcome, Session
from followups.domain import backoff, unknown_fate
from followups.domain.backoff import Fate
from followups.domain.kinds import MessageState
from followups.domain.states import MESSAGE
from followups.models import DeliveryAttempt, FollowUp, Message
from followups.services import messages, outreach

logger = logging.getLogger(__name__)

#: Far longer than a channel's time-out (10 s). Renewed, for all that is left of a batch, once half of it is used up: what
#: is sent has at least that half before it, six times the time-out.
LEASE = timedelta(seconds=120)
HALF = LEASE / 2
BATCH = 50


@dataclass(frozen=True)
class Claim:
    """The right to send one message, until the lease ends."""

    message_id: int
    token: uuid.UUID


@dataclass
class Lease:
    """Until when the claims of one batch are ours. Its renewal says nothing of a single one: the look does."""

    token: uuid.UUID
    until: datetime

    def renew(self) -> None:
        """Once half of it is used up."""
        wall = clock.real_now()
        if self.until - wall < HALF:
            self.until = wall + LEASE
            Message.objects.filter(state=MessageState.SENDING, claim_token=self.token).update(lease_until=self.until)


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
    with transaction.atomic(durable=True):
        due = list(
            Message.objects.filter(channel=channel, state=MessageState.QUEUED, not_before__lte=now)
            .select_for_update(of=("self",), no_key=True, skip_locked=True)
            .order_by("not_before", "pk")
            .values_list("pk", flat=True)[:limit]
        )
        if not due:
            return []
        Message.objects.filter(pk__in=due).update(
            state=MessageState.SENDING, claim_token=token, lease_until=wall + LEASE, attempts=F("attempts") + 1
        )
        tries = DeliveryAttempt.objects.filter(message__in=due).values_list("message_id")
        last = dict(tries.annotate(last=Max("number")))
        DeliveryAttempt.objects.bulk_create(
            DeliveryAttempt(message_id=pk, number=last.get(pk, 0) + 1, claim_token=token, started_at=wall) for pk in due
        )
    return [Claim(pk, token) for pk in due]


def renew_lease(claim: Claim) -> bool:
    """Immediately before sending. False: the lease is lost, somebody else may be sending."""
    return bool(_held(claim).update(lease_until=clock.real_now() + LEASE))


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
            claims = claim_due(channel=channel, now=now)
            for claim in claims:
                late = clock.real_now() >= until
                counts[put_back(claim, now) if late else deliver(claim, session=session, now=now)] += 1
            if len(claims) < BATCH:
                break
    return counts


def deliver(claim: Claim, *, session: Session, now: datetime) -> str:
    """Look once more, send outside any transaction, settle. A crash in between leaves the lease to the reaper.

    Returns what became of it: the message's new state, or ``lost`` when the lease was.
    """
    if not renew_lease(claim):
        return "lost"
    rows = Message.objects.select_related("recipient", "patient", "link__procedure__patient", "follow_up__procedure")
    message = rows.get(pk=claim.message_id)
    verdict = why_not(message, now)
    if verdict is None:
        verdict = _verdict(message, _send(message, session), now)
    return settle(claim, message=message, verdict=verdict)


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
        may_repeat=message.patient_id is None and unknown_fate.may_repeat(message.kind),
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


# --- settle -------------------------------------------------------------------------------------


def settle(claim: Claim, *, message: Message, verdict: Verdict) -> str:
    """Write down what became of a claimed message, if it is still ours. Returns its state, or ``lost``."""
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
    expired = list(
        Message.objects.filter(state=MessageState.SENDING, lease_until__lt=wall)
        .select_related("follow_up__procedure")
        .order_by("lease_until", "pk")
    )
    reaped = 0
    for message in expired:
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
