"""Everything the case page shows, loaded in a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.dateparse import parse_datetime

from followups import links, wording
from followups.domain import kinds, labels
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import Station
from followups.domain.picture import PromiseMark, Urgency
from followups.models import Action, FollowUp, PatientContact, Review, SymptomCheck
from followups.selectors import undelivered
from procedures.domain import versions as versions_rule
from procedures.domain.checklist import Summary
from procedures.domain.protocol import Protocol
from procedures.models import (
    Countersignature,
    Hold,
    LabTest,
    LaterDecision,
    Procedure,
    ProcedureRecord,
    ResultVersion,
    Specimen,
    Transfer,
)
from procedures.selectors import checklists


@dataclass(frozen=True)
class TestRow:
    """A test with its versions and who read them."""

    test: LabTest
    versions: tuple[ResultVersion, ...]
    current: ResultVersion | None
    review: Review | None


@dataclass(frozen=True)
class Case:
    """One case, read once. ``promises`` are open, the most urgent first."""

    procedure: Procedure
    protocol: Protocol
    now: datetime
    checklist: Summary
    record: ProcedureRecord | None
    draft: ProcedureRecord | None
    specimens: tuple[Specimen, ...]
    tests: tuple[TestRow, ...]
    holds: tuple[Hold, ...]
    actions: tuple[Action, ...]
    symptoms: tuple[SymptomCheck, ...]
    contacts: tuple[PatientContact, ...]
    promises: tuple[FollowUp, ...]
    undelivered: frozenset[int]  # of those: a reminder did not get through
    transfers: tuple[Transfer, ...] = ()  # the newest first
    countersignature: Countersignature | None = None  # of the emergency start that stands
    later_decisions: tuple[LaterDecision, ...] = ()

    def of(self, *wanted: Kind) -> list[FollowUp]:
        return [p for p in self.promises if p.kind in wanted]

    def at(self, *stations: Station) -> list[FollowUp]:
        """The promises that the picture shows at these stations."""
        return self.of(*(spec.kind for spec in kinds.specs() if spec.station in stations))


def load(procedure: Procedure, now: datetime) -> Case:
    """The case as it stands at ``now``; ``procedure`` comes from ``procedures.access``."""
    records = list(procedure.records.select_related("signed_by", "operator").order_by("-number"))
    promises = (
        FollowUp.objects.filter(procedure=procedure, closed_at__isnull=True)
        .select_related("responsible", "taken_by")
        .order_by("due_at", "pk")
    )
    return Case(
        procedure=procedure,
        protocol=procedure.protocol_version.parsed,
        now=now,
        checklist=checklists.summary([procedure], now)[procedure.pk],
        record=next((r for r in records if r.signed_at), None),
        draft=next((r for r in records if not r.signed_at), None),
        specimens=tuple(procedure.specimens.select_related("collected_by")),
        tests=_tests(procedure),
        holds=tuple(procedure.holds.select_related("decided_by", "restart_by")),
        actions=tuple(procedure.actions.select_related("responsible", "done_by")),
        symptoms=tuple(procedure.symptom_checks.select_related("by").prefetch_related("triages").order_by("-at")),
        contacts=tuple(procedure.contacts.select_related("by").order_by("-at", "-pk")),
        promises=tuple(sorted(promises, key=lambda p: (ORDER[urgency_of(p, now)], p.due_at, p.pk))),
        undelivered=undelivered.promises_of(procedure.pk),
        transfers=tuple(procedure.transfers.select_related("to_user", "offered_by", "answered_by").order_by("-pk")),
        countersignature=_countersignature(procedure),
        later_decisions=tuple(procedure.later_decisions.select_related("by")),
    )


def _countersignature(procedure: Procedure) -> Countersignature | None:
    if not procedure.emergency_start or procedure.started_at is None:
        return None
    return procedure.countersignatures.select_related("by").filter(start_at=procedure.started_at).first()


def _tests(procedure: Procedure) -> tuple[TestRow, ...]:
    reviews: dict[int, Review] = {
        r.version_id: r
        for r in Review.objects.filter(procedure=procedure, superseded_by__isnull=True)
        .select_related("reviewer")
        .order_by("pk")
    }
    rows = []
    for test in procedure.tests.select_related("specimen").prefetch_related("versions"):
        versions = tuple(sorted(test.versions.all(), key=lambda v: v.number))
        current = versions_rule.current(versions)
        rows.append(
            TestRow(test=test, versions=versions, current=current, review=reviews.get(current.pk) if current else None)
        )
    return tuple(rows)


ORDER = {Urgency.CRITICAL: 0, Urgency.OVERDUE: 1, Urgency.DUE: 2, Urgency.WAITING: 3}


def urgency_of(promise: FollowUp, now: datetime) -> Urgency:
    """What the promise is now: one word for every page."""
    usual = promise.about.get("usual_at")
    return labels.urgency(
        level=promise.level,
        start_at=promise.start_at,
        due_at=promise.due_at,
        now=now,
        usual_at=parse_datetime(usual) if usual else None,
    )


def mark(promise: FollowUp, case: Case) -> PromiseMark:
    """The promise as the picture and the lists show it."""
    return PromiseMark(
        label=wording.title(promise, case.protocol),
        owner=wording.owner(promise),
        due=promise.due_at,
        state=urgency_of(promise, case.now),
        url=links.url(promise, case.procedure.code),
    )
