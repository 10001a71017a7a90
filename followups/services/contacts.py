"""Telling the patient: each try, successful or not. Sent is not told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.db import transaction

from clinic import audit, clock, row_locks
from clinic.actor import Actor
from clinic.errors import Invalid, NotPermitted
from clinic.one_statement import OneStatement, Parts, keep_prefetched
from clinic.ready_query import ReadyQuery
from clinic.roles import Role
from followups.models import PatientContact, Review
from followups.models.contacts import BY_LINK, TOLD, ContactChannel, ContactOutcome, ContactPurpose
from procedures import events
from procedures.domain import versions as versions_rule
from procedures.models import LabTest, Procedure, ResultVersion


def tellable(procedure: Procedure) -> list[ResultVersion]:
    """Current, reviewed versions of the case: what the patient may be told of. Newest review first on each row."""
    rows = READ.rows(case=procedure.pk)
    versions: dict[int, list[ResultVersion]] = {}
    for row in rows["versions"]:
        versions.setdefault(row.test_id, []).append(row)
    reviews: dict[int, list[Review]] = {}
    for row in rows["reviews"]:
        reviews.setdefault(row.version_id, []).append(row)
    found = []
    for test in rows["tests"]:
        version = versions_rule.current(versions.get(test.pk, []))
        if version is not None and version.pk in reviews:
            version.test = test
            keep_prefetched(version, "reviews", reviews[version.pk])
            found.append(version)
    return found


# asked before every call: written once
VERSIONS = ReadyQuery(
    lambda case: (
        ResultVersion.objects.filter(test__procedure=case)
        .order_by("test_id", "number")
        .only("test_id", "number", "status", "reported_at")
    )
)
REVIEWED = ReadyQuery(lambda case: Review.objects.filter(procedure=case).values_list("version_id", flat=True))


def tellable_keys(procedure: Procedure) -> list[int]:
    """The keys of ``tellable``, without their contents. Two queries."""
    reviewed = set(REVIEWED.rows(procedure.pk))
    of_tests = groupby(VERSIONS.rows(procedure.pk), key=lambda version: version.test_id)
    current = [versions_rule.current(versions) for _, versions in of_tests]
    return [version.pk for version in current if version is not None and version.pk in reviewed]


def _read(case: Any) -> Parts:
    return {
        "tests": LabTest.objects.filter(procedure=case),
        "versions": ResultVersion.objects.filter(test__procedure=case),
        "reviews": Review.objects.filter(version__test__procedure=case),
    }


READ = OneStatement(_read)


@transaction.atomic
def record(
    *,
    procedure: Procedure,
    actor: Actor,
    purpose: str,
    channel: str,
    outcome: str,
    at: datetime | None = None,
    spoke_with: str = "",
    versions: Iterable[int] = (),
    understood: bool | None = None,
    note: str = "",
) -> PatientContact:
    """Write down one try.

    Raises Invalid when results were told without naming which, when a named one is not reviewed or not current any
    more, when a letter is not called a letter, or when the time lies ahead.
    """
    if not actor.has(Role.NURSE, Role.PHYSICIAN) or actor.user_id is None:
        raise NotPermitted
    row = row_locks.lock(Procedure, procedure.pk)
    now = clock.now()
    when = at or now
    told = sorted(set(versions)) if outcome in TOLD else []
    if when > now + timedelta(minutes=1):
        raise Invalid("This time has not come yet.", field="at")
    if outcome in TOLD and purpose == ContactPurpose.RESULTS:
        if not told:
            raise Invalid("Tick which results the patient was told.", field="versions")
        if not set(told) <= set(tellable_keys(row)):
            raise Invalid("One of these results has changed or is not reviewed. Please look again.", field="versions")
    if outcome in BY_LINK:
        raise Invalid("This is written down by the message itself.", field="outcome")
    if (outcome == ContactOutcome.LETTER_SENT) != (channel == ContactChannel.LETTER):
        raise Invalid("A letter is recorded as *letter sent*, and only a letter.", field="outcome")
    if outcome == ContactOutcome.REACHED and not spoke_with.strip():
        raise Invalid("Say with whom you spoke.", field="spoke_with")
    contact = PatientContact.objects.create(
        procedure=row,
        purpose=purpose,
        channel=channel,
        outcome=outcome,
        spoke_with=spoke_with.strip(),
        told_versions=told,
        understood=understood,
        note=note,
        at=when,
        recorded_at=now,
        by_id=actor.user_id,
    )
    audit.record(
        action="patient.contacted",
        actor=actor,
        subject=contact,
        patient_id=row.patient_id,
        data={"purpose": purpose, "channel": channel, "outcome": outcome, "versions": told},
    )
    events.changed(row)
    return contact
