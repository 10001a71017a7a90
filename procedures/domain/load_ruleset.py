"""``medicines.toml`` and ``thresholds.toml`` into one :class:`RuleSet`, strictly. Pure: takes mappings, never a path.

A stored version is ``{"medicines": {…}, "thresholds": {…}}``; its digest does not depend on the order of keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from procedures.domain import reading
from procedures.domain.load import digest
from procedures.domain.problems import NO_VALUE, Problems, ProtocolError
from procedures.domain.rule_medicines import Medicines
from procedures.domain.rule_thresholds import Thresholds
from procedures.domain.ruleset import RuleSet
from procedures.domain.validate_ruleset import validate_medicines, validate_thresholds

__all__ = ["FILES", "ProtocolError", "digest", "parse", "to_dict"]

#: The files of a rule set, in the order of reading.
FILES = ("medicines", "thresholds")


def parse(data: Mapping[str, Any]) -> RuleSet:
    """The rule set in ``data``, one key for each file. Raises ProtocolError naming file, key and value."""
    problems = {name: Problems(f"{name}.toml") for name in FILES}
    read: dict[str, Any] = {}
    for name, kind in (("medicines", Medicines), ("thresholds", Thresholds)):
        content = data.get(name)
        if not isinstance(content, Mapping):
            problems[name].add_unusable(name, NO_VALUE, "is missing")
            content = {}
        read[name] = reading.read(kind, content, problems[name])
    rules = RuleSet(medicines=read["medicines"], thresholds=read["thresholds"])
    validate_medicines(rules, problems["medicines"])
    validate_thresholds(rules, problems["thresholds"])
    lines = tuple(line for name in FILES for line in problems[name].lines)
    if lines:
        raise ProtocolError(lines)
    return replace(rules, digest=digest({name: data[name] for name in FILES}))


def to_dict(rules: RuleSet) -> dict[str, Any]:
    """Plain data that :func:`parse` turns into an equal rule set."""
    return {"medicines": reading.to_dict(rules.medicines), "thresholds": reading.to_dict(rules.thresholds)}
