"""Promises and messages written straight to the database, as reconcile and the engine would."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from clinic import clock
from clinic.models import User
from clinic.roles import Role
from followups.domain.kinds import Kind
from followups.models import FollowUp, Message
from followups.services import ladders
from procedures.models import Procedure
from tests import make

_serial = count(1)


def case(**extra: Any) -> Procedure:
    """A case whose plan is up to date, so that the engine's sweep leaves it and its promises alone."""
    return make.procedure(planned_version=1, **extra)


def promise(kind: Kind | str = Kind.SIGN_RECORD, *, due: datetime | None = None, **extra: Any) -> FollowUp:
    """An open promise whose first step comes when its ladder says."""
    due_at = due or clock.now()
    start_at = extra.pop("start_at", due_at - timedelta(days=1))
    level = extra.pop("level", "normal")
    procedure = extra.pop("procedure", None) or case()
    ladder = ladders.ladder(Kind(kind), level)
    first = ladder.action_at(rung=0, repeat=0, start_at=start_at, due_at=due_at)
    fields: dict[str, Any] = {
        "subject_kind": "procedure",
        "subject_id": procedure.pk,
        "key": f"{kind}:{next(_serial)}",
        "procedure": procedure,
        "responsible": procedure.responsible,
        "role": str(Role.PHYSICIAN),
        "next_action_at": first,
        "opened_at": start_at,
        **extra,
    }
    return FollowUp.objects.create(kind=str(kind), level=level, start_at=start_at, due_at=due_at, **fields)


def message(follow_up: FollowUp | None = None, *, to: User | None = None, **extra: Any) -> Message:
    """A queued e-mail about a promise."""
    follow_up = follow_up or promise()
    recipient = to or follow_up.responsible
    assert recipient is not None
    now = clock.now()
    fields: dict[str, Any] = {
        "key": f"{follow_up.pk}:{follow_up.generation}:0:0:{recipient.pk}:email",
        "follow_up": follow_up,
        "kind": follow_up.kind,
        "channel": "email",
        "recipient": recipient,
        "not_before": now,
        "created_at": now,
        **extra,
    }
    return Message.objects.create(**fields)
