"""The one signal: facts of a subject have changed. Nothing here knows who listens.

Sent with ``.send()`` inside the transaction that changed the fact: at once, or at the end of ``together``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Model
from django.dispatch import Signal

from clinic.ready_query import ReadyQuery

#: Arguments: ``subject_kind`` ("procedure", "series", "message"), ``subject_id``, ``strict`` (True: a failing plan
#: rolls it back).
facts_changed = Signal()

#: What waits for the end of the block: the subject's kind, model and key, and whether any of its changes was strict.
_Waiting = dict[tuple[str, Any, int], bool]
_waiting: ContextVar[_Waiting | None] = ContextVar("facts_waiting", default=None)


@contextmanager
def together() -> Iterator[None]:
    """Several facts that belong together: whoever plans is told once of each subject, at the end of the block.

    The block is one transaction, and the telling is its last step: seen from outside, facts and plan appear at the
    same moment, as ever. ``with events.together():`` or ``@events.together()``; it takes the place of
    ``transaction.atomic()``. What it keeps:

    * A block inside a block joins it: the outermost one tells.
    * A block that raises tells nobody and undoes what was written in it. Where an outer block goes on after that, it
      tells of its own changes alone.
    * ``strict`` stays strict: one strict change of a subject is enough. When its plan fails the exception leaves the
      outermost block, and everything in it is undone.
    * A plan that fails otherwise leaves the facts as they are, and the promise that somebody must look at the case.

    Until the block ends promises, ``planned_version`` and ``closed_at`` are those of before: do not read them in it,
    and let no engine pass run in it. Cases are told of first and series after them, each in the order of their keys;
    their rows have been locked by the changes.
    """
    outer = _waiting.get()
    mine: _Waiting = {}
    token = _waiting.set(mine)
    with transaction.atomic():
        try:
            yield
        finally:
            _waiting.reset(token)
        if outer is None:
            _tell_all(mine)
    if outer is not None:
        for subject, strict in mine.items():
            outer[subject] = outer.get(subject, False) or strict


def changed(procedure: Any, *, strict: bool = False) -> None:
    """Bump the procedure's ``facts_version`` and tell whoever plans. Call last in the transaction.

    ``strict`` is for signing, clearance and start alone: those roll back when no plan can be made. A result, a
    specimen event, a contact or a complication is never lost for a failing planner.
    """
    _changed(procedure, "procedure", strict)
    if procedure.series_id is not None:
        series_changed(procedure.series)


def series_changed(series: Any) -> None:
    """What a series owes depends on its cases as well: planned anew after each of them."""
    _changed(series, "series", strict=False)


def message_changed(message: Any) -> None:
    """What waits of a laboratory's message, or that it cannot be read, is promised to a person."""
    _bump(message)
    facts_changed.send(sender=type(message), subject_kind="message", subject_id=message.pk, strict=False)


def patient_changed(patient: Any) -> None:
    """A patient-level change (contact, encounter class, deceased) concerns every unclosed procedure."""
    with together():
        for procedure in patient.procedures.filter(closed_at__isnull=True).order_by("pk"):
            changed(procedure)


def _changed(subject: Any, kind: str, strict: bool) -> None:
    model = type(subject)
    _bump(subject)
    waiting = _waiting.get()
    if waiting is None:
        _tell(kind, model, subject.pk, strict)
    else:
        waiting[kind, model, subject.pk] = waiting.get((kind, model, subject.pk), False) or strict


def _bump(subject: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_bumping(subject.__class__), [subject.pk])


@cache
def _bumping(model: type[Model]) -> str:
    table = connection.ops.quote_name(model._meta.db_table)
    return f"UPDATE {table} SET facts_version = facts_version + 1 WHERE id = %s"


@cache
def _behind(model: type[Model]) -> ReadyQuery[int]:
    """Those of these that nobody has planned since their newest change."""

    def write(*pks: int) -> Any:
        rows = model._default_manager.filter(pk__in=pks).exclude(planned_version=F("facts_version"))
        return rows.order_by().values_list("pk", flat=True)

    return ReadyQuery(write)


def _tell(kind: str, model: Any, pk: int, strict: bool) -> None:
    facts_changed.send(sender=model, subject_kind=kind, subject_id=pk, strict=strict)


def _tell_all(waiting: _Waiting) -> None:
    """Of every subject whose change still stands: a savepoint in the block may have taken one back."""
    for kind, model in sorted({(kind, model) for kind, model, _pk in waiting}, key=lambda one: one[0]):
        mine = {pk: strict for (_kind, _model, pk), strict in waiting.items() if _model is model}
        for pk in sorted(_behind(model).of_all(mine)):
            _tell(kind, model, pk, mine[pk])
