"""What Celery may say: look now. Lost, doubled or late, the outcome is the same."""

from __future__ import annotations

from celery import shared_task

from clinic import clock
from followups import engine, reconcile
from followups.services import nightly as nightly_check


@shared_task(ignore_result=True)
def tick() -> None:
    """One pass of the engine."""
    engine.run_pass(clock.now())


@shared_task(ignore_result=True)
def nightly() -> None:
    """The daily check, once a day however often it is asked."""
    nightly_check.run(now=clock.now(), replan=reconcile.procedure)
