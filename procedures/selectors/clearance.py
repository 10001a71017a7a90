"""Where a case stands before the safety rules: what they find now, what was stored, what has been decided."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from clinic.one_statement import Parts, Rows
from clinic.ready_query import ReadyQuery
from procedures.domain import clearance, safety
from procedures.domain.checklist_round import Round
from procedures.domain.clearance import LOOKED_AGAIN, Decided, Decision, Standing, Stood
from procedures.domain.findings import Change, Finding, changes
from procedures.domain.snapshot import Snapshot
from procedures.domain.states import ProcedureStatus
from procedures.models import ClearanceDecision, Procedure, RuleSetVersion, SafetyRun
from procedures.selectors import checklists
from procedures.selectors import safety as live

#: The needle is still to come: the rules are run, and somebody can decide.
BEFORE = frozenset({ProcedureStatus.REQUESTED, ProcedureStatus.SCHEDULED, ProcedureStatus.ARRIVED})
#: What the rules are asked as, the latest first.
DAY = ("time_out", "sign_in")

# asked at every change of a fact: written once
RUNS = ReadyQuery(lambda case: SafetyRun.objects.filter(procedure=case).select_related("seen").order_by("-pk"))
#: The runs without what they found, the newest first, and what the newest found.
RUN_HEADS: ReadyQuery[Any] = ReadyQuery(
    lambda case: (
        SafetyRun.objects.filter(procedure=case)
        .order_by("-pk")
        .values_list("pk", "moment", "changed", "ran_at", "seen", named=True)
    )
)
NEWEST_FINDINGS = ReadyQuery(
    lambda case: SafetyRun.objects.filter(procedure=case).order_by("-pk").values_list("findings", flat=True)[:1]
)
NEWEST = ReadyQuery(lambda case: SafetyRun.objects.filter(procedure=case).order_by("-pk")[:1])
DECISIONS = ReadyQuery(
    lambda case: ClearanceDecision.objects.filter(procedure=case).select_related("signature").order_by("pk")
)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What one rule set says about a case at one moment."""

    version: RuleSetVersion
    at: datetime
    snapshot_digest: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True)
class Clearance:
    """A case before the rules in force. ``digest`` names what is shown: a decision about something older is refused."""

    version: RuleSetVersion
    at: datetime
    moment: str
    stood: tuple[Stood, ...]
    digest: str
    run: SafetyRun | None  # the newest that was stored

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(s.finding for s in self.stood)

    @property
    def uncleared(self) -> tuple[Stood, ...]:
        return clearance.uncleared(self.stood)

    def at_standing(self, *wanted: Standing) -> tuple[Stood, ...]:
        return tuple(s for s in self.stood if s.standing in wanted)


def of(procedure: Procedure, now: datetime, *, moment: str = "") -> Clearance | None:
    """What stands in the way now; None where no rules were ever published."""
    version = live.rule_set()
    if version is None:
        return None
    found = checklists.rounds([procedure]).get(procedure.pk)
    return _stands(procedure, now, version, found, decided(procedure), runs(procedure), moment)


def of_rows(procedure: Procedure, rows: Rows, now: datetime) -> Clearance | None:
    """The same from what ``parts`` and the part ``runs`` have found. No query."""
    if not rows["rule_set"]:
        return None
    found = checklists.round_in(rows)
    return _stands(procedure, now, rows["rule_set"][0], found, decided_in(rows["decisions"]), rows["runs"])


def _stands(
    procedure: Procedure,
    now: datetime,
    version: RuleSetVersion,
    found: Round | None,
    decisions: list[Decided],
    stored: list[SafetyRun],
    moment: str = "",
) -> Clearance:
    asked = moment or moment_now(procedure, found, now)
    judged = _judged(
        procedure, now, version, asked, live.snapshot_of_round(procedure, version.parsed, now, found, moment=asked)
    )
    return Clearance(
        version=version,
        at=judged.at,
        moment=asked,
        stood=clearance.stand(
            judged.findings,
            decisions,
            fluoroscopic=is_fluoroscopic(procedure),
            looked_again=looked_again(stored),
        ),
        digest=clearance.digest(judged.findings),
        run=stored[0] if stored else None,
    )


