"""One row, read and locked: what every step of a case begins with."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

from django.db.models import Model

from clinic.ready_query import ReadyQuery

Row = TypeVar("Row", bound=Model)


def lock(model: type[Row], pk: int, *related: str, without: tuple[str, ...] = ()) -> Row:
    """The row, fresh, with what ``related`` names; itself alone is locked, and not its key: ``FOR NO KEY UPDATE``.

    ``without``: columns that are read only if somebody asks. To be called in a transaction. Raises ``DoesNotExist``.
    """
    found: Row = _query(model, related, without).get(pk)
    return found


@cache  # as many as there are ways to lock a row in the source
def _query(model: type[Model], related: tuple[str, ...], without: tuple[str, ...]) -> ReadyQuery[Any]:
    def write(pk: int) -> Any:
        rows = model._default_manager.select_for_update(of=("self",), no_key=True)
        return (rows.select_related(*related) if related else rows).defer(*without).filter(pk=pk)

    return ReadyQuery(write)
