"""Everything the case page shows, loaded in one statement."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any

from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime

from clinic.models import User
from clinic.models.users import names_alone
from clinic.one_statement import OneStatement, Parts, Rows, keep_prefetched
from followups import links, wording
from followups.domain import kinds, labels
from followups.domain.kinds import Kind
from followups.domain.kinds.spec import Station
from followups.domain.picture import PromiseMark, Urgency
from followups.models import Action, FollowUp, PatientContact, Review, SymptomCheck, SymptomTriage
from followups.selectors import sent, undelivered
from followups.selectors.sent import Sent
from followups.services.reviews import open_normal
from procedures.domain import versions as versions_rule
from procedures.domain.checklist import Summary
from procedures.domain.checklist_round import Round
from procedures.domain.findings import Finding
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
from procedures.selectors import banner, checklists, clearance, safety


@dataclass(frozen=True)
class TestRow:
    """A test with its versions and who read them."""

    test: LabTest
    versions: tuple[ResultVersion, ...]
    current: ResultVersion | None
    review: Review | None
    open_normal: bool = False  # a normal final that nobody has read: one screen signs them together


@dataclass(frozen=True)
class Case:
    """One case, read once. ``promises`` are open, the most urgent first."""

    procedure: Procedure
    protocol: Protocol
    now: datetime
    checklist: Summary
    promises: tuple[FollowUp, ...]
    undelivered: frozenset[int]  # of those: a reminder did not get through
    round: Round | None = None
    findings: tuple[Finding, ...] = ()  # of the safety rules, until the needle is in
    rows: Rows = field(default_factory=dict)  # everything that was read: the banner takes its part
    # the chart: never read for the booking side alone
    record: ProcedureRecord | None = None
    draft: ProcedureRecord | None = None
    specimens: tuple[Specimen, ...] = ()
    tests: tuple[TestRow, ...] = ()
    holds: tuple[Hold, ...] = ()
    actions: tuple[Action, ...] = ()
    symptoms: tuple[SymptomCheck, ...] = ()
    contacts: tuple[PatientContact, ...] = ()
    transfers: tuple[Transfer, ...] = ()  # the newest first
    countersignature: Countersignature | None = None  # of the emergency start that stands
    later_decisions: tuple[LaterDecision, ...] = ()
    sent: tuple[Sent, ...] = ()  # to the patient, the newest first

    def of(self, *wanted: Kind) -> list[FollowUp]:
        return [p for p in self.promises if p.kind in wanted]

    def at(self, *stations: Station) -> list[FollowUp]:
        """The promises that the picture shows at these stations."""
        return self.of(*(spec.kind for spec in kinds.specs() if spec.station in stations))


def load(procedure: Procedure, now: datetime, *, chart: bool = True) -> Case:
    """The case as it stands at ``now``, in one query; ``procedure`` comes from ``procedures.access``.

    ``chart=False``: the booking side alone. What it may not show is not read.
    """
    rows = _statement(tuple(banner.codes_of(procedure)), chart).rows(case=procedure.pk, patient=procedure.patient_id)
    for person in rows["requested_by"]:
        procedure.requested_by = person
    found = checklists.round_in(rows)
    summary = checklists.summary([procedure], now, found={} if found is None else {procedure.pk: found})
    before = procedure.state in banner.BEFORE_THE_NEEDLE
    case = Case(
        procedure=procedure,
        protocol=procedure.protocol_version.parsed,
        now=now,
        checklist=summary[procedure.pk],
        promises=tuple(sorted(rows["promises"], key=lambda p: (ORDER[urgency_of(p, now)], p.due_at, p.pk))),
        undelivered=undelivered.promises_in(rows["stopped"]),
        round=found,
        findings=safety.judged_round(procedure, safety.rules_in(rows), now, found) if before else (),
        rows=rows,
    )
    return _with_chart(case, rows) if chart else case


def _with_chart(case: Case, rows: Rows) -> Case:
    begun_at = case.procedure.started_at if case.procedure.emergency_start else None
    triages: dict[int, list[SymptomTriage]] = {}
    for triage in rows["triages"]:
        triages.setdefault(triage.check_row_id, []).append(triage)
    for check in rows["symptoms"]:
        keep_prefetched(check, "triages", triages.get(check.pk, []))
    return replace(
        case,
        record=next((r for r in rows["records"] if r.signed_at), None),
        draft=next((r for r in rows["records"] if not r.signed_at), None),
        specimens=tuple(rows["specimens"]),
        tests=_tests(rows),
        holds=tuple(rows["holds"]),
        actions=tuple(rows["actions"]),
        symptoms=tuple(rows["symptoms"]),
        contacts=tuple(rows["contacts"]),
        transfers=tuple(rows["transfers"]),
        countersignature=next((c for c in rows["countersignatures"] if begun_at and c.start_at == begun_at), None),
        later_decisions=tuple(rows["later_decisions"]),
        sent=tuple(sent.said(message) for message in rows["sent"]),
    )


@cache  # for the questions that a protocol names
def _statement(codes: tuple[str, ...], chart: bool) -> OneStatement:
    def write(case: Any, patient: Any) -> Parts:
        found = {**_booking(case), **checklists.parts(case), **safety.parts()}
        if not chart:
            return found
        return {**found, **_care(case), **_laboratory(case), **banner.parts(patient, codes), **clearance.parts(case)}

    return OneStatement(write)


def banner_of(case: Case) -> dict[str, Any]:
    """The patient's banner, from what the case has read. No query."""
    decided = clearance.decided_in(case.rows["decisions"])
    return banner.of_rows(case.procedure, case.rows, case.findings, decided)


