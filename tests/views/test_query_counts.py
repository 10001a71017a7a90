"""How many queries list pages and charts make: recorded in tests/query_counts.json, and the same for three times the
rows.

An N+1 arrives one innocent template line at a time. To record on purpose, after looking at the new queries:

    RECORD_QUERY_COUNTS=1 make test

To add a list page, add a line to ``LISTS``; to add a page of one case, a line to ``CHARTS``.
"""

from __future__ import annotations

import json
import os
from itertools import product
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinic import audit, clock
from clinic.actor import Actor
from clinic.models import Absence, Closure, Heartbeat, User
from clinic.roles import Role
from followups.domain.kinds import Kind
from followups.models import PatientContact, Review, TextMessage
from procedures.models import Procedure, ResultVersion
from procedures.services import rulesets
from tests import checked, make
from tests.factories import inbound
from tests.factories.work import DAY, HOUR, NOW, promise, taken

pytestmark = pytest.mark.django_db

RECORDED = Path(__file__).resolve().parent.parent / "query_counts.json"
LIMIT = 12
ROWS = 2
#: Addresses of list pages, and whose they are.
LISTS = {
    "/board/": Role.SCHEDULER,
    "/board/?day=2026-11-24&page=1": Role.NURSE,
    "/board/week/": Role.SCHEDULER,
    "/checklists/": Role.NURSE,
    "/checklists/?part=owed": Role.NURSE,
    "/inbox/": Role.PHYSICIAN,
    "/inbox/?of=covered": Role.PHYSICIAN,
    "/inbox/?of=all": Role.PHYSICIAN,
    "/inbox/?of=mine&show=waiting": Role.PHYSICIAN,
    "/chase/": Role.NURSE,
    "/chase/?of=role": Role.NURSE,
    "/loop/": Role.DIRECTOR,
    "/series/": Role.SCHEDULER,
    "/loop/?show=open": Role.DIRECTOR,
    "/loop/indicators/": Role.DIRECTOR,
    "/loop/overrides/": Role.DIRECTOR,
    "/open-items/": Role.NURSE,
    "/results/unmatched/": Role.NURSE,
    "/results/messages/": Role.NURSE,
    "/laboratories/": Role.NURSE,
    "/handover/": Role.NURSE,
    "/texts/": Role.NURSE,
    "/critical/": Role.PHYSICIAN,
    "/loop/?show=critical": Role.DIRECTOR,
    "/absences/": Role.NURSE,
    "/on-call/": Role.DIRECTOR,
    "/places/": Role.DIRECTOR,
    "/audit/": Role.DIRECTOR,
}
#: Pages of one case: before the needle or after it, and whose they are.
ALL = (Role.SCHEDULER, Role.NURSE, Role.PHYSICIAN, Role.DIRECTOR)
CHARTS = {
    "followups:case ahead": ("ahead", ALL),
    "followups:case after": ("after", ALL),
    "followups:case_summary": ("after", (Role.NURSE,)),
    "followups:review": ("after", (Role.NURSE, Role.PHYSICIAN)),
    "followups:tell": ("after", (Role.NURSE,)),
    "followups:tell_letter": ("after", (Role.NURSE,)),
    "procedures:checklist ahead": ("ahead", (Role.NURSE,)),
    "procedures:checklist after": ("after", (Role.NURSE,)),
    "procedures:clearance": ("ahead", (Role.PHYSICIAN,)),
    "procedures:patient": ("after", (Role.SCHEDULER,)),
    "procedures:record": ("after", (Role.PHYSICIAN,)),
    "procedures:results": ("after", (Role.NURSE,)),
    "procedures:tests": ("after", (Role.NURSE,)),
}


@pytest.fixture(autouse=True)
def at_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def populate(rows: int, people: dict[Role, User]) -> None:
    """``rows`` of everything a list may show: cases of today and tomorrow, requests, promises of every kind."""
    for _ in range(rows):
        doctor, absent = people[Role.PHYSICIAN], make.user(Role.PHYSICIAN)
        Absence.objects.create(
            user=absent, surrogate=doctor, starts_at=NOW - DAY, ends_at=NOW + DAY, accepted_at=NOW - DAY
        )
        make.procedure(requested_at=NOW - DAY)
        make.series()
        for code, days in (("paracentesis", 0), ("lumbar_puncture", 1)):
            start, operator = NOW + HOUR + days * DAY, make.user(Role.PHYSICIAN)
            case = make.procedure(code, status="scheduled", starts=start, responsible=doctor, operator=operator)
            checked.answer(case)
            other = make.procedure(code, status="arrived", starts=start + 2 * HOUR, responsible=doctor)
            checked.answer(other, minimum=True)
            for kind, due in product(Kind, (-HOUR, HOUR, 9 * DAY)):
                promise(kind, procedure=case, due=due, responsible=doctor)
            promise(Kind.SIGN_RECORD, procedure=case, responsible=absent)
            promise(Kind.TELL_PATIENT, procedure=case, escalated_role="director")
            taken(promise(Kind.TELL_PATIENT, procedure=case), people[Role.NURSE])
            audit.record(action="procedure.overbooked", actor=Actor.person(doctor), subject=case, reason="agreed")
            make.result(make.lab_test(other), arrived_at=NOW - HOUR)
            about = {"meaning": "words", "received_at": NOW, "patient": case.patient, "procedure": case}
            for read in ({}, {"read_at": NOW, "read_by": doctor, "done": "Called"}):
                TextMessage.objects.create(
                    provider_id=f"SM{case.pk}{len(read)}", number="+12025550177", **about, **read
                )
            inbound.waits(NOW - HOUR)


