"""Publishing protocol files as immutable versions."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from django.db import transaction

from clinic import audit, clock
from clinic.actor import Actor
from procedures.domain import load, translations
from procedures.models import Protocol, ProtocolVersion
from procedures.models.protocols import known

PROTOCOL_DIR = Path(__file__).resolve().parent.parent / "protocols"
#: Files of the directory that are rule sets, not protocols.
RULE_SETS = frozenset({"medicines.toml", "thresholds.toml"})


def files(directory: Path = PROTOCOL_DIR) -> list[Path]:
    """The protocol files, by name."""
    return sorted(p for p in directory.glob("*.toml") if p.name not in RULE_SETS)


def read(path: Path) -> dict[str, Any]:
    """The file's content. Raises load.ProtocolError with the file's name when it is not TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise load.ProtocolError((f"{path.name}: {exc}",)) from exc


def read_translated(path: Path) -> dict[str, Any]:
    """The protocol file with its translations, ``<language>/<name>`` beside it. Each must be there."""
    data = read(path)
    found = {language: path.parent / language / path.name for language in translations.OTHERS}
    missing = tuple(
        f"{path.name}: {language}/{path.name} is missing: patients are written to in this language too"
        for language, place in found.items()
        if not place.exists()
    )
    if missing:
        raise load.ProtocolError(missing)
    return data | {"translations": {language: read(place) for language, place in found.items()}}


@transaction.atomic
def publish(*, data: dict[str, Any], name: str, actor: Actor) -> tuple[ProtocolVersion, bool]:
    """Publish ``data`` unless its digest is the newest already. Returns the version and whether it is new.

    Raises load.ProtocolError naming file, key and value for everything that is wrong with it.
    """
    digest = load.digest(data)
    parsed = known(digest) or load.parse(data, name=name)
    protocol, _ = Protocol.objects.get_or_create(code=parsed.code, defaults={"label": parsed.label})
    protocol = Protocol.objects.select_for_update(of=("self",), no_key=True).get(pk=protocol.pk)
    same = protocol.versions.filter(digest=digest).first()
    if same is not None:
        return same, False
    newest = protocol.versions.order_by("-number").first()
    version = ProtocolVersion.objects.create(
        protocol=protocol,
        number=newest.number + 1 if newest else 1,
        digest=digest,
        data=data,
        published_at=clock.now(),
    )
    if protocol.label != parsed.label:
        protocol.label = parsed.label
        protocol.save(update_fields=["label"])
    audit.record(
        action="protocol.published", actor=actor, subject=version, data={"number": version.number, "digest": digest}
    )
    return version, True


def newest(code: str) -> ProtocolVersion | None:
    """The version that a new case pins."""
    return (
        ProtocolVersion.objects.select_related("protocol")
        .defer("data")  # large, and parsed once per process
        .filter(protocol__code=code, protocol__is_active=True)
        .order_by("-number")
        .first()
    )
