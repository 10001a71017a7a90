"""The published safety rules, and what the newest changes for cases whose needle is still to come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from procedures.domain.clearance import Moment
from procedures.domain.findings import Change, changes
from procedures.models import Procedure, RuleSetVersion, SafetyRun
from procedures.selectors import checklists, clearance


@dataclass(frozen=True, kw_only=True)
class ChangedCase:
    """A case that the newest rules judge otherwise. ``waits``: its newest stored run is still by older ones."""

    procedure: Procedure
    changes: tuple[Change, ...]
    waits: bool


def versions() -> list[RuleSetVersion]:
    """All, the newest first."""
    return list(RuleSetVersion.objects.defer("data").order_by("-number"))


def judged_by_others(version: RuleSetVersion) -> list[tuple[Procedure, RuleSetVersion]]:
    """Cases before the needle whose newest run was by other rules than ``version``, with those."""
    rows = (
        SafetyRun.objects.filter(procedure__status__in=[str(s) for s in clearance.BEFORE])
        .order_by("procedure_id", "-pk")
        .distinct("procedure_id")
        .select_related("procedure__patient", "procedure__protocol_version__protocol", "procedure__room", "rule_set")
        .defer("findings")
    )
    return [(row.procedure, row.rule_set) for row in rows if row.rule_set_id != version.pk]


def difference(procedure: Procedure, now: datetime, *, old: RuleSetVersion, new: RuleSetVersion) -> tuple[Change, ...]:
    """What ``new`` says otherwise than ``old`` about the same answers at the same moment."""
    found = checklists.rounds([procedure]).get(procedure.pk)
    moment = clearance.moment_now(procedure, found, now)
    before, after = (
        clearance.judge(procedure, now, version=version, moment=moment, found=found).findings for version in (old, new)
    )
    return changes(before, after)


def changed_cases(version: RuleSetVersion, now: datetime) -> list[ChangedCase]:
    """Those that wait to be judged by ``version`` and differ, then those that it has judged otherwise."""
    found = [
        ChangedCase(procedure=procedure, changes=different, waits=True)
        for procedure, old in judged_by_others(version)
        if (different := difference(procedure, now, old=old, new=version))
    ]
    runs = (
        SafetyRun.objects.filter(
            rule_set=version,
            moment=str(Moment.RULE_CHANGE),
            procedure__status__in=[str(s) for s in clearance.BEFORE],
        )
        .select_related("procedure__patient", "procedure__protocol_version__protocol")
        .order_by("pk")
    )
    for run in runs:
        before = SafetyRun.objects.filter(procedure=run.procedure_id, pk__lt=run.pk).order_by("-pk").first()
        different = changes(before.found if before else (), run.found)
        found.append(ChangedCase(procedure=run.procedure, changes=different, waits=False))
    return found