def queries(address: str, user: User) -> int:
    """Of one request by somebody who is logged in; the first request has warmed what a process warms once."""
    client = Client()
    client.force_login(user)
    assert client.get(address).status_code == 200
    with CaptureQueriesContext(connection) as found:
        assert client.get(address).status_code == 200
    return len(found)


def test_list_pages_make_the_recorded_number_of_queries_however_many_rows() -> None:
    people = {role: make.user(role) for role in (Role.SCHEDULER, Role.NURSE, Role.PHYSICIAN, Role.DIRECTOR)}
    Heartbeat.objects.create(name="engine", at=clock.real_now())  # as wherever an engine has ever run
    Closure.objects.create(first_day="2026-11-26", last_day="2026-11-27", reason="Thanksgiving")
    populate(ROWS, people)
    few = {address: queries(address, people[role]) for address, role in LISTS.items()}
    populate(2 * ROWS, people)
    many = {address: queries(address, people[role]) for address, role in LISTS.items()}

    assert many == few, "a list page makes more queries for three times the rows"
    assert {address: n for address, n in many.items() if n > LIMIT} == {}, (
        f"a list page makes more than {LIMIT} queries"
    )
    recorded(many)


def chart(rows: int, people: dict[Role, User]) -> dict[str, Procedure]:
    """A case ahead and one after the needle, with ``rows`` of everything that a chart may show."""
    doctor, nurse = people[Role.PHYSICIAN], people[Role.NURSE]
    ahead = make.procedure(status="scheduled", starts=NOW + DAY, responsible=doctor, operator=make.user(Role.PHYSICIAN))
    after = make.procedure(status="completed", starts=NOW - DAY, responsible=doctor)
    for case in (ahead, after):
        checked.answer(case)
        for kind, _ in product((Kind.SIGN_RECORD, Kind.TELL_PATIENT, Kind.REVIEW_RESULT), range(rows)):
            promise(kind, procedure=case, responsible=doctor)
    codes = [test.code for test in after.protocol_version.parsed.tests][:rows]
    for code in codes:
        test = make.lab_test(after, code)
        for number in (2, 1):
            version = make.result(test, arrived_at=NOW - number * HOUR)
            Review.objects.create(
                version=version, procedure=after, reviewer=doctor, at=NOW, interpretation="normal", plan="none",
                tell="with_all",
            )  # fmt: skip
            at = {"at": NOW - number * HOUR, "recorded_at": NOW}
            contact = {"purpose": "results", "channel": "phone", "outcome": "no_answer"} | at
            PatientContact.objects.create(procedure=after, by=nurse, told_versions=[], **contact)
    return {"ahead": ahead, "after": after}


def charts(cases: dict[str, Procedure], people: dict[Role, User]) -> dict[str, int]:
    """By the words under which they are recorded."""
    version = ResultVersion.objects.filter(test__procedure=cases["after"]).latest("pk")
    keys = {
        "followups:review": [version.pk],
        "procedures:results": [cases["after"].code, version.test_id],
        "procedures:patient": [cases["after"].patient_id],
    }
    found = {}
    for name, (which, roles) in CHARTS.items():
        for role in roles:
            view = name.partition(" ")[0]
            address = reverse(view, args=keys.get(view, [cases[which].code]))
            found[f"{name} ({role})"] = queries(address, people[role])
    return found


def test_charts_make_the_recorded_number_of_queries_however_much_is_in_them() -> None:
    rulesets.publish(data=rulesets.read(), actor=Actor.system("tests"))
    people = {role: make.user(role) for role in (Role.SCHEDULER, Role.NURSE, Role.PHYSICIAN, Role.DIRECTOR)}
    Heartbeat.objects.create(name="engine", at=clock.real_now())
    few = charts(chart(1, people), people)
    many = charts(chart(3, people), people)

    assert many == few, "a chart makes more queries when more is in it"
    assert {name: n for name, n in many.items() if n > LIMIT} == {}, f"a chart makes more than {LIMIT} queries"
    recorded(many)


def recorded(counts: dict[str, int]) -> None:
    known = json.loads(RECORDED.read_text(encoding="utf-8"))
    if os.environ.get("RECORD_QUERY_COUNTS") == "1":
        known |= counts
        RECORDED.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
    assert {name: known.get(name) for name in counts} == counts, (
        "the number of queries has changed: if that is meant, run the test once with RECORD_QUERY_COUNTS=1"
    )
