"""A file left the product: who took what, and whom it was about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from clinic import audit
from clinic.access import require
from clinic.actor import Actor
from clinic.roles import Role


@transaction.atomic
def record(*, actor: Actor, what: str, rows: int, asked: dict[str, Any], patients: Iterable[int] = ()) -> None:
    """One audit row for the file, and one read of everybody in it, as for a list on a page."""
    require(actor, Role.DIRECTOR)
    ids = sorted(set(patients))
    audit.record(action="export", actor=actor, data={"what": what, "rows": rows, "patients": len(ids), **asked})
    if ids:
        audit.record_read(actor=actor, page=f"{what} (file)", patient_ids=ids)
