"""What the safety rules say about a case now: its answers as a snapshot, judged by the newest published rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.utils import timezone

from clinic.one_statement import Parts
from clinic.ready_query import ReadyQuery
from procedures.domain import safety
from procedures.domain.case_snapshot import snapshot_of
from procedures.domain.checklist_round import Round
from procedures.domain.findings import Finding
from procedures.domain.protocol import Protocol
from procedures.domain.ruleset import RuleSet
from procedures.domain.snapshot import PatientFacts, ProcedureFacts, Snapshot
from procedures.models import Procedure, RuleSetVersion
from procedures.selectors import checklists

#: Until the day itself begins, what the rules are asked about is the planned needle.
PRE_VISIT = "pre_visit"
IN_FORCE = ReadyQuery(lambda: RuleSetVersion.objects.defer("data").order_by("-number")[:1])


def rule_set() -> RuleSetVersion | None:
    """The version in force: the newest. None where none was ever published."""
    return IN_FORCE.first()


def parts() -> Parts:
    """The same as a part of one statement; ``rules_in`` reads it."""
    return {"rule_set": RuleSetVersion.objects.defer("data").order_by("-number")[:1]}


def rules_in(rows: Mapping[str, Sequence[Any]]) -> RuleSet | None:
    """The rules in force that the ``parts`` have found."""
    return next((row.parsed for row in rows["rule_set"]), None)


def needle_at(procedure: Procedure, now: datetime) -> datetime:
    """The moment that is judged: the planned needle while it lies ahead, else the clock."""
    planned = procedure.stay.lower if procedure.stay else None
    return max(planned, now) if planned is not None else now


def snapshot(
    procedure: Procedure, rules: RuleSet, now: datetime, *, moment: str = PRE_VISIT, found: Round | None = None
) -> Snapshot:
    """The case as the rules see it. ``found``: its round of the checklist, where the caller has read it already."""
    if found is None:
        found = checklists.rounds([procedure]).get(procedure.pk)
    return snapshot_of_round(procedure, rules, now, found, moment=moment)


def snapshot_of_round(
    procedure: Procedure, rules: RuleSet, now: datetime, found: Round | None, *, moment: str = PRE_VISIT
) -> Snapshot:
    """The same where the round was read, None where the case has none. No query."""
    protocol = procedure.protocol_version.parsed
    midnight = timezone.localtime(procedure.arrived_at or now).replace(hour=0, minute=0, second=0, microsecond=0)
    return snapshot_of(
        found,
        protocol,
        rules,
        procedure=_planned(procedure, protocol),
        patient=PatientFacts(age=age(procedure.patient.birth_date, timezone.localdate(now))),
        moment=moment,
        day_began=midnight,
        zone=timezone.get_current_timezone(),
    )


def findings(
    procedure: Procedure, now: datetime, *, moment: str = PRE_VISIT, found: Round | None = None
) -> tuple[Finding, ...]:
    """Live findings, the hardest first; none where no rules were ever published. One query, and five for the round."""
    version = rule_set()
    return judged(procedure, version.parsed, now, moment=moment, found=found) if version is not None else ()


def judged(
    procedure: Procedure, rules: RuleSet, now: datetime, *, moment: str = PRE_VISIT, found: Round | None = None
) -> tuple[Finding, ...]:
    """The same by these rules: no query where the round was read."""
    at = needle_at(procedure, now) if moment == PRE_VISIT else now
    return safety.evaluate(snapshot(procedure, rules, now, moment=moment, found=found), rules, at)


def judged_round(
    procedure: Procedure, rules: RuleSet | None, now: datetime, found: Round | None, *, moment: str = PRE_VISIT
) -> tuple[Finding, ...]:
    """What these rules find where the round was read, None where the case has none. No query."""
    if rules is None:
        return ()
    at = needle_at(procedure, now) if moment == PRE_VISIT else now
    return safety.evaluate(snapshot_of_round(procedure, rules, now, found, moment=moment), rules, at)


def age(born: date, today: date) -> int:
    """Completed years."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _planned(procedure: Procedure, protocol: Protocol) -> ProcedureFacts:
    variant = protocol.variant(procedure.variant)
    return ProcedureFacts(
        bleeding_class=protocol.bleeding_class,
        min_age=protocol.min_age,
        location=procedure.location,
        fluoroscopy=True if variant.fluoroscopy else _may_be_x_rayed(procedure),
        expected_volume_ml=variant.expected_volume_ml,
        slot_at=procedure.stay.lower if procedure.stay else None,
    )


def _may_be_x_rayed(procedure: Procedure) -> bool | None:
    """Unknown in a room that has fluoroscopy, and where there is no room yet; elsewhere it cannot happen."""
    return False if procedure.room is not None and not procedure.room.has_fluoroscopy else None
