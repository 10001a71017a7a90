"""Every open promise has been escalated as far as its ladder says by now: not less, not more, and people were asked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from followups.checker.params import At, ladders
from followups.checker.report import Complaint, Report
from followups.checker.rows import ask

LENGTH = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?")
CALMER = {"critical": ("critical", "abnormal", "normal"), "normal": ("normal",)}
#: A level that nobody knows climbs as an abnormal one.
OTHERWISE = ("abnormal", "normal")
CODES = (
    "ladder.late",
    "ladder.early",
    "ladder.repeat_stands",
    "ladder.wrong_time",
    "ladder.not_moved",
    "ladder.silent",
)


@dataclass(frozen=True)
class Climber:
    """One open promise, and how far it has climbed. ``said``: rungs of this generation by which somebody was asked."""

    id: int
    kind: str
    level: str
    start_at: datetime
    due_at: datetime
    generation: int
    rung: int
    repeat: int
    next_action_at: datetime
    snoozed_until: datetime | None
    opened_at: datetime
    escalated_role: str
    changed_at: datetime | None
    said: list[str] | None


@dataclass(frozen=True)
class Plan:
    """When each rung of a ladder comes, for one start and due time."""

    rows: tuple[Mapping[str, Any], ...]
    at: tuple[datetime, ...]

    @property
    def every(self) -> timedelta:
        return length(self.rows[-1]["repeat_every"])

    def due(self, moment: datetime) -> int:
        """How many rungs have come by then."""
        return sum(at <= moment for at in self.at)

    def repeats(self, moment: datetime) -> int:
        """How often the last one has come again by then."""
        return max(0, (moment - self.at[-1]) // self.every)

    def next_at(self, rung: int, repeat: int) -> datetime:
        return self.at[rung] if rung < len(self.at) else self.at[-1] + self.every * (repeat + 1)

    def moved_to(self, rung: int) -> str:
        """On whose list it stands besides, so many rungs having been taken."""
        moves = [str(row["to"]) for row in self.rows[:rung] if row["do"] == "move"]
        return moves[-1] if moves else ""

    def asks_staff(self, place: int) -> bool:
        row = self.rows[place]
        return row["do"] == "message" and not row.get("digest") and row["to"] not in ("patient", "involved")


def length(text: str) -> timedelta:
    """``PT15M``, ``PT2H``, ``P1D``."""
    found = LENGTH.fullmatch(text)
    assert found is not None, text
    days, hours, minutes = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)


def plan(kind: str, level: str, start_at: datetime, due_at: datetime) -> Plan | None:
    """The ladder of a kind at a level, or at the next calmer one that it has; None for a kind without a ladder."""
    table = ladders()["ladder"].get(kind)
    if table is None:
        return None
    name = next(name for name in CALMER.get(level, OTHERWISE) if name in table)
    rows = tuple(table[name])
    moments: list[datetime] = []
    for row in rows:
        own = (start_at if row["from"] == "start" else due_at) + length(row["after"])
        moments.append(max([own, *moments[-1:]]))
    return Plan(rows, tuple(moments))


def look(report: Report, at: At) -> None:
    """Each open promise against the file."""
    climbers = [Climber(*row) for row in ask(OPEN, at.params())]
    found: list[Complaint] = []
    for climber in climbers:
        its_plan = plan(climber.kind, climber.level, climber.start_at, climber.due_at)
        if its_plan is None:
            found.append(Complaint("ladder.none", "promise", climber.id, climber.kind))
            continue
        found += _wrong(climber, its_plan, at)
    for code in ("ladder.none", *CODES):
        report.asked(code, len(climbers), [complaint for complaint in found if complaint.code == code])
    report.figures["promises escalated"] = sum(bool(climber.escalated_role) for climber in climbers)


def _wrong(climber: Climber, its: Plan, at: At) -> Iterator[Complaint]:
    def complaint(code: str, words: str) -> Complaint:
        return Complaint(code, "promise", climber.id, f"{climber.kind} {climber.level}: {words}")

    expected = its.due(at.ripe)
    if climber.rung < expected and _awake(climber, at):
        yield complaint("ladder.late", f"{climber.rung} steps taken, {expected} were due by {at.ripe}")
    latest = its.due(at.now + at.late)
    if climber.rung > latest:
        yield complaint("ladder.early", f"{climber.rung} steps taken, {latest} are due")
    if climber.rung >= len(its.at) and climber.repeat < its.repeats(at.ripe) and _awake(climber, at):
        yield complaint("ladder.repeat_stands", f"repeated {climber.repeat} times, {its.repeats(at.ripe)} were due")
    if climber.next_action_at != its.next_at(climber.rung, climber.repeat):
        yield complaint("ladder.wrong_time", f"next {climber.next_action_at}")
    if climber.escalated_role != its.moved_to(climber.rung):
        yield complaint("ladder.not_moved", f"stands with {climber.escalated_role or 'nobody'} after {climber.rung}")
    asked = [place for place in range(min(climber.rung, len(its.rows))) if its.asks_staff(place)]
    if asked and not climber.said:
        yield complaint("ladder.silent", f"{climber.rung} steps taken, nobody was asked")


def _awake(climber: Climber, at: At) -> bool:
    """The engine has had the time of one look: since it was opened, put off, or begun anew by another fact."""
    if climber.opened_at > at.ripe or (climber.snoozed_until and climber.snoozed_until > at.ripe):
        return False
    return climber.generation == 1 or climber.changed_at is None or climber.changed_at <= at.ripe


OPEN = """
    SELECT f.id, f.kind, f.level, f.start_at, f.due_at, f.generation, f.rung, f.repeat, f.next_action_at,
        f.snoozed_until, f.opened_at, f.escalated_role,
        CASE WHEN f.generation > 1 THEN (
            SELECT max(e.at) FROM clinic_auditentry e
            WHERE e.patient_id = p.patient_id AND e.at > %(ripe)s AND e.action NOT LIKE '%%.read') END,
        (SELECT array_agg(DISTINCT split_part(m.key, ':', 3)) FROM followups_message m
         WHERE m.follow_up_id = f.id AND split_part(m.key, ':', 2) = f.generation::text)
    FROM followups_followup f LEFT JOIN procedures_procedure p ON p.id = f.procedure_id
    WHERE f.closed_at IS NULL
    ORDER BY f.id"""
