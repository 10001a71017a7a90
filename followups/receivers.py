"""The one receiver of the one signal."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import transaction
from django.dispatch import receiver

from clinic.errors import place_of
from followups import reconcile
from followups.domain.kinds import Kind, Subject
from followups.models import FollowUp
from followups.services import outreach
from procedures.domain.states import ProcedureStatus
from procedures.events import facts_changed
from procedures.models import Procedure

logger = logging.getLogger(__name__)
T = TypeVar("T")


@receiver(facts_changed, dispatch_uid="followups.reconcile")
def reconcile_on_change(subject_kind: str, subject_id: int, strict: bool = False, **_: Any) -> None:
    """Plan at once, in the transaction that changed the fact. Only a strict change fails with its plan."""
    case = _beside(subject_id, lambda: outreach.heed(subject_id)) if subject_kind == Subject.PROCEDURE else None
    if subject_kind == Subject.TEXT:
        reconcile.text_or_later(subject_id)
    elif subject_kind in (Subject.SERIES, Subject.MESSAGE):
        reconcile.or_promise_repair(subject_id, Subject(subject_kind))
    elif strict:
        reconcile.procedure(subject_id, case)
    else:
        reconcile.or_promise_repair(subject_id, row=case)
    if case is not None and case.status == ProcedureStatus.REQUESTED:
        _beside(subject_id, lambda: _offered(case))


def _beside(pk: int, work: Callable[[], T]) -> T | None:
    """What follows from a fact beside its plan, in a savepoint: a fault of it never undoes the fact.

    What then still waits to leave is looked at once more by its sender (``outreach.why_not``).
    """
    try:
        with transaction.atomic():
            return work()
    except Exception as error:  # whatever went wrong, the fact must survive
        logger.error("case %s: not heeded error=%s at=%s", pk, type(error).__name__, place_of(error))
        return None


def _offered(case: Procedure) -> None:
    """A case that is asked for is the new appointment that its patient wanted after an earlier one.

    An earlier case that somebody else is writing to is left alone (two cases of a patient are locked in no order): its
    promise then ends with its next fact.
    """
    waiting = FollowUp.objects.filter(kind=Kind.BOOK_AGAIN, closed_at__isnull=True)
    others = waiting.filter(procedure__patient_id=case.patient_id).values("procedure_id")
    free = Procedure.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
    for other in list(free.filter(pk__in=others).exclude(pk=case.pk).order_by("pk").values_list("pk", flat=True)):
        reconcile.or_promise_repair(other)
