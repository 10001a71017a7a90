"""What people do with a promise: take it, hand it over, snooze it, note something. None of it keeps it.

Only facts keep a promise: the record that is signed, the result that is reviewed, the patient who is told.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from clinic import audit, clock
from clinic.access import require
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid
from clinic.models import User
from clinic.roles import STAFF, Role
from followups.models import FollowUp, FollowUpNote

#: How long an overdue promise can be put off at a time.
SNOOZE_OVERDUE = timedelta(hours=24)


def fitting_roles(follow_up: FollowUp) -> frozenset[Role]:
    """Who can be given it: its own role, where it was escalated to, and a physician for what a nurse does."""
    roles = {Role(follow_up.role), *([Role(follow_up.escalated_role)] if follow_up.escalated_role else [])}
    if Role.NURSE in roles:
        roles.add(Role.PHYSICIAN)
    return frozenset(roles)


def candidates(follow_up: FollowUp) -> QuerySet[User]:
    """Active people it can be handed to; not who has it now."""
    fits = Q()
    for role in fitting_roles(follow_up):
        fits |= Q(roles__contains=[str(role)])
    people = User.objects.filter(fits, is_active=True).order_by("full_name", "pk")
    return people.exclude(pk=follow_up.taken_by_id) if follow_up.taken_by_id else people


def latest_snooze(follow_up: FollowUp, now: datetime) -> datetime:
    """Until when it can be put off: until it is due, and once it is overdue for a day at a time."""
    return follow_up.due_at if follow_up.due_at > now else now + SNOOZE_OVERDUE


def take(*, actor: Actor, follow_up: FollowUp) -> None:
    """The actor answers for it from here on; its owner's reminders go to them. Taking one's own again changes nothing.

    ``follow_up`` as it was shown: Raises Conflict when somebody else took or closed it in between.
    """
    require(actor, *STAFF)
    if follow_up.taken_by_id == actor.user_id and follow_up.is_open:
        return
    with transaction.atomic():
        _swap(follow_up, taken_by=actor.user_id, taken_at=clock.now())
        _write(actor, follow_up, "taken", "promise.taken", data={"from": follow_up.taken_by_id})


def hand_over(*, actor: Actor, follow_up: FollowUp, to: User, text: str = "") -> None:
    """Give it to another person, who sees on the promise who gave it.

    Raises Invalid when that person cannot do it, Conflict when it was taken or closed in between.
    """
    require(actor, *STAFF)
    if not to.is_active or not to.has(*fitting_roles(follow_up)):
        raise Invalid("This person cannot be given this task.", field="to")
    if to.pk == follow_up.taken_by_id:
        raise Invalid("This person has it already.", field="to")
    with transaction.atomic():
        _swap(follow_up, taken_by=to.pk, taken_at=clock.now())
        data = {"from": follow_up.taken_by_id, "to": to.pk}
        note = f"{actor.name} → {to.display_name}" + (f": {text}" if text else "")
        _write(actor, follow_up, "handed_over", "promise.handed_over", text=note, data=data)


def snooze(*, actor: Actor, follow_up: FollowUp, until: datetime, reason: str) -> None:
    """No reminder before ``until``. It stays on every list and is overdue when it is overdue.

    Raises Invalid for a critical promise, for one put off for too long or without a reason.
    """
    require(actor, *STAFF)
    now = clock.now()
    if follow_up.level == "critical":
        raise Invalid("What is critical cannot be put off. Take it, or hand it over.")
    if not reason.strip():
        raise Invalid("Please give a reason.", field="reason")
    if until <= now:
        raise Invalid("This time has passed.", field="until")
    if until > latest_snooze(follow_up, now):
        raise Invalid("Too long: at most until it is due, or for 24 hours when it is overdue.", field="until")
    with transaction.atomic():
        _swap(follow_up, snoozed_until=until)
        data = {"until": until.isoformat()}
        _write(actor, follow_up, "snoozed", "promise.snoozed", text=reason.strip(), data=data, reason=reason.strip())


def note(*, actor: Actor, follow_up: FollowUp, text: str) -> FollowUpNote:
    """Say something about it, for whoever looks next."""
    require(actor, *STAFF)
    if not text.strip():
        raise Invalid("Please write something.", field="text")
    with transaction.atomic():
        return _write(actor, follow_up, "comment", "promise.noted", text=text.strip())


def _swap(follow_up: FollowUp, **values: object) -> None:
    """Compare-and-swap against what the person saw: still open, of this generation, and with the same taker."""
    seen = FollowUp.objects.filter(
        pk=follow_up.pk,
        closed_at__isnull=True,
        generation=follow_up.generation,
        taken_by=follow_up.taken_by_id,
    )
    if seen.update(**values) != 1:
        raise Conflict("Somebody else took this task, or it was closed or changed in the meantime.")


def _write(
    actor: Actor,
    follow_up: FollowUp,
    action: str,
    audited: str,
    *,
    text: str = "",
    data: dict[str, Any] | None = None,
    reason: str = "",
) -> FollowUpNote:
    row = FollowUpNote.objects.create(
        follow_up=follow_up, at=clock.now(), by_id=actor.user_id, action=action, text=text
    )
    audit.record(
        action=audited,
        actor=actor,
        subject=follow_up,
        patient_id=follow_up.procedure.patient_id if follow_up.procedure else None,
        data=data,
        reason=reason,
    )
    return row
