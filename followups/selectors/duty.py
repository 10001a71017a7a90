"""Who is there at a moment."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from clinic import places
from clinic.models import Absence, OnCall, User
from clinic.roles import Role
from followups.domain.roster import Roster


def roster(now: datetime) -> Roster:
    """Everybody active; at ``now`` who is on call, away and covered, and whether the clinic is open. Five queries."""
    on_call: dict[Role, list[int]] = defaultdict(list)
    for row in OnCall.objects.filter(starts_at__lte=now, ends_at__gt=now).order_by("starts_at", "pk"):
        on_call[Role(row.role)].append(row.user_id)
    absences = list(Absence.objects.filter(starts_at__lte=now, ends_at__gt=now).order_by("pk"))
    return Roster(
        roles={
            pk: frozenset(Role(r) for r in roles)
            for pk, roles in User.objects.filter(is_active=True).values_list("pk", "roles")
        },
        on_call={role: tuple(people) for role, people in on_call.items()},
        covers={row.user_id: row.surrogate_id for row in absences if row.accepted_at and row.surrogate_id},
        away=frozenset(row.user_id for row in absences),
        open_now=places.opening().is_open(now),
    )