def _with_names(rows: QuerySet[Any, Any], *paths: str) -> QuerySet[Any, Any]:
    """With the people that these fields lead to; of them only what their name is made of."""
    return rows.select_related(*paths).defer(*names_alone(*paths))


def _booking(case: Any) -> Parts:
    promises = FollowUp.objects.filter(procedure=case, closed_at__isnull=True)
    asked_by = Procedure.objects.filter(pk=case).values("requested_by")[:1]
    return {
        "promises": _with_names(promises, "responsible", "taken_by").order_by("due_at", "pk"),
        "stopped": undelivered.part(case),
        "requested_by": User.objects.filter(pk=asked_by).only("full_name", "credentials"),
    }


def _care(case: Any) -> Parts:
    records = ProcedureRecord.objects.filter(procedure=case).order_by("-number")
    checks = SymptomCheck.objects.filter(procedure=case).order_by("-at", "-pk")
    contacts = PatientContact.objects.filter(procedure=case).order_by("-at", "-pk")
    transfers = Transfer.objects.filter(procedure=case).order_by("-pk")
    return {
        "records": _with_names(records, "signed_by", "operator"),
        "holds": _with_names(Hold.objects.filter(procedure=case), "decided_by", "restart_by"),
        "actions": _with_names(Action.objects.filter(procedure=case), "responsible", "done_by"),
        "symptoms": _with_names(checks, "by"),
        "triages": SymptomTriage.objects.filter(check_row__procedure=case),
        "contacts": _with_names(contacts, "by"),
        "transfers": _with_names(transfers, "to_user", "offered_by", "answered_by"),
        "countersignatures": _with_names(Countersignature.objects.filter(procedure=case), "by"),
        "later_decisions": _with_names(LaterDecision.objects.filter(procedure=case), "by"),
        "sent": sent.part(case),
    }


def _laboratory(case: Any) -> Parts:
    """Without the values of results: the case page says how they were read, not what they are."""
    versions = ResultVersion.objects.filter(test__procedure=case).defer("values", "text", "laboratory_said")
    return {
        "specimens": _with_names(Specimen.objects.filter(procedure=case), "collected_by"),
        "tests": LabTest.objects.filter(procedure=case),
        "versions": versions.order_by("test_id", "number"),
        "reviews": _with_names(Review.objects.filter(procedure=case), "reviewer").order_by("pk"),
    }


def _tests(rows: Rows) -> tuple[TestRow, ...]:
    tubes = {tube.pk: tube for tube in rows["specimens"]}
    read = {review.version_id for review in rows["reviews"]}
    corrected = {review.supersedes_id for review in rows["reviews"]}
    reviews = {review.version_id: review for review in rows["reviews"] if review.pk not in corrected}
    versions: dict[int, list[ResultVersion]] = {test.pk: [] for test in rows["tests"]}
    for version in rows["versions"]:
        versions[version.test_id].append(version)
    found = []
    for test in rows["tests"]:
        if test.specimen_id is not None:
            test.specimen = tubes[test.specimen_id]
        stored = tuple(versions[test.pk])
        current = versions_rule.current(stored)
        review = reviews.get(current.pk) if current else None
        normal = open_normal(stored, read) is not None
        found.append(TestRow(test=test, versions=stored, current=current, review=review, open_normal=normal))
    return tuple(found)


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
