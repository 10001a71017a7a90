"""What the findings of the safety rules ask of a person before the needle, and what has been decided. Pure.

A stop that blocks the start, and a caution, each need a decision. Only *proceed* clears: over a stop it counts with the
signature of a second person. *Hold until* and *correct first* take a finding off the list until the case is looked at
again (the day before, on arrival, at sign-in); then whoever is still stopped is asked about anew.

A decision is about what was seen: another dose, another value, a later safe time or a harder weight asks again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from procedures.domain.findings import Finding, Severity


class Moment(StrEnum):
    """When the rules were run, and stored."""

    SIGNING = "signing"
    BOOKING = "booking"
    DAY_BEFORE = "day_before"
    ARRIVAL = "arrival"
    SIGN_IN = "sign_in"
    TIME_OUT = "time_out"
    START = "start"
    STOP_APPEARED = "stop_appeared"
    RULE_CHANGE = "rule_change"


#: Looked at again: what was only put off is asked about anew.
LOOKED_AGAIN = frozenset({Moment.DAY_BEFORE, Moment.ARRIVAL, Moment.SIGN_IN, Moment.TIME_OUT, Moment.START})
#: Somebody is promised to look at what these find otherwise.
PROMISED = frozenset({Moment.DAY_BEFORE, Moment.RULE_CHANGE})
#: A plan that only sign-in can prove: nobody decides on it before.
PROVED_AT_SIGN_IN = frozenset({"medicine_to_confirm"})
FLUOROSCOPY = "fluoroscopy"


class Decision(StrEnum):
    PROCEED = "proceed"
    HOLD_UNTIL = "hold_until"
    CORRECT_FIRST = "correct_first"
    CANCEL_UNSAFE = "cancel_unsafe"


class Standing(StrEnum):
    """Where one finding stands."""

    OPEN = "open"  # nobody has decided
    TO_SIGN = "to_sign"  # proceed over a stop: the second signature is owed
    PUT_OFF = "put_off"  # hold until, or correct first
    CLEARED = "cleared"
    NOTHING = "nothing"  # asks for no decision


@dataclass(frozen=True, kw_only=True)
class Decided:
    """One decision, as the gate and the planner read it. ``run``: the number of the run that was seen."""

    id: int
    decision: Decision
    run: int
    at: datetime
    by_id: int
    covers: Mapping[str, str]  # key of the finding: what was seen of it
    signed: bool = False
    emergency: bool = False


@dataclass(frozen=True, kw_only=True)
class Stood:
    """A finding, and where it stands."""

    finding: Finding
    standing: Standing
    decided: Decided | None = None


def seen(finding: Finding) -> str:
    """What a decision about this finding is about. The time until the needle, and who heard it last, are not in it."""
    evidence = [
        [text.message, {k: str(v) for k, v in sorted(text.params.items()) if not isinstance(v, datetime)}]
        for text in finding.evidence
        if "who" not in text.params
    ]
    earliest = finding.earliest_safe_at.isoformat() if finding.earliest_safe_at else ""
    return _digest([finding.code, str(finding.severity), earliest, evidence])


def digest(found: Iterable[Finding]) -> str:
    """The findings that a page has shown; a decision names it, and is refused when they are others by then."""
    return _digest(sorted([f.key, seen(f)] for f in found))


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=True).encode()).hexdigest()[:16]


def asks(finding: Finding, *, fluoroscopic: bool) -> bool:
    """Whether somebody must decide. A stop for X-rays alone concerns only a procedure that needs them."""
    if finding.severity is Severity.STOP:
        return finding.blocks != FLUOROSCOPY or fluoroscopic
    return finding.severity is Severity.CAUTION and finding.code not in PROVED_AT_SIGN_IN


def stand(
    found: Iterable[Finding],
    decisions: Sequence[Decided],
    *,
    fluoroscopic: bool,
    looked_again: int = 0,
) -> tuple[Stood, ...]:
    """Each finding with where it stands. ``looked_again``: the newest run that asks anew about what was put off."""
    return tuple(_stand(finding, decisions, fluoroscopic, looked_again) for finding in found)


def _stand(finding: Finding, decisions: Sequence[Decided], fluoroscopic: bool, looked_again: int) -> Stood:
    if not asks(finding, fluoroscopic=fluoroscopic):
        return Stood(finding=finding, standing=Standing.NOTHING)
    about = [d for d in decisions if d.covers.get(finding.key) == seen(finding)]
    newest = max(about, key=lambda d: (d.at, d.id), default=None)
    if newest is None:
        return Stood(finding=finding, standing=Standing.OPEN)
    if newest.decision is Decision.PROCEED:
        second = finding.severity is Severity.STOP and not newest.signed
        return Stood(finding=finding, standing=Standing.TO_SIGN if second else Standing.CLEARED, decided=newest)
    standing = Standing.PUT_OFF if newest.run >= looked_again else Standing.OPEN
    return Stood(finding=finding, standing=standing, decided=newest)


def uncleared(stood: Iterable[Stood]) -> tuple[Stood, ...]:
    """What the start waits for."""
    return tuple(s for s in stood if s.standing not in (Standing.CLEARED, Standing.NOTHING))
