"""The laboratory's part of a case as facts: tests with their versions, tubes, and what was taken back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Model

from clinic.ready_query import ReadyQuery
from followups.domain import facts as f
from followups.domain.telling import unreachable
from followups.models import Review
from procedures.domain import versions as versions_rule
from procedures.domain.states import (
    ResultStatus,
    TestStatus,
)
from procedures.models import (
    LabTest,
    Procedure,
    ResultVersion,
    Specimen,
    TakenBack,
)

# asked at every change of a fact: written once, and without the values and texts that decide nothing here
TESTS = ReadyQuery(lambda case: LabTest.objects.filter(procedure=case).order_by("pk"))
VERSIONS = ReadyQuery(
    lambda case: (
        ResultVersion.objects.filter(test__procedure=case)
        .order_by("test_id", "number")
        .only("test_id", "number", "status", "level", "reported_at", "arrived_at")
    )
)
REVIEWS = ReadyQuery(
    lambda case: (
        Review.objects.filter(procedure=case, superseded_by__isnull=True)
        .order_by("pk")
        .only("version_id", "reviewer_id", "at", "interpretation", "plan", "tell")
    )
)
TUBES = ReadyQuery(
    lambda case: (
        Specimen.objects.filter(procedure=case)
        .order_by("pk")
        .only("collected_at", "receipt_due_at", "received_at", "loss", "loss_at", "handed_over_at")
    )
)


def laboratory(
    procedure: Procedure,
    contacts: tuple[f.ContactFact, ...],
    actions: Iterable[Any],
    there: frozenset[type[Model]],
) -> tuple[tuple[f.TestFact, ...], tuple[f.SpecimenFact, ...], tuple[f.TakenBackFact, ...]]:
    """``actions``: what was decided on a result, as rows with ``done_by_id`` and ``review__version_id``."""
    tests = TESTS.rows(procedure.pk) if LabTest in there else []
    versions: dict[int, list[ResultVersion]] = {t.pk: [] for t in tests}
    if tests:
        for version in VERSIONS.rows(procedure.pk):
            versions[version.test_id].append(version)
    reviews: dict[int, Review] = {}
    if Review in there:
        for review in REVIEWS.rows(procedure.pk):
            reviews[review.version_id] = review
    doers: dict[int, set[int]] = defaultdict(set)
    for action in actions:
        if action.done_by_id is not None:
            doers[action.review__version_id].add(action.done_by_id)
    tubes = TUBES.rows(procedure.pk) if Specimen in there else []
    facts = tuple(_test(t, versions[t.pk], reviews, contacts, doers) for t in tests)
    # what was withdrawn may have been somebody else's: it does not show that our tube arrived
    resulted = {t.specimen_id for t in tests if versions_rule.current(versions[t.pk]) is not None}
    specimens = tuple(
        f.SpecimenFact(
            id=s.pk,
            collected_at=s.collected_at,
            receipt_due_at=s.receipt_due_at,
            received=s.received_at is not None or s.pk in resulted,
            lost_at=s.loss_at if s.loss else None,
            handed_over=s.handed_over_at is not None,
        )
        for s in tubes
    )
    withdrawn = any(v.status == ResultStatus.WITHDRAWN for rows in versions.values() for v in rows)
    taken_back = _taken_back(procedure, versions, reviews, contacts, doers) if withdrawn else ()
    return facts, specimens, taken_back


def _taken_back(
    procedure: Procedure,
    versions: Mapping[int, list[ResultVersion]],
    reviews: Mapping[int, Review],
    contacts: tuple[f.ContactFact, ...],
    doers: Mapping[int, set[int]],
) -> tuple[f.TakenBackFact, ...]:
    rows = TakenBack.objects.filter(version__test__procedure=procedure, dealt_at__isnull=True)
    found = []
    for row in rows.select_related("version__test").order_by("pk"):
        gone = row.version
        before = {v.pk for v in versions[gone.test_id] if v.number < gone.number}
        involved = _involved(before, reviews, contacts, doers)
        found.append(
            f.TakenBackFact(version_id=gone.pk, test=gone.test.code, why=row.why, at=row.at, involved=involved)
        )
    return tuple(found)


def _test(
    test: LabTest,
    versions: list[ResultVersion],
    reviews: dict[int, Review],
    contacts: tuple[f.ContactFact, ...],
    doers: Mapping[int, set[int]],
) -> f.TestFact:
    # a result may arrive for a test that nobody recorded as collected: its clock then runs from the best known time
    base = test.collected_at or test.received_at or (versions[0].reported_at if versions else test.ordered_at)
    current = versions_rule.current(versions)
    earlier = {v.pk for v in versions if current is None or v.pk != current.pk}
    status = TestStatus(test.status)
    return f.TestFact(
        id=test.pk,
        code=test.code,
        status=status,
        specimen_id=test.specimen_id,
        collected_at=base,
        usual_at=test.after(base, test.usual_hours),
        outer_at=test.after(base, test.outer_hours),
        extended=test.extended,
        current=_version(current, reviews, contacts) if current else None,
        ended_at=test.ended_at,
        # also when all that was reported was withdrawn: whoever was told of it hears that it does not hold
        cancelled_after_collection=status is TestStatus.CANCELLED and test.collected_at is not None and current is None,
        recollect_at=test.recollect_decided_at if status in {TestStatus.REJECTED, TestStatus.LOST} else None,
        told_before=any(c.told and c.versions & earlier for c in contacts),
        reviewed_before=any(pk in reviews for pk in earlier),
        involved=_involved(earlier, reviews, contacts, doers),
    )


def _involved(
    earlier: set[int],
    reviews: Mapping[int, Review],
    contacts: Iterable[f.ContactFact],
    doers: Mapping[int, set[int]],
) -> frozenset[int]:
    """Who read these versions, told the patient of them, or did what was decided on them."""
    readers = {reviews[pk].reviewer_id for pk in earlier if pk in reviews}
    tellers = {c.by_id for c in contacts if c.by_id is not None and c.told and c.versions & earlier}
    return frozenset(readers | tellers).union(*(doers.get(pk, set()) for pk in earlier))


def _version(version: ResultVersion, reviews: dict[int, Review], contacts: tuple[f.ContactFact, ...]) -> f.VersionFact:
    review = reviews.get(version.pk)
    return f.VersionFact(
        id=version.pk,
        number=version.number,
        status=version.status,
        level=version.level,
        arrived_at=version.arrived_at,
        review=f.ReviewFact(at=review.at, interpretation=review.interpretation, plan=review.plan, tell=review.tell)
        if review
        else None,
        told_at=_told_at(version.pk, review, contacts),
    )


def _told_at(version_id: int, review: Review | None, contacts: Iterable[f.ContactFact]) -> datetime | None:
    """When the patient was reached about exactly this version, or the unreachable-patient protocol was completed."""
    told = [c.at for c in contacts if c.told and version_id in c.versions]
    if told:
        return min(told)
    return unreachable([c for c in contacts if c.purpose == "results"], review.at) if review else None
