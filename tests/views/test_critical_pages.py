"""A critical result that nobody has taken is on every page of whoever sees charts, until somebody takes it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clinic import clock
from clinic.actor import Actor
from clinic.models import AuditEntry, User
from clinic.roles import Role
from followups.models import FollowUp, Review
from followups.services import contacts, reviews
from procedures import events
from procedures.models import CriticalReadBack, Laboratory, LabTest, Procedure, ResultVersion
from procedures.models.inbound import InboundItem, InboundMessage
from procedures.services import labs
from procedures.services.labs import Tube
from tests import make

pytestmark = pytest.mark.django_db
SAYS = "1 critical result no physician has taken."
WORDS = {"interpretation": "critical", "plan": "treat", "plan_detail": "Cefotaxime now", "tell": "now"}


@pytest.fixture
def cells_row() -> LabTest:
    case = make.procedure(status="completed", starts=clock.now() - timedelta(hours=4))
    engine = Actor.system("tests")
    labs.add_test(procedure=case, code="ascites_cell_count", actor=engine)
    row = case.tests.get()
    tube = Tube(container=row.container, tests=(row.pk,))
    labs.collect(procedure=case, tubes=[tube], collected_at=clock.now() - timedelta(hours=3), actor=engine)
    return LabTest.objects.select_related("procedure").get(pk=row.pk)


def by_message(row: LabTest, *, phoned: bool = False, status: str = "final", **extra: Any) -> ResultVersion:
    """As it comes from a laboratory: nobody entered it, and the laboratory flagged nothing."""
    values = {"nucleated_cells": {"value": 400, "unit": "/uL", "text": "400"},
              "pmn_percent": {"value": 78, "unit": "%", "text": "78"}}  # fmt: skip
    calculated = {"ascites_pmn": {"code": "ascites_pmn", "value": 312.0, "unit": "/uL", "refused": ""}}
    rule = {"code": "pmn_250", "level": "critical", "message": "250 or more neutrophils", "source": "", "year": None}
    version = make.result(
        row, status=status, level="critical", values=values, calculated=calculated, rules=[rule],
        phoned_critical=phoned, **extra,
    )  # fmt: skip
    events.changed(row.procedure)
    return version


def as_user(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize(
    ("role", "page"),
    [
        (Role.NURSE, "followups:checklists"),
        (Role.NURSE, "followups:board"),
        (Role.PHYSICIAN, "followups:inbox"),
        (Role.DIRECTOR, "followups:loop"),
    ],
)
def test_it_is_on_every_page_of_whoever_sees_charts(cells_row: LabTest, role: Role, page: str) -> None:
    by_message(cells_row)
    assert SAYS in as_user(make.user(role)).get(reverse(page)).content.decode()


@pytest.mark.parametrize(("role", "page"), [(Role.SCHEDULER, "followups:board"), (Role.ADMINISTRATOR, "users")])
def test_whoever_sees_no_charts_is_not_told(cells_row: LabTest, role: Role, page: str) -> None:
    by_message(cells_row)
    client = as_user(make.user(role))
    assert "critical result" not in client.get(reverse(page)).content.decode()
    assert client.get(reverse("followups:critical_strip")).status_code == 403


def test_only_a_physician_who_takes_it_ends_it_for_everybody(cells_row: LabTest) -> None:
    by_message(cells_row)
    nurse, doctor = as_user(make.user(Role.NURSE)), as_user(make.user(Role.PHYSICIAN))
    listed = nurse.get(reverse("followups:criticals")).content.decode()
    assert cells_row.procedure.patient.name in listed and "No physician has taken" in listed and "Snooze" not in listed
    promise = FollowUp.objects.get(kind="review_result", closed_at__isnull=True)
    take = reverse("followups:take", args=[promise.pk]) + "?back=criticals"

    nurse.post(take, {"seen_taker": ""})
    assert SAYS in doctor.get(reverse("followups:inbox")).content.decode()
    seen = FollowUp.objects.get(pk=promise.pk).taken_by_id
    page = doctor.post(take, {"seen_taker": seen}, follow=True).content.decode()
    assert "Taken by a physician, not read yet" in page and SAYS not in page
    assert SAYS not in nurse.get(reverse("followups:chase")).content.decode()


def test_the_poll_says_a_number_and_no_name_and_is_no_reading_of_a_chart(cells_row: LabTest) -> None:
    by_message(cells_row)
    web = as_user(make.user(Role.NURSE))
    before = AuditEntry.objects.count()
    with CaptureQueriesContext(connection) as queries:
        part = web.get(reverse("followups:critical_strip"), headers={"X-Refresh": "1"}).content.decode()
    assert SAYS in part and cells_row.procedure.patient.name not in part and "<html" not in part
    assert AuditEntry.objects.count() == before
    assert len(queries) <= 5


def test_a_reading_of_a_critical_that_came_by_itself_says_how_it_was_noticed(cells_row: LabTest) -> None:
    version = by_message(cells_row)
    doctor = make.user(Role.PHYSICIAN)
    web, where = as_user(doctor), reverse("followups:review", args=[version.pk])
    assert "How was it noticed?" in web.get(where).content.decode()
    silent = web.post(where, WORDS)
    assert silent.status_code == 422 and "Cefotaxime now" in silent.content.decode()
    assert web.post(where, {**WORDS, "how": "here"}).status_code == 303
    assert (Review.objects.count(), CriticalReadBack.objects.get().how) == (1, "here")


def test_a_phoned_critical_needs_its_read_back(cells_row: LabTest) -> None:
    version = by_message(cells_row, phoned=True)
    web, where = as_user(make.user(Role.PHYSICIAN)), reverse("followups:review", args=[version.pk])
    assert web.post(where, {**WORDS, "how": "here"}).status_code == 422
    assert web.post(where, {**WORDS, "how": "phoned"}).status_code == 422
    wrong = {"how": "phoned", "caller": "Ito", "receiver": "Pia", "value": "31"}
    answer = web.post(where, {**WORDS, **wrong})
    assert answer.status_code == 422 and "says something else" in answer.content.decode()
    assert not Review.objects.exists() and not CriticalReadBack.objects.exists()
    assert web.post(where, {**WORDS, **wrong, "value": "312 neutrophils"}).status_code == 303


def test_the_nurse_who_takes_the_call_writes_it_down_and_the_physician_is_not_asked_again(cells_row: LabTest) -> None:
    version = by_message(cells_row, phoned=True)
    nurse = as_user(make.user(Role.NURSE))
    where = reverse("procedures:result_read_back", args=[cells_row.procedure.code, cells_row.pk])
    at = timezone.localtime(clock.now()).strftime("%Y-%m-%dT%H:%M")
    call = {"how": "phoned", "at": at, "caller": "Ito", "receiver": "Nora", "value": "400"}
    assert nurse.post(where, {**call, "caller": ""}).status_code == 422
    page = nurse.post(where, call, follow=True).content.decode()
    assert "Phoned by Ito, taken by Nora, read back: 400" in page
    doctor = as_user(make.user(Role.PHYSICIAN))
    review = reverse("followups:review", args=[version.pk])
    assert "How was it noticed?" not in doctor.get(review).content.decode()
    assert doctor.post(review, WORDS).status_code == 303


def test_what_the_laboratory_said_stands_beside_the_value_and_is_not_graded(cells_row: LabTest) -> None:
    said = {"flags": {"nucleated_cells": ["H"]}, "ranges": {"nucleated_cells": "0-100"}, "notes": ["Slightly bloody."]}
    version = by_message(cells_row, laboratory_said=said)
    laboratory = Laboratory.objects.create(name="Central", zone="UTC")
    message = InboundMessage.objects.create(
        source="mllp", digest="0" * 64, raw=b"MSH", received_at=clock.now(), laboratory=laboratory, state="done"
    )
    InboundItem.objects.create(message=message, place="OBR[1]", state="applied", version=version, test=cells_row)
    web = as_user(make.user(Role.NURSE))
    page = web.get(reverse("procedures:results", args=[cells_row.procedure.code, cells_row.pk])).content.decode()
    assert "from the laboratory&#x27;s message" in page or "from the laboratory's message" in page
    assert f">{message.pk}</a>" in page
    assert "<strong>H</strong>" in page and "range 0-100" in page and "Slightly bloody." in page


def test_a_panel_of_which_a_part_has_come_looks_like_it(cells_row: LabTest) -> None:
    by_message(cells_row, status="preliminary")
    web = as_user(make.user(Role.NURSE))
    page = web.get(reverse("procedures:results", args=[cells_row.procedure.code, cells_row.pk])).content.decode()
    assert "2 of 5 values have come." in page and "Red cells" in page


def test_a_late_preliminary_is_shown_and_not_asked(cells_row: LabTest) -> None:
    final = by_message(cells_row)
    late = ResultVersion.objects.create(
        test=cells_row, number=2, status="preliminary", level="normal", values=final.values,
        reported_at=clock.now(), arrived_at=clock.now(),
    )  # fmt: skip
    events.changed(cells_row.procedure)
    asked = FollowUp.objects.filter(kind="review_result", closed_at__isnull=True)
    assert [promise.about["version"] for promise in asked] == [final.pk]
    web = as_user(make.user(Role.NURSE))
    page = web.get(reverse("procedures:results", args=[cells_row.procedure.code, cells_row.pk])).content.decode()
    assert f"Version {late.number}" in page and "came after the final: shown, not asked" in page


def test_a_correction_names_who_acted_on_the_old_value_and_when_the_patient_was_told(cells_row: LabTest) -> None:
    version = by_message(cells_row)
    pia, nora = make.user(Role.PHYSICIAN, full_name="Pia Ahrens"), make.user(Role.NURSE, full_name="Nora Brandt")
    reviews.review(version=version, actor=Actor.person(pia), noticed={"how": "here"}, **WORDS)
    contacts.record(
        procedure=cells_row.procedure, actor=Actor.person(nora), purpose="results", channel="phone",
        outcome="reached", spoke_with="Ada", versions=[version.pk],
    )  # fmt: skip
    corrected = make.result(
        cells_row, status="corrected", change_reason="Other tube",
        values={**version.values, "pmn_percent": {"value": 8, "unit": "%", "text": "8"}},
    )  # fmt: skip
    page = as_user(pia).get(reverse("followups:review", args=[corrected.pk])).content.decode()
    assert "Somebody has acted on the value before this correction" in page
    assert (
        "Pia Ahrens, on version 1: read it: critical" in page and "Nora Brandt, on version 1: told the patient" in page
    )
    assert "Changed since: Neutrophils (PMN) share." in page


def test_trends_of_a_series_of_taps_cost_the_same_queries_however_many(cells_row: LabTest) -> None:
    by_message(cells_row)
    web = as_user(make.user(Role.NURSE))
    where = reverse("procedures:results", args=[cells_row.procedure.code, cells_row.pk])

    def earlier(weeks: int, cells: int) -> Procedure:
        case = make.procedure(
            status="completed", starts=clock.now() - timedelta(weeks=weeks), patient=cells_row.procedure.patient,
            protocol_version=cells_row.procedure.protocol_version,
        )  # fmt: skip
        values = {"nucleated_cells": {"value": cells, "unit": "/uL"}, "pmn_percent": {"value": 10, "unit": "%"}}
        make.result(make.lab_test(case, "ascites_cell_count"), values=values)
        return case

    def count() -> tuple[str, int]:
        with CaptureQueriesContext(connection) as queries:
            page = web.get(where).content.decode()
        return page, len(queries)

    assert "From one procedure to the next" not in count()[0]
    earlier(2, 120)
    page, few = count()
    assert "312 /uL" in page and "12 /uL" in page and "<svg" in page and "Dashed line, 250 /uL" in page
    for weeks in range(4, 10):
        earlier(weeks, 100 + weeks)
    assert count()[1] == few
