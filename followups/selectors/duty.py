"""Who is there at a moment."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from clinic.models import Absence, OnCall, User
from clinic.roles import Role
from followups.domain.roster import Roster


def roster(now: datetime) -> Roster:
    """Everybody active, who is on call, and the accepted covers that hold at ``now``. Three queries."""
    on_call: dict[Role, list[int]] = defaultdict(list)
    for row in OnCall.objects.filter(starts_at__lte=now, ends_at__gt=now).order_by("starts_at", "pk"):
        on_call[Role(row.role)].append(row.user_id)
    away = Absence.objects.filter(starts_at__lte=now, ends_at__gt=now, accepted_at__isnull=False)
    return Roster(
        roles={
            pk: frozenset(Role(r) for r in roles)
            for pk, roles in User.objects.filter(is_active=True).values_list("pk", "roles")
        },
        on_call={role: tuple(people) for role, people in on_call.items()},
        covers=dict(away.order_by("pk").values_list("user_id", "surrogate_id")),
    )
