"""Once a day: recompute what reconcile derived, check the invariant on every case, and seal the audit trail.

A case is not closed ⇔ it has an open promise with an owner or a role. Whatever is found is repaired by planning the
case again, and reported all the same: it should not have happened.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from clinic import audit, audit_seal, clock
from clinic.actor import Actor
from clinic.models import Heartbeat, PeriodicRun
from followups.domain.kinds import Subject
from followups.models import FollowUp
from procedures.domain.states import TERMINAL
from procedures.models import Procedure

logger = logging.getLogger(__name__)

NAME = "nightly"
#: Below the task's time limit; what is left is said, and checked the night after.
BUDGET = timedelta(seconds=200)

Replan = Callable[[int], object]
Fingerprint = tuple[object, ...]


@dataclass(kw_only=True)
class NightlyReport:
    """``violations``: by what was wrong. ``open_faults``: still wrong after planning again."""

    checked: int = 0
    replanned: int = 0
    violations: dict[str, int] = field(default_factory=dict)
    open_faults: int = 0
    set_aside: int = 0
    left_over: int = 0


def claim(now: datetime) -> PeriodicRun | None:
    """The day's run, for the first that asks: two beats, one run. The day is the clinic's."""
    slot = now.astimezone(ZoneInfo(settings.CLINIC_ZONE)).date().isoformat()
    try:
        with transaction.atomic():
            return PeriodicRun.objects.create(name=NAME, slot=slot, started_at=clock.real_now())
    except IntegrityError:
        return None


def run(*, now: datetime, replan: Replan) -> NightlyReport | None:
    """The day's check, or None when it has been done. ``replan`` plans one case again and may raise."""
    run_row = claim(now)
    if run_row is None:
        return None
    try:
        audit_seal.seal_and_verify()
        report = check(replan=replan)
    except Exception:
        run_row.delete()  # the next hour tries again
        raise
    Heartbeat.objects.update_or_create(name=NAME, defaults={"at": clock.real_now(), "data": asdict(report)})
    return report


def check(*, replan: Replan) -> NightlyReport:
    """Find, plan again, look again, report."""
    report = NightlyReport(checked=Procedure.objects.count())
    found = violations()
    for pk, what in _drifted(replan, report, found).items():
        found[pk].append(what)
    still = violations()
    for pk in sorted(found):
        _report(pk, found[pk], repaired=pk not in still)
        for what in found[pk]:
            report.violations[what] = report.violations.get(what, 0) + 1
    report.open_faults = len(still)
    return report


def violations() -> dict[int, list[str]]:
    """What is wrong with which case, by the stored rows alone."""
    promised = Exists(_promises_of(OuterRef("pk")))
    terminal = Q(status__in=[str(s) for s in TERMINAL])
    wrong: dict[str, QuerySet[Procedure]] = {
        "closed_with_promise": Procedure.objects.filter(promised, closed_at__isnull=False),
        "closed_before_its_end": Procedure.objects.filter(~terminal, closed_at__isnull=False),
        "open_without_promise": Procedure.objects.filter(~promised, closed_at__isnull=True),
        "plan_behind_facts": Procedure.objects.exclude(planned_version=F("facts_version")),
    }
    found: dict[int, list[str]] = defaultdict(list)
    for what, rows in wrong.items():
        for pk in rows.values_list("pk", flat=True):
            found[pk].append(what)
    return found


def _promises_of(pk: int | OuterRef) -> QuerySet[FollowUp]:
    """Open promises about a case itself; that of its series may stand at a closed one."""
    return FollowUp.objects.filter(subject_kind=Subject.PROCEDURE, subject_id=pk, closed_at__isnull=True)


def _drifted(replan: Replan, report: NightlyReport, found: dict[int, list[str]]) -> dict[int, str]:
    """Plan every case that is not closed, and every one that is wrong: a plan without new facts changes nothing."""
    until = clock.real_now() + BUDGET
    pks = sorted({*Procedure.objects.filter(closed_at__isnull=True).values_list("pk", flat=True), *found})
    drifted: dict[int, str] = {}
    for index, pk in enumerate(pks):
        if clock.real_now() >= until:
            report.left_over = len(pks) - index
            logger.error("nightly check: no time for %s cases", report.left_over)
            break
        before = _fingerprint(pk)
        try:
            replan(pk)
        except Exception:
            logger.exception("procedure %s: cannot be planned", pk)
            report.set_aside += 1
            continue
        report.replanned += 1
        after = _fingerprint(pk)
        # somebody may have changed its facts in between: then another plan is right
        if before[0] == after[0] and before != after and pk not in found:
            drifted[pk] = "plan_drifted"
    return drifted


def _fingerprint(pk: int) -> Fingerprint:
    """Facts version first; then what reconcile derives from the facts."""
    derived = Procedure.objects.filter(pk=pk).values_list("facts_version", "planned_version", "closed_at").get()
    columns = ("key", "kind", "level", "start_at", "due_at", "role", "responsible_id")
    promises = _promises_of(pk).order_by("key")
    return (*derived, tuple(promises.values_list(*columns)))


def _report(pk: int, what: list[str], *, repaired: bool) -> None:
    procedure = Procedure.objects.get(pk=pk)
    logger.error("procedure %s: %s%s", pk, ", ".join(what), "" if repaired else " (not repaired)")
    audit.record(
        action="invariant.violated",
        actor=Actor.system(NAME),
        subject=procedure,
        patient_id=procedure.patient_id,
        data={"what": what, "repaired": repaired},
    )
