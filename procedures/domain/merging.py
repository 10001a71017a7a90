"""A piece of a result and what is there already make the next version. Pure.

Laboratories send a panel in pieces: the count now, the differential an hour later. A later piece never erases what an
earlier one said, so each version carries over the values that it does not speak of. Decided here:

* Words (an organism, a titre) belong to the finding they were said with: they are carried over only while that finding
  stands.
* The whole is final when each of its values is, or when the laboratory says so of the order; until then it is
  preliminary. A piece that is only preliminary joins a final result without making it less final, and is named.
* A final value that a later final report changes is a correction, whatever the laboratory calls it.
* What is older or weaker than what stands adds what is missing and changes nothing; if it adds nothing it is kept as a
  version that does not count.
* What repeats the current version is none, but for a later preliminary: that it is unchanged is news.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from procedures.domain.lab_content import Test
from procedures.domain.states import ResultStatus
from procedures.domain.versions import RANK

CHANGED_LATER = "A later final report gives another value."
S = ResultStatus
Values = Mapping[str, Mapping[str, Any]]


class Stands(Protocol):
    """What this needs of the version that counts now."""

    @property
    def status(self) -> str: ...
    @property
    def values(self) -> dict[str, Any]: ...
    @property
    def text(self) -> str: ...
    @property
    def reported_at(self) -> datetime: ...
    @property
    def laboratory_said(self) -> dict[str, Any]: ...


@dataclass(frozen=True, kw_only=True)
class Piece:
    """What one message says of one test.

    ``complete``: the laboratory says of the whole order that it is final. ``confirmed``: values that it calls final
    without sending them again. ``said``: flags and ranges by value, and notes.
    """

    status: ResultStatus
    values: dict[str, dict[str, Any]]
    text: str
    reported_at: datetime
    said: dict[str, Any] = field(default_factory=dict)
    complete: bool = False
    confirmed: frozenset[str] = frozenset()
    change_reason: str = ""


def merged(test: Test, current: Stands | None, piece: Piece) -> Piece | None:
    """The version to store; None when the piece says nothing that is not there."""
    if current is None:
        return _first(piece) if piece.values or piece.text else None
    if _is_behind(current, piece):
        return _behind(current, piece)
    changed = _changed(current, piece)
    if _repeats(current, piece, changed):
        return None
    return _ahead(test, current, piece, changed)


def _first(piece: Piece) -> Piece:
    return replace(piece, said=_said({}, piece.said, {}, dict.fromkeys(piece.values, str(piece.status))))


def _is_behind(current: Stands, piece: Piece) -> bool:
    """Weaker than what stands, or as strong and older. A final report after a correction is not weaker when later."""
    stands, comes = S(current.status), piece.status
    if stands is S.CORRECTED and comes is S.FINAL:
        return piece.reported_at <= current.reported_at
    return RANK[comes] < RANK[stands] or (comes is stands and piece.reported_at < current.reported_at)


def _behind(current: Stands, piece: Piece) -> Piece:
    new = {code: value for code, value in piece.values.items() if code not in current.values}
    if not new:
        return _first(piece)
    standing = {**dict.fromkeys(new, str(piece.status)), **_standing(current)}
    return replace(
        piece,
        status=S(current.status),
        values={**new, **current.values},
        text=current.text or piece.text,
        reported_at=current.reported_at,
        said=_said(piece.said, current.laboratory_said, {}, standing),
        change_reason="",
    )


def _changed(current: Stands, piece: Piece) -> set[str]:
    """Values that are there already and come otherwise."""
    return {code for code, value in piece.values.items() if code in current.values and current.values[code] != value}


def _repeats(current: Stands, piece: Piece, changed: set[str]) -> bool:
    if changed or set(piece.values) - set(current.values) or (piece.text and piece.text != current.text):
        return False
    if piece.status is S.PRELIMINARY:
        return piece.reported_at <= current.reported_at
    if piece.status is S.FINAL and current.status == S.PRELIMINARY:
        return False
    # a correction that changes no value may still add a reason, and is read again
    return piece.status is S.FINAL or current.status == S.CORRECTED


def _ahead(test: Test, current: Stands, piece: Piece, changed: set[str]) -> Piece:
    kinds = {component.code: component.kind for component in test.components}
    finding_stands = not any(kinds.get(code) != "text" for code in changed)
    carried = {
        code: value
        for code, value in current.values.items()
        if code not in piece.values and (finding_stands or kinds.get(code) != "text")
    }
    standing = {code: said for code, said in _standing(current).items() if code in carried}
    standing |= dict.fromkeys([*piece.values, *(piece.confirmed & set(carried))], str(piece.status))
    if piece.complete:
        standing = {code: str(S.FINAL) if said == S.PRELIMINARY else said for code, said in standing.items()}
    status, why = _status(current, piece, changed, standing)
    return replace(
        piece,
        status=status,
        values={**carried, **piece.values},
        text=piece.text or (current.text if carried or not piece.values else ""),
        said=_said(current.laboratory_said, piece.said, changed, standing),
        change_reason=piece.change_reason or why,
    )


def _status(current: Stands, piece: Piece, changed: set[str], standing: Mapping[str, str]) -> tuple[ResultStatus, str]:
    stands = S(current.status)
    if piece.status is not S.FINAL:
        return piece.status, ""
    if stands is S.PRELIMINARY:
        open_ones = any(said == S.PRELIMINARY for said in standing.values())
        return (S.PRELIMINARY if open_ones else S.FINAL), ""
    if changed or (piece.text and current.text and piece.text != current.text):
        return S.CORRECTED, CHANGED_LATER
    return stands, ""


def _standing(current: Stands) -> dict[str, str]:
    kept: Mapping[str, str] = current.laboratory_said.get("standing", {})
    return {code: kept.get(code, current.status) for code in current.values}


def _said(
    before: Mapping[str, Any], after: Mapping[str, Any], dropped: Any, standing: Mapping[str, str]
) -> dict[str, Any]:
    """Flags and ranges by value, the newer ones first; every note once; how far each value is."""
    found: dict[str, Any] = {}
    for name in ("flags", "ranges"):
        kept = {code: said for code, said in before.get(name, {}).items() if code not in dropped and code in standing}
        if both := {**kept, **after.get(name, {})}:
            found[name] = both
    if notes := list(dict.fromkeys([*before.get("notes", ()), *after.get("notes", ())])):
        found["notes"] = notes
    if standing:
        found["standing"] = dict(standing)
    return found
