"""What an author of a protocol can get wrong, said at the start and in words."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, register

from procedures.domain import load
from procedures.services import protocols


@register()
def protocols_are_whole(**_: Any) -> list[CheckMessage]:
    """Every protocol file can be read, with every text in every language that patients are written to in."""
    found: list[CheckMessage] = []
    for path in protocols.files():
        try:
            load.parse(protocols.read_translated(path), name=path.name)
        except load.ProtocolError as error:
            found += [Error(line, id="procedures.E001") for line in error.problems]
    return found