def judge(
    procedure: Procedure,
    now: datetime,
    *,
    version: RuleSetVersion,
    moment: str = live.PRE_VISIT,
    found: Round | None = None,
) -> Judged:
    """The planned needle until sign-in, the clock from then on."""
    return _judged(
        procedure, now, version, moment, live.snapshot(procedure, version.parsed, now, moment=moment, found=found)
    )


def _judged(procedure: Procedure, now: datetime, version: RuleSetVersion, moment: str, shot: Snapshot) -> Judged:
    at = live.needle_at(procedure, now) if moment == live.PRE_VISIT else now
    return Judged(
        version=version,
        at=at,
        snapshot_digest=hashlib.sha256(repr(shot).encode()).hexdigest(),
        findings=safety.evaluate(shot, version.parsed, at),
    )


def moment_now(procedure: Procedure, found: Round | None, now: datetime) -> str:
    """What has been signed today says from which moment on everything must be known."""
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    for stage in DAY:
        signature = found.last_signature(stage) if found else None
        if signature is not None and signature.signed_at >= midnight:
            return stage
    return live.PRE_VISIT


def is_fluoroscopic(procedure: Procedure) -> bool:
    return procedure.protocol_version.parsed.variant(procedure.variant).fluoroscopy


def decided(procedure: Procedure) -> list[Decided]:
    """Every decision about the case, in order. One query."""
    return decided_in(DECISIONS.rows(procedure.pk))


def decided_in(rows: Iterable[ClearanceDecision]) -> list[Decided]:
    """The same from the rows. No query."""
    return [
        Decided(
            id=row.pk,
            decision=Decision(row.decision),
            run=row.run_id,
            at=row.at,
            by_id=row.by_id,
            covers=row.covers,
            signed=hasattr(row, "signature"),
            emergency=row.emergency,
        )
        for row in rows
    ]


def parts(case: Any) -> Parts:
    """What the rules ask of a case before the needle, and what was decided, as parts of one statement."""
    return {**checklists.parts(case), **live.parts(), "decisions": DECISIONS.queryset(case)}


def runs(procedure: Procedure) -> list[SafetyRun]:
    """All stored runs, the newest first, with who has looked at each."""
    return RUNS.rows(procedure.pk)


def looked_again(stored: Iterable[Any]) -> int:
    """The newest run that asks anew about what was put off."""
    return max((run.pk for run in stored if run.moment in LOOKED_AGAIN), default=0)


def newest(procedure: Procedure) -> SafetyRun | None:
    return NEWEST.first(procedure.pk)


def differences(stored: Iterable[SafetyRun]) -> tuple[SafetyRun | None, tuple[Change, ...]]:
    """The newest run that differs from the one before it, with what is different. ``stored``: all runs of a case, the
    newest first.
    """
    rows = list(stored)
    place = next((place for place, run in enumerate(rows) if run.changed), None)
    if place is None:
        return None, ()
    before = rows[place + 1] if place + 1 < len(rows) else None
    return rows[place], changes(before.found, rows[place].found) if before else ()


def history(procedure: Any) -> QuerySet[ClearanceDecision]:
    """Decisions about the case, the newest first."""
    rows = ClearanceDecision.objects.filter(procedure=procedure).select_related("by", "signature__by", "run")
    return rows.order_by("-pk")


def overrides(since: datetime) -> QuerySet[ClearanceDecision]:
    """*Proceed* over a stop, in an emergency too, the newest first: for the director."""
    rows = ClearanceDecision.objects.filter(decision=str(Decision.PROCEED), over_stop=True, at__gte=since)
    return rows.select_related("procedure__patient", "by", "signature__by", "run").order_by("-at", "-pk")


def passed_in_emergency(procedure: Procedure) -> tuple[Finding, ...]:
    """The stops over which one person started: whoever countersigns the emergency is shown them."""
    row = (
        ClearanceDecision.objects.filter(procedure=procedure, emergency=True)
        .select_related("run")
        .order_by("-pk")
        .first()
    )
    return tuple(f for f in row.run.found if f.key in row.covers) if row else ()
