"""The demonstration's clock: one stored offset for web, worker and beat."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest

from clinic import audit, clock
from clinic.actor import Actor
from clinic.errors import Invalid, NotPermitted
from clinic.models import DemoClock
from followups.domain.kinds import MessageState
from followups.models import FollowUp, Message

#: How many of the coming moments are looked at to find those of one tick.
AHEAD = 200


def require_demo() -> None:
    """Raise NotPermitted outside a demonstration: with real patients, time is not ours to move."""
    if not settings.DEMO:
        raise NotPermitted("The clock can only be moved in a demonstration.")


def set_to(moment: datetime) -> None:
    """From here on ``clock.now()`` goes on from ``moment``."""
    require_demo()
    DemoClock.objects.update_or_create(pk=1, defaults={"offset": moment - clock.real_now()})


@transaction.atomic
def reset(*, actor: Actor) -> None:
    """Back to the wall clock. What the demonstration did in its future stays as it is."""
    require_demo()
    DemoClock.objects.update_or_create(pk=1, defaults={"offset": timedelta(0)})
    audit.record(action="demo_clock.reset", actor=actor)


def check_forward(to: datetime) -> datetime:
    """The clinic's present time. Raises Invalid when ``to`` lies before it."""
    require_demo()
    now = clock.now()
    if to < now:
        raise Invalid("Time does not go back: reset the clock first.")
    return now


def next_moment(*, after: datetime, until: datetime) -> datetime | None:
    """When the engine next has something to do, later than ``after`` and not later than ``until``.

    What falls within one tick is done in one pass, as it would be without a demonstration.
    """
    promises = FollowUp.objects.filter(closed_at__isnull=True).annotate(
        at=Greatest("next_action_at", "snoozed_until")  # PostgreSQL's GREATEST passes over NULL
    )
    queued = Message.objects.filter(state=MessageState.QUEUED).annotate(at=F("not_before"))
    moments = sorted(
        moment
        for rows in (promises, queued)
        for moment in rows.filter(at__gt=after, at__lte=until).order_by("at").values_list("at", flat=True)[:AHEAD]
    )
    tick = timedelta(seconds=settings.ENGINE_TICK_SECONDS)
    return max((moment for moment in moments if moment <= moments[0] + tick), default=None)
