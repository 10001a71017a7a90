"""The only caller of ``timezone.now``.

``now()`` is the clinic's time: with ``DEMO=1`` it carries one stored offset, so that two weeks
replay in seconds for web, worker and beat alike. ``real_now()`` is the wall clock, for sessions
and leases, which must not jump with the demonstration. A simulation holds both (``held``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

_source: Callable[[], datetime] | None = None


@contextmanager
def held(source: Callable[[], datetime]) -> Iterator[None]:
    """In this block both clocks of this process say what ``source`` says: a year passes as fast as it is simulated.

    Leases run on it as well, so the lease of a worker that was killed ends without waiting. Only with ``DEMO=1``,
    which excludes ``PRODUCTION=1``: with real patients, time is not ours to hold. A child that is forked in the block
    has it too.
    """
    global _source
    if not settings.DEMO:
        raise RuntimeError("The clock can only be held with DEMO=1.")
    before, _source = _source, source
    try:
        yield
    finally:
        _source = before


def real_now() -> datetime:
    """Wall clock, UTC."""
    return timezone.now() if _source is None else _source()


def offset() -> timedelta:
    """The demonstration's offset; zero outside a demonstration."""
    if not settings.DEMO:
        return timedelta(0)
    from clinic.models import DemoClock

    row = DemoClock.objects.filter(pk=1).first()
    return row.offset if row else timedelta(0)


def now() -> datetime:
    """The clinic's time, UTC."""
    return real_now() + offset() if _source is None else _source()
