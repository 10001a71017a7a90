"""The only caller of ``timezone.now``.

``now()`` is the clinic's time: with ``DEMO=1`` it carries one stored offset, so that two weeks
replay in seconds for web, worker and beat alike. ``real_now()`` is the wall clock, for sessions
and leases, which must not jump with the demonstration.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone


def real_now() -> datetime:
    """Wall clock, UTC."""
    return timezone.now()


def offset() -> timedelta:
    """The demonstration's offset; zero outside a demonstration."""
    if not settings.DEMO:
        return timedelta(0)
    from clinic.models import DemoClock

    row = DemoClock.objects.filter(pk=1).first()
    return row.offset if row else timedelta(0)


def now() -> datetime:
    """The clinic's time, UTC."""
    return real_now() + offset()
