"""What Celery may say: look now. Lost, doubled or late, the outcome is the same."""

from __future__ import annotations

from celery import shared_task

from clinic import celery, clock
from clinic.nudge import nudge
from followups import engine, reconcile
from followups.services import nightly as nightly_check


@shared_task(ignore_result=True)
def tick() -> None:
    """One pass of the engine; each channel is told to send in its own queue."""
    engine.run_pass(clock.now(), hand_over=tell_to_send)


def tell_to_send(channel: str) -> None:
    """Ask whoever listens to the channel's queue to look."""
    nudge(celery.DELIVER, channel)


@shared_task(ignore_result=True)
def deliver(channel: str) -> None:
    """Send what is due on one channel."""
    engine.send_on(channel, clock.now())


@shared_task(ignore_result=True)
def nightly() -> None:
    """The daily check, once a day however often it is asked."""
    nightly_check.run(now=clock.now(), replan=reconcile.procedure)
