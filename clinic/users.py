"""Who may log in, and as what. Every change needs an administrator and leaves an audit row.

The clinic must never lock itself out: the last active administrator and the last active director keep their
roles, and nobody takes their own access away.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import timedelta

from axes.models import AccessAttempt
from axes.utils import reset as forget_attempts
from django.conf import settings
from django.db import IntegrityError, transaction

from clinic import audit, clock, guards, row_locks
from clinic.access import require
from clinic.actor import Actor
from clinic.errors import Conflict, Invalid
from clinic.guards import OpenItems
from clinic.models import User
from clinic.roles import Role

#: A clinic without these can neither add people nor be answerable for what nobody does.
NEVER_EMPTY = (Role.ADMINISTRATOR, Role.DIRECTOR)
#: No letter or digit that is mistaken for another when read out.
READABLE = "abcdefghjkmnpqrstuvwxyz23456789"


class StillHolds(Conflict):
    """%(name)s still has open items: they must be handed over first."""

    def __init__(self, items: list[OpenItems], **params: object) -> None:
        self.items = items
        super().__init__("", **params)


def one_time_password() -> str:
    """Sixteen readable characters in groups of four, about 79 bits."""
    return "-".join("".join(secrets.choice(READABLE) for _ in range(4)) for _ in range(4))


def create(
    *,
    actor: Actor,
    username: str,
    full_name: str,
    roles: Iterable[Role],
    credentials: str = "",
    email: str = "",
    phone: str = "",
) -> tuple[User, str]:
    """A new person and the one-time password to hand over. Raises Conflict when the user name is taken."""
    require(actor, Role.ADMINISTRATOR)
    password = one_time_password()
    user = User(
        username=username.strip().lower(),
        full_name=full_name.strip(),
        credentials=credentials.strip(),
        email=email,
        phone=phone,
        roles=sorted(str(role) for role in set(roles)),
        password_temporary=True,
    )
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            audit.record(action="user.created", actor=actor, subject=user, data={"roles": user.roles})
    except IntegrityError as error:
        if _constraint(error).startswith("clinic_user_username"):
            raise Conflict("This user name is taken.") from None
        raise
    return user, password


def change(
    *, actor: Actor, user: User, full_name: str, credentials: str, email: str, phone: str, roles: Iterable[Role]
) -> None:
    """New details and roles. Raises Invalid when the clinic would lose its last administrator or director."""
    require(actor, Role.ADMINISTRATOR)
    wanted = sorted(str(role) for role in set(roles))
    if not wanted:
        raise Invalid("A person needs at least one role.", field="roles")
    with transaction.atomic():
        lost = user.role_set - {Role(role) for role in wanted}
        if actor.user_id == user.pk and Role.ADMINISTRATOR in lost:
            raise Invalid("You cannot take the administrator's role from yourself.", field="roles")
        _keep_somebody(user, lost)
        before = sorted(user.roles)
        values = {"full_name": full_name, "credentials": credentials, "email": email, "phone": phone, "roles": wanted}
        changed = _assign(user, values)
        if changed:
            data = {"fields": changed} | ({"roles": [before, wanted]} if before != wanted else {})
            audit.record(action="user.changed", actor=actor, subject=user, data=data)


def change_own(*, actor: Actor, user: User, email: str, phone: str) -> None:
    """How a person can be reached; their own only."""
    if actor.user_id != user.pk:
        raise Invalid("You can change only your own details.")
    with transaction.atomic():
        if changed := _assign(user, {"email": email, "phone": phone}):
            audit.record(action="user.changed", actor=actor, subject=user, data={"fields": changed})


def deactivate(*, actor: Actor, user: User) -> None:
    """No more log-ins, at once; what the person has done stays under their name.

    Raises Conflict while they hold anything open: it would wait in an inbox that nobody reads (``clinic.guards``).
    """
    require(actor, Role.ADMINISTRATOR)
    if actor.user_id == user.pk:
        raise Invalid("You cannot deactivate yourself.")
    with transaction.atomic():
        _keep_somebody(user, user.role_set)
        _locked(user)  # whoever gives them something holds the same lock
        held = guards.open_items(user)
        if held:
            raise StillHolds(held, name=user.display_name)
        if User.objects.filter(pk=user.pk, is_active=True).update(is_active=False) == 1:
            audit.record(action="user.deactivated", actor=actor, subject=user)
    user.is_active = False


def working(user: User) -> User:
    """The person, fresh, who still works here and cannot leave until the transaction ends.

    Whoever gives somebody a case, a task or a turn asks here first. Raises Conflict for somebody who has left.
    """
    row = _locked(user)
    if not row.is_active:
        raise Conflict("%(name)s no longer works here. Choose somebody else.", name=row.display_name)
    return row


def _locked(user: User) -> User:
    return row_locks.lock(User, user.pk)


def reactivate(*, actor: Actor, user: User) -> None:
    """Log-ins are possible again, with the old password."""
    require(actor, Role.ADMINISTRATOR)
    with transaction.atomic():
        if User.objects.filter(pk=user.pk, is_active=False).update(is_active=True) == 1:
            audit.record(action="user.reactivated", actor=actor, subject=user)
    user.is_active = True


def reset_password(*, actor: Actor, user: User) -> str:
    """A one-time password, shown once; running log-ins of this person end."""
    require(actor, Role.ADMINISTRATOR)
    password = one_time_password()
    user.set_password(password)
    user.password_temporary = True
    with transaction.atomic():
        user.save(update_fields=["password", "password_temporary"])
        audit.record(action="user.password_reset", actor=actor, subject=user)
    forget_attempts(username=user.username)
    return password


def unlock(*, actor: Actor, user: User) -> None:
    """Forget failed log-ins, so that the person can try again now."""
    require(actor, Role.ADMINISTRATOR)
    with transaction.atomic():
        forgotten = forget_attempts(username=user.username)
        audit.record(action="user.unlocked", actor=actor, subject=user, data={"forgotten": forgotten})


def locked_usernames() -> frozenset[str]:
    """User names that are locked out from at least one address now."""
    since = clock.real_now() - timedelta(hours=settings.AXES_COOLOFF_TIME)
    rows = AccessAttempt.objects.filter(
        failures_since_start__gte=settings.AXES_FAILURE_LIMIT, attempt_time__gte=since, username__isnull=False
    )
    return frozenset(rows.values_list("username", flat=True))


def _assign(user: User, values: Mapping[str, object]) -> list[str]:
    changed = [name for name, value in values.items() if getattr(user, name) != value]
    for name in changed:
        setattr(user, name, values[name])
    if changed:
        user.save(update_fields=changed)
    return changed


def _keep_somebody(user: User, leaving: frozenset[Role]) -> None:
    """Raise Invalid when ``user`` is the last active holder of a role that must not be empty.

    All holders are locked in one order: two administrators who deactivate each other at the same moment
    would otherwise both succeed.
    """
    for role in NEVER_EMPTY:
        if role not in leaving:
            continue
        holders = User.objects.holding(role).select_for_update(of=("self",), no_key=True).order_by("pk")
        ids = {holder.pk for holder in holders}
        if ids == {user.pk}:
            name = user.display_name
            raise Invalid("%(name)s is the last active %(role)s.", field="roles", name=name, role=str(role))


def _constraint(error: IntegrityError) -> str:
    cause = error.__cause__
    return str(getattr(getattr(cause, "diag", None), "constraint_name", "") or "")
