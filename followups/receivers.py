"""The one receiver of the one signal."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from followups import reconcile
from followups.domain.kinds import Subject
from procedures.events import facts_changed


@receiver(facts_changed, dispatch_uid="followups.reconcile")
def reconcile_on_change(subject_kind: str, subject_id: int, strict: bool = False, **_: Any) -> None:
    """Plan at once, in the transaction that changed the fact. Only a strict change fails with its plan."""
    if subject_kind in (Subject.SERIES, Subject.MESSAGE):
        reconcile.or_promise_repair(subject_id, Subject(subject_kind))
    elif strict:
        reconcile.procedure(subject_id)
    else:
        reconcile.or_promise_repair(subject_id)
