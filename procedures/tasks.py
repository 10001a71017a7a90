"""What Celery may say about facts: look now. Lost, doubled or late, the outcome is the same."""

from __future__ import annotations

from celery import shared_task

from procedures.interfaces.hl7 import waiting


@shared_task(ignore_result=True)
def read_inbound() -> None:
    """Read what laboratories have sent and nobody has read yet."""
    waiting.read_waiting()
