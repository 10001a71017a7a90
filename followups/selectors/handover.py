"""What somebody holds at the end of a shift, and who can be given it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet

from clinic.actor import Actor
from clinic.models import Absence, User
from followups import access
from followups.models import FollowUp
from followups.selectors import loop, worklists
from followups.selectors.worklists import Row
from followups.services import promises


def held(actor: Actor, now: datetime) -> tuple[Row, ...]:
    """What the actor has taken and is still open, the most urgent first. One query."""
    return _rows(actor, now, Q(taken_by=actor.user_id))


def shown(actor: Actor, now: datetime, numbers: Iterable[int]) -> tuple[Row, ...]:
    """The promises of these numbers that are still open, whoever has them by now. One query."""
    return _rows(actor, now, Q(pk__in=list(numbers)))


def _rows(actor: Actor, now: datetime, which: Q) -> tuple[Row, ...]:
    seen = access.promises(actor).filter(which).values("pk")
    rows = worklists.with_subjects(loop.open_at(now).filter(pk__in=seen)).order_by("rank", "due_at", "pk")
    return tuple(worklists.row_of(promise, now) for promise in rows)


def closed(actor: Actor, numbers: Iterable[int]) -> tuple[FollowUp, ...]:
    """Those of these numbers that are open no more."""
    rows = access.promises(actor).filter(pk__in=list(numbers), closed_at__isnull=False)
    return tuple(rows.select_related("procedure__protocol_version").order_by("pk"))


def responsible(actor: Actor) -> int:
    """How much more the actor answers for without having taken it: it is not handed over with a shift."""
    return FollowUp.objects.filter(responsible=actor.user_id, taken_by__isnull=True, closed_at__isnull=True).count()


def people(actor: Actor, rows: Iterable[Row], now: datetime) -> QuerySet[User]:
    """Who can be given at least one of them: active, not away now, not the actor."""
    roles = {str(role) for row in rows for role in promises.fitting_roles(row.follow_up)}
    away = Absence.objects.filter(starts_at__lte=now, ends_at__gt=now, accepted_at__isnull=False).values("user")
    found = User.objects.filter(is_active=True, roles__overlap=sorted(roles)).exclude(pk=actor.user_id or 0)
    return found.exclude(pk__in=away).order_by("full_name", "pk")
