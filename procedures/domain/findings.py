"""What the safety rules say about a case: findings, with everything a person needs to judge them. Pure.

Texts are message ids with parameters: ``Text.render`` takes the edge's gettext and its way of writing a moment. Texts
of a rule file are message ids without parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from procedures.domain.items import Source


class Severity(StrEnum):
    INFO = "info"
    CAUTION = "caution"
    STOP = "stop"

    @property
    def rank(self) -> int:
        return _RANKS[self]


_RANKS = {Severity.INFO: 0, Severity.CAUTION: 1, Severity.STOP: 2}


@dataclass(frozen=True)
class Text:
    """A message id and its parameters. A moment stays a moment until it is shown."""

    message: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def render(self, translate: Callable[[str], str] = str, moment: Callable[[datetime], str] | None = None) -> str:
        """In words. ``translate``: gettext; ``moment``: how a moment is written (``Thu 26 Nov 14:30`` if not given)."""
        show = moment or _plain_moment
        words = translate(self.message)
        if not self.params:
            return words
        return words % {key: show(v) if isinstance(v, datetime) else v for key, v in self.params.items()}

    def as_data(self) -> dict[str, Any]:
        """For a JSON column; :meth:`from_data` reads it."""
        kept = {k: {"moment": v.isoformat()} if isinstance(v, datetime) else v for k, v in self.params.items()}
        return {"message": self.message, "params": kept}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Text:
        params = {
            k: datetime.fromisoformat(v["moment"]) if isinstance(v, Mapping) else v for k, v in data["params"].items()
        }
        return cls(data["message"], params)


def _plain_moment(moment: datetime) -> str:
    return f"{moment:%a} {moment.day} {moment:%b %H:%M}"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """``key`` names what it is about, the same in every run; ``code`` names what is found about it.

    ``evidence``: what it saw. ``earliest_safe_at``: from when on time alone would allow it, if that is known.
    ``hold_from``: the last dose must be before. ``blocks``: of a stop, ``start`` or ``fluoroscopy``, else empty.
    ``beside``: the questions next to which it is shown. ``flags``: what room, kit and booking must know.
    ``choices``: the codes of local choices that it rests on. ``unknown``: only because nobody knows, so that a page can
    gather these.
    """

    key: str
    code: str
    severity: Severity
    title: Text
    evidence: tuple[Text, ...] = ()
    why: Text
    todo: Text
    source: Source
    earliest_safe_at: datetime | None = None
    hold_from: datetime | None = None
    blocks: str = ""
    beside: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    unknown: bool = False

    @property
    def year(self) -> int | None:
        return self.source.year

    @property
    def approved_by(self) -> str:
        """Empty until a clinician has signed the rule."""
        return self.source.approved_by

    def as_data(self) -> dict[str, Any]:
        """For a JSON column."""
        return {
            "key": self.key,
            "code": self.code,
            "severity": str(self.severity),
            "title": self.title.as_data(),
            "evidence": [text.as_data() for text in self.evidence],
            "why": self.why.as_data(),
            "todo": self.todo.as_data(),
            "source": {"source": self.source.source, "year": self.year, "approved_by": self.approved_by},
            "earliest_safe_at": _iso(self.earliest_safe_at),
            "hold_from": _iso(self.hold_from),
            "blocks": self.blocks,
            "beside": list(self.beside),
            "flags": list(self.flags),
            "choices": list(self.choices),
            "unknown": self.unknown,
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Finding:
        return cls(
            key=data["key"],
            code=data["code"],
            severity=Severity(data["severity"]),
            title=Text.from_data(data["title"]),
            evidence=tuple(Text.from_data(text) for text in data["evidence"]),
            why=Text.from_data(data["why"]),
            todo=Text.from_data(data["todo"]),
            source=Source(**data["source"]),
            earliest_safe_at=_moment(data["earliest_safe_at"]),
            hold_from=_moment(data["hold_from"]),
            blocks=data["blocks"],
            beside=tuple(data["beside"]),
            flags=tuple(data["flags"]),
            choices=tuple(data["choices"]),
            unknown=data["unknown"],
        )


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def highest(found: Iterable[Finding]) -> Severity | None:
    """The hardest severity; None when nothing was found."""
    return max((f.severity for f in found), key=lambda severity: severity.rank, default=None)


def stops(found: Iterable[Finding], blocks: str = "start") -> tuple[Finding, ...]:
    """What nobody may pass silently."""
    return tuple(f for f in found if f.severity is Severity.STOP and f.blocks == blocks)


def flags(found: Iterable[Finding]) -> tuple[str, ...]:
    """What room, kit and booking must know, each once, in order."""
    return tuple(dict.fromkeys(flag for f in found for flag in f.flags))


def in_order(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """The hardest first; among equals as they came."""
    return tuple(sorted(found, key=lambda f: -f.severity.rank))


@dataclass(frozen=True, kw_only=True)
class Change:
    """One difference between two runs: ``kind`` is new, gone, harder, softer or other (same weight, other words)."""

    kind: str
    before: Finding | None
    after: Finding | None


def changes(before: Sequence[Finding], after: Sequence[Finding]) -> tuple[Change, ...]:
    """What is different, the hardest first. The same findings in another order are no difference."""
    old, new = {f.key: f for f in before}, {f.key: f for f in after}
    found = [Change(kind="new", before=None, after=f) for key, f in new.items() if key not in old]
    found += [Change(kind="gone", before=f, after=None) for key, f in old.items() if key not in new]
    for key in old.keys() & new.keys():
        kind = _difference(old[key], new[key])
        if kind:
            found.append(Change(kind=kind, before=old[key], after=new[key]))
    return tuple(sorted(found, key=_weight))


def _difference(old: Finding, new: Finding) -> str:
    if old.severity is not new.severity:
        return "harder" if new.severity.rank > old.severity.rank else "softer"
    same = (old.code, old.earliest_safe_at, old.source, old.flags) == (
        new.code, new.earliest_safe_at, new.source, new.flags,
    )  # fmt: skip
    return "" if same else "other"


def _weight(change: Change) -> tuple[int, str]:
    one = change.after or change.before
    assert one is not None
    return -one.severity.rank, one.key
