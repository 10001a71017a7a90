"""What people do with a promise: take it, hand it over, snooze it, note something. None of it keeps it.

Only facts keep a promise: the record that is signed, the result that is reviewed, the patient who is told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from clinic import audit, clock, users
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
        _still_here(actor.user_id)
        _swap(follow_up, taken_by=actor.user_id, taken_at=clock.now())
        _write(actor, follow_up, "taken", "promise.taken", data={"from": follow_up.taken_by_id})


def hand_over(*, actor: Actor, follow_up: FollowUp, to: User, text: str = "") -> None:
    """Give it to another person, who sees on the promise who gave it.

    Raises Invalid when that person cannot do it, Conflict when it was taken or closed in between.
    """
    require(actor, *STAFF)
    give(actor=actor, follow_up=follow_up, to=to, text=text)


def give(*, actor: Actor, follow_up: FollowUp, to: User, text: str = "") -> None:
    """The same for whoever may give it, which the caller has checked: an administrator, when somebody leaves."""
    if not to.is_active or not to.has(*fitting_roles(follow_up)):
        raise Invalid("This person cannot be given this task.", field="to")
    if to.pk == follow_up.taken_by_id:
        raise Invalid("This person has it already.", field="to")
    with transaction.atomic():
        _still_here(to.pk)
        _swap(follow_up, taken_by=to.pk, taken_at=clock.now())
        data = {"from": follow_up.taken_by_id, "to": to.pk}
        note = f"{actor.name} → {to.display_name}" + (f": {text}" if text else "")
        _write(actor, follow_up, "handed_over", "promise.handed_over", text=note, data=data)


@dataclass(frozen=True)
class Handed:
    """A promise as its holder saw it, and what the next one should know about it."""

    follow_up: FollowUp
    text: str = ""


@dataclass
class Handover:
    """What came of a whole shift's promises: ``refused`` with why, in words."""

    done: list[FollowUp] = field(default_factory=list)
    refused: list[tuple[FollowUp, str]] = field(default_factory=list)


def hand_over_shift(*, actor: Actor, given: Iterable[Handed], to: User | None) -> Handover:
    """Give what the actor holds to one person; ``to`` None: back to whoever is responsible, or to the role.

    What somebody else took, what was closed, and what that person cannot do is left as it is and named; the rest is
    done. Raises Invalid for somebody who is not active, or for the actor.
    """
    require(actor, *STAFF)
    if to is not None and (not to.is_active or to.pk == actor.user_id):
        raise Invalid("Choose somebody else who is here.", field="to")
    found = Handover()
    with transaction.atomic():
        for item in sorted(given, key=lambda item: item.follow_up.pk):  # one order: two handovers never deadlock
            follow_up = item.follow_up
            if to is not None and not to.has(*fitting_roles(follow_up)):
                found.refused.append((follow_up, _("%(who)s cannot be given it") % {"who": to.display_name}))
                continue
            try:
                _pass_on(actor, item, to)
            except Conflict:
                found.refused.append((follow_up, _gone(follow_up)))
            else:
                found.done.append(follow_up)
    return found


def _pass_on(actor: Actor, item: Handed, to: User | None) -> None:
    """One of a shift's promises. Raises Conflict unless the actor still holds it as it was shown."""
    follow_up, said = item.follow_up, f": {item.text.strip()}" if item.text.strip() else ""
    follow_up.taken_by_id = actor.user_id  # what everything on the screen was
    if to is None:
        _swap(follow_up, taken_by=None, taken_at=None)
        _write(actor, follow_up, "given_back", "promise.given_back", text=f"{actor.name}{said}")
        return
    _swap(follow_up, taken_by=to.pk, taken_at=clock.now())
    data = {"from": actor.user_id, "to": to.pk, "shift": True}
    note = f"{actor.name} → {to.display_name}{said}"
    _write(actor, follow_up, "handed_over", "promise.handed_over", text=note, data=data)


def _gone(follow_up: FollowUp) -> str:
    """Why it could not be passed on."""
    now = FollowUp.objects.select_related("taken_by").get(pk=follow_up.pk)
    if not now.is_open:
        return _("done or no longer needed in the meantime")
    if now.taken_by_id == follow_up.taken_by_id:
        return _("changed in the meantime: look at it again")
    return (
        _("%(who)s has it now") % {"who": now.taken_by.display_name} if now.taken_by else _("nobody holds it any more")
    )


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


def _still_here(person: int | None) -> None:
    """Nobody gets a task while their access ends: both hold the person's lock. Raises Conflict for who has left."""
    if person is not None:
        users.working(User(pk=person))


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
