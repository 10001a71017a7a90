"""The one receiver of the one signal."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from followups import reconcile
from followups.domain.kinds import Kind, Subject
from followups.models import FollowUp
from procedures.events import facts_changed
from procedures.models import Procedure

#: ``facts_version`` of a case about which nothing but its request is known.
FIRST_FACT = 2


@receiver(facts_changed, dispatch_uid="followups.reconcile")
def reconcile_on_change(subject_kind: str, subject_id: int, strict: bool = False, **_: Any) -> None:
    """Plan at once, in the transaction that changed the fact. Only a strict change fails with its plan."""
    if subject_kind == Subject.SERIES:
        reconcile.or_promise_repair(subject_id, Subject.SERIES)
    elif strict:
        reconcile.procedure(subject_id)
    else:
        reconcile.or_promise_repair(subject_id)
    if subject_kind == Subject.PROCEDURE:
        _offered(subject_id)


def _offered(procedure_id: int) -> None:
    """A case that has just been asked for is the new appointment that its patient wanted after an earlier one.

    Only while nobody else can hold the new case: two cases of a patient are never locked in both orders.
    """
    new = Procedure.objects.filter(pk=procedure_id, facts_version__lte=FIRST_FACT)
    waiting = FollowUp.objects.filter(kind=Kind.BOOK_AGAIN, closed_at__isnull=True)
    waiting = waiting.filter(procedure__patient__procedures__in=new)
    for other in sorted(set(waiting.values_list("procedure_id", flat=True)) - {procedure_id}):
        reconcile.or_promise_repair(other)
