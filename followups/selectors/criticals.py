"""Critical results that nobody has read: shown to everybody on duty until somebody takes them."""

from __future__ import annotations

from django.db.models import Count, IntegerField, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from clinic.models import User
from clinic.roles import CLINICAL, Role
from followups.domain.kinds import Kind
from followups.models import FollowUp

#: A result that waits to be read, for the first time or again.
KINDS = frozenset({Kind.REVIEW_RESULT, Kind.REREAD_CORRECTION})


def unread() -> QuerySet[FollowUp]:
    """Open promises to read a critical result, the oldest first."""
    rows = FollowUp.objects.filter(closed_at__isnull=True, level="critical", kind__in=[str(kind) for kind in KINDS])
    return rows.order_by("start_at", "pk")


def untaken() -> QuerySet[FollowUp]:
    """Those that no physician has taken. That somebody is responsible, or has seen them, takes none of them; a nurse
    who takes one has it in hand but cannot read it.
    """
    return unread().filter(Q(taken_by__isnull=True) | ~Q(taken_by__roles__contains=[str(Role.PHYSICIAN)]))


def untaken_count() -> Coalesce:
    """Their number as an expression, to be counted beside another row."""
    rows = untaken().order_by().values("level").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(rows), Value(0), output_field=IntegerField())


def may_see(user: object) -> bool:
    """Everybody who sees charts; a scheduler and an administrator do not."""
    return isinstance(user, User) and user.has(*CLINICAL)
