"""Entering results by hand: clear words, nothing typed lost, critical values checked twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic import clock
from clinic.actor import Actor
from clinic.models import User
from clinic.roles import Role
from procedures.models import LabTest, Procedure
from procedures.services import labs
from procedures.services.labs import Tube
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def case() -> Procedure:
    procedure = make.procedure(status="completed", starts=clock.now() - timedelta(hours=6))
    actor = Actor.system("tests")
    labs.add_test(procedure=procedure, code="ascites_cell_count", actor=actor)
    labs.add_test(procedure=procedure, code="ascites_culture", actor=actor)
    at = clock.now() - timedelta(hours=5)
    for test in list(procedure.tests.all()):
        tube = Tube(container=test.container, tests=(test.pk,))
        labs.collect(procedure=procedure, tubes=[tube], collected_at=at, actor=actor)
    return procedure


@pytest.fixture
def cells(case: Procedure) -> LabTest:
    return case.tests.get(code="ascites_cell_count")


@pytest.fixture
def nurse() -> User:
    return make.user(Role.NURSE, full_name="Nora Brandt")


@pytest.fixture
def web(client: Client, nurse: User) -> Client:
    client.force_login(nurse)
    return client


def url(test: LabTest, name: str = "result_new") -> str:
    return reverse(f"procedures:{name}", args=[test.procedure.code, test.pk])


def local(minutes_ago: float = 10) -> str:
    return timezone.localtime(clock.now() - timedelta(minutes=minutes_ago)).strftime("%Y-%m-%dT%H:%M")


def typed(cells_: str = "100", percent: str = "10", **changes: Any) -> dict[str, Any]:
    return {
        "after": "0",
        "status": "final",
        "reported_at": local(),
        "v_nucleated_cells": cells_,
        "v_nucleated_cells__unit": "/uL",
        "v_pmn_percent": percent,
        "v_pmn_percent__unit": "%",
        **changes,
    }


@pytest.mark.parametrize("role", [Role.SCHEDULER, Role.ADMINISTRATOR])
@pytest.mark.parametrize("name", ["results", "result_new", "result_withdraw"])
def test_who_sees_no_charts_finds_no_such_page(client: Client, cells: LabTest, role: Role, name: str) -> None:
    client.force_login(make.user(role))
    assert client.get(url(cells, name)).status_code == 404


def test_the_director_reads_and_changes_nothing(client: Client, cells: LabTest) -> None:
    client.force_login(make.user(Role.DIRECTOR))
    assert client.get(url(cells, "results")).status_code == 200
    assert client.get(url(cells)).status_code == 403
    assert client.post(url(cells), typed()).status_code == 403
    assert client.post(url(cells, "result_withdraw"), {"reason": "x"}).status_code == 403
    assert not cells.versions.exists()


def test_a_test_of_another_case_is_not_found(web: Client, cells: LabTest) -> None:
    other = make.procedure(status="completed")
    assert web.get(reverse("procedures:result_new", args=[other.code, cells.pk])).status_code == 404


def test_a_nurse_enters_a_result_and_comes_back_to_the_case(web: Client, cells: LabTest, nurse: User) -> None:
    assert web.get(url(cells)).status_code == 200
    answer = web.post(url(cells), typed())
    assert answer.status_code == 303
    assert answer["Location"] == reverse("followups:case", args=[cells.procedure.code])
    version = cells.versions.get()
    assert (version.level, version.entered_by_id, version.values["nucleated_cells"]["value"]) == (
        "normal",
        nurse.pk,
        100,
    )


def test_no_unit_is_chosen_where_there_are_several(web: Client, cells: LabTest) -> None:
    form = web.get(url(cells)).context["form"]
    assert form["v_nucleated_cells__unit"].initial == "" and form["v_pmn_percent__unit"].initial == "%"
    answer = web.post(url(cells), typed(v_nucleated_cells__unit=""))
    assert answer.status_code == 422 and "Choose the unit" in answer.content.decode()
    assert 'value="100"' in answer.content.decode()


def test_another_unit_is_written_confirmed_and_never_normal(web: Client, cells: LabTest) -> None:
    other = typed(v_nucleated_cells__unit="?", v_nucleated_cells__other_unit="per field")
    assert web.post(url(cells), typed(v_nucleated_cells__unit="?")).status_code == 422
    asked = web.post(url(cells), other)
    page = asked.content.decode()
    assert asked.status_code == 422 and "cannot be judged" in page and 'value="per field"' in page
    assert 'name="confirmed" value="unknown_unit"' in " ".join(page.split())
    assert web.post(url(cells), {**other, "confirmed": ["unknown_unit"]}).status_code == 303
    assert cells.versions.get().level == "unknown"


@pytest.mark.parametrize("nonsense", ["many", "1,200", "-3"])
def test_a_number_that_is_none_is_said_beside_its_field_and_nothing_is_lost(
    web: Client, cells: LabTest, nonsense: str
) -> None:
    answer = web.post(url(cells), typed(nonsense, text="as phoned", rb_caller="Dr Ruiz"))
    page = answer.content.decode()
    assert answer.status_code == 422 and not cells.versions.exists()
    assert 'href="#id_v_nucleated_cells"' in page
    assert f'value="{nonsense}"' in page and "as phoned" in page and 'value="Dr Ruiz"' in page


def test_a_report_from_the_future_is_refused_and_one_before_the_needle_is_asked_about(
    web: Client, cells: LabTest
) -> None:
    assert web.post(url(cells), typed(reported_at=local(-60))).status_code == 422
    asked = web.post(url(cells), typed(reported_at=local(600)))
    assert asked.status_code == 422 and "collected after this time of report" in asked.content.decode()
    confirmed = typed(reported_at=local(600), confirmed=["before_collection"])
    assert web.post(url(cells), confirmed).status_code == 303


def test_a_critical_value_is_typed_twice(web: Client, cells: LabTest) -> None:
    asked = web.post(url(cells), typed("500", "50", status="preliminary"))
    page = asked.content.decode()
    assert asked.status_code == 422 and not cells.versions.exists()
    assert "This result is critical" in page and "spontaneous bacterial peritonitis" in page
    wrong = web.post(url(cells), typed("500", "50", status="preliminary", rb_value="5000"))
    assert wrong.status_code == 422 and "Look at the report again" in wrong.content.decode()
    right = web.post(url(cells), typed("500", "50", status="preliminary", rb_value="500"))
    assert right.status_code == 303 and cells.versions.get().level == "critical"


def test_what_was_phoned_needs_caller_receiver_time_and_the_value_read_back(web: Client, cells: LabTest) -> None:
    asked = web.post(url(cells), typed(phoned_critical="on"))
    page = asked.content.decode()
    assert asked.status_code == 422
    for name in ("rb_caller", "rb_receiver", "rb_at", "rb_value"):
        assert f'href="#id_{name}"' in page
    full = typed(phoned_critical="on", rb_caller="Dr Ruiz", rb_receiver="N. Brandt", rb_at=local(1), rb_value="100")
    assert web.post(url(cells), full).status_code == 303
    assert cells.versions.get().read_back["caller"] == "Dr Ruiz"


def test_a_double_click_saves_once_and_somebody_elses_result_is_a_conflict(web: Client, cells: LabTest) -> None:
    assert [web.post(url(cells), typed()).status_code for _ in range(2)] == [303, 303]
    assert cells.versions.count() == 1
    assert web.post(url(cells), typed("120")).status_code == 409


def test_versions_stand_side_by_side_with_the_change_in_words(web: Client, cells: LabTest) -> None:
    web.post(url(cells), typed(status="preliminary"))
    web.post(url(cells), typed("120", after="1"))
    page = " ".join(web.get(url(cells, "results")).content.decode().split())
    assert '<ins><strong>120 /uL</strong></ins> <span class="small">(changed)</span>' in page
    assert page.count("counts now") == 1 and "Neutrophils (PMN), absolute" in page and "12 /uL" in page


def test_a_correction_says_what_was_corrected(web: Client, cells: LabTest) -> None:
    web.post(url(cells), typed())
    assert web.get(url(cells)).context["form"]["status"].initial == "corrected"
    refused = web.post(url(cells), typed("120", after="1", status="corrected"))
    assert refused.status_code == 422 and 'href="#id_change_reason"' in refused.content.decode()
    corrected = typed("120", after="1", status="corrected", change_reason="recounted")
    assert web.post(url(cells), corrected).status_code == 303
    assert "recounted" in web.get(url(cells, "results")).content.decode()


def test_a_withdrawn_result_is_not_shown_any_more(web: Client, cells: LabTest) -> None:
    web.post(url(cells), typed("137"))
    assert "137 /uL" in web.get(url(cells, "results")).content.decode()
    assert web.get(url(cells, "result_withdraw")).status_code == 200
    assert web.post(url(cells, "result_withdraw"), {"reason": ""}).status_code == 422
    assert web.post(url(cells, "result_withdraw"), {"reason": "other patient"}).status_code == 303
    page = web.get(url(cells, "results")).content.decode()
    assert "137 /uL" not in page and "other patient" in page and "There is no result on the chart" in page
    assert cells.versions.count() == 2


def test_a_culture_offers_its_answers_by_name(web: Client, case: Procedure) -> None:
    culture = case.tests.get(code="ascites_culture")
    page = web.get(url(culture)).content.decode()
    assert "No growth so far" in page
    data = {"after": "0", "status": "preliminary", "reported_at": local(), "v_growth": "no_growth_so_far"}
    assert web.post(url(culture), data).status_code == 303
    assert culture.versions.get().values["growth"]["text"] == "No growth so far"
