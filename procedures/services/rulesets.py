"""Publishing the safety rules as immutable versions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import connection, transaction

from clinic import audit, clock
from clinic.actor import Actor
from procedures.domain import load_ruleset
from procedures.models import RuleSetVersion
from procedures.services import protocols

#: Publishing is rare: one at a time, by an advisory lock of this number.
LOCK = 4_711_001


def read(directory: Path = protocols.PROTOCOL_DIR) -> dict[str, Any]:
    """The two files' content. Raises ProtocolError with the file's name when one is missing or no TOML."""
    return {name: protocols.read(directory / f"{name}.toml") for name in load_ruleset.FILES}


@transaction.atomic
def publish(*, data: dict[str, Any], actor: Actor) -> tuple[RuleSetVersion, bool]:
    """Publish ``data`` unless a version has its digest already. Returns the version and whether it is new.

    Raises ProtocolError naming file, key and value for everything that is wrong with it.
    """
    digest = load_ruleset.parse(data).digest
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    same = RuleSetVersion.objects.filter(digest=digest).first()
    if same is not None:
        return same, False
    newest = RuleSetVersion.objects.order_by("-number").first()
    version = RuleSetVersion.objects.create(
        number=newest.number + 1 if newest else 1, digest=digest, data=data, published_at=clock.now()
    )
    audit.record(
        action="ruleset.published", actor=actor, subject=version, data={"number": version.number, "digest": digest}
    )
    return version, True
