"""What lists say of checklists, kept in this process until it is true no more.

A board or a queue asks again and again about the same cases, and most have not changed since. Every fact of a case
raises its ``facts_version``, so what was read for one version stays what it was; only time can change what is said of
it, and of that the limits are known: the next answer to expire, and midnight. Not to be asked inside a transaction
that writes: what it has not committed must not be remembered.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from clinic.memory import Memory
from procedures.domain.checklist import Summary
from procedures.domain.checklist_round import Round
from procedures.domain.ruleset import RuleSet
from procedures.models import Procedure
from procedures.selectors import checklists, kit, safety

#: How many cases are remembered: more than are before their needle in a clinic at once.
CASES = 4096
#: Once the planned moment has passed the rules are asked about the clock; lists ask them anew so often.
FRESH = timedelta(minutes=5)


@dataclass(frozen=True)
class _Said:
    """Of a checklist, and when it is true: after ``since`` and not after ``until``."""

    summary: Summary
    since: datetime | None
    until: datetime | None

    def holds(self, now: datetime) -> bool:
        return (self.since is None or self.since < now) and (self.until is None or now <= self.until)


@dataclass(frozen=True)
class _Read:
    """A case's round; None before anybody has begun."""

    round: Round | None


_READ: Memory[_Read] = Memory(CASES)
_SAID: Memory[_Said] = Memory(CASES)
_KIT: Memory[tuple[str, ...]] = Memory(CASES)


def forget() -> None:
    """Everything: for tests that write rows without their facts."""
    for memory in (_READ, _SAID, _KIT):
        memory.clear()


def rounds(procedures: Sequence[Procedure]) -> dict[int, Round]:
    """As ``checklists.rounds``; no query for what has not changed."""
    # taken out once: what is kept for one case may put another one's out
    read = {p.pk: _READ.get(_version(p)) for p in procedures}
    if new := [p for p in procedures if read[p.pk] is None]:
        found = checklists.rounds(new)
        for p in new:
            read[p.pk] = _READ.keep(_version(p), _Read(found.get(p.pk)))
    return {pk: kept.round for pk, kept in read.items() if kept is not None and kept.round is not None}


def summary(procedures: Sequence[Procedure], now: datetime) -> dict[int, Summary]:
    """As ``checklists.summary``, for cases that came with their ``protocol_version``."""
    kept = {p.pk: _SAID.get(_judged(p, now)) for p in procedures}
    said = {pk: row.summary for pk, row in kept.items() if row is not None and row.holds(now)}
    if new := [p for p in procedures if p.pk not in said]:
        found = rounds(new)
        fresh = checklists.summary(new, now, found=found)
        for p in new:
            _SAID.keep(_judged(p, now), _Said(fresh[p.pk], *_limits(found.get(p.pk), now)))
        said |= fresh
    return said


def packed(procedures: Sequence[Procedure], now: datetime, rules: RuleSet | None) -> dict[int, tuple[str, ...]]:
    """As ``kit.of``: what room and kit must be, in words."""
    if rules is None:
        return {}
    words = {p.pk: _KIT.get(_planned(p, rules, now)) for p in procedures}
    if new := [p for p in procedures if words[p.pk] is None]:
        fresh = kit.of(new, now, rules=rules, found=rounds(new))
        for p in new:
            words[p.pk] = _KIT.keep(_planned(p, rules, now), fresh[p.pk])
    return {pk: found or () for pk, found in words.items()}


def _version(p: Procedure) -> Hashable:
    return p.pk, p.facts_version


def _judged(p: Procedure, now: datetime) -> Hashable:
    """What a summary depends on beside the moment: the day of the needle is part of it."""
    return p.pk, p.facts_version, p.status, p.protocol_version_id, p.arrived_at, p.started_at, timezone.localdate(now)


def _limits(found: Round | None, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Between which of the moments at which an answer expires the summary was made."""
    expiries = [a.valid_until for a in found.answers.values() if a.valid_until is not None] if found else []
    before, after = [at for at in expiries if at < now], [at for at in expiries if at >= now]
    return max(before, default=None), min(after, default=None)


def _planned(p: Procedure, rules: RuleSet, now: datetime) -> Hashable:
    at = safety.needle_at(p, now)
    asked = at if at > now else int(now.timestamp() // FRESH.total_seconds())
    room = p.room is not None and p.room.has_fluoroscopy
    born = p.patient.birth_date
    return p.pk, p.facts_version, p.status, rules.digest, p.room_id, room, born, asked, timezone.localdate(now)
