"""Read a protocol file's data into :class:`Protocol`, strictly. Pure: takes a mapping, never a path.

The mapping is what TOML (or the JSON of a published version) gives. Keys carry the names of the dataclass fields;
an unknown key is an error, and so is a value of the wrong type. All problems are collected and raised together as
:class:`ProtocolError`.

Two things keep the files readable:

* ``source`` is an inline table, ``{source = "…", year = 2021, approved_by = ""}``. Where an item names none, the
  nearest item around it that has one lends its own (a critical rule takes its test's); where there is none either,
  the section's entry in the top-level table ``default_source`` is taken (``default_source.tests = {source = …}``).
* ``choices_from = "sites"`` copies the protocol's ``locations``, ``sites``, ``positions`` or ``guidance``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from procedures.domain import reading
from procedures.domain.problems import Problems, ProtocolError
from procedures.domain.protocol import Protocol
from procedures.domain.validate import validate

__all__ = ["ProtocolError", "digest", "from_dict", "parse", "to_dict"]

CHOICE_LISTS = ("locations", "sites", "positions", "guidance")


def parse(data: Mapping[str, Any], *, name: str) -> Protocol:
    """The protocol in ``data``; ``name`` is the file's name in messages. Raises ProtocolError with every problem."""
    problems = Problems(name)
    protocol: Protocol = reading.read(Protocol, _with_choices(data, problems), problems)
    validate(protocol, problems)
    problems.refuse_if_any()
    return protocol


def from_dict(data: Mapping[str, Any]) -> Protocol:
    """The inverse of :func:`to_dict`."""
    return parse(data, name="protocol")


def to_dict(protocol: Protocol) -> dict[str, Any]:
    """Plain data that :func:`parse` turns into an equal protocol: every source and choice written out."""
    return reading.to_dict(protocol)


def digest(data: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of the data as canonical JSON: the same content gives the same digest, whatever its order."""
    canonical = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _with_choices(data: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    """Copy the protocol's own lists where an item says ``choices_from``."""
    result = dict(data)
    for section in ("questions", "record_fields"):
        items = data.get(section)
        if isinstance(items, list):
            result[section] = [
                _copied_choices(item, data, f"{section}[{index}]", problems) for index, item in enumerate(items)
            ]
    return result


def _copied_choices(item: Any, data: Mapping[str, Any], path: str, problems: Problems) -> Any:
    wanted = item.get("choices_from") if isinstance(item, Mapping) else None
    if not wanted:
        return item
    if wanted not in CHOICE_LISTS:
        problems.add(f"{path}.choices_from", wanted, f"must be one of {', '.join(CHOICE_LISTS)}")
        return item
    return {**item, "choices": data.get(wanted, [])}
