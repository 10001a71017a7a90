"""Pages of orders and tubes, and who may use them."""

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
from procedures.models import LabTest, Procedure, Specimen
from procedures.services import labs
from procedures.services.labs import Tube
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def case() -> Procedure:
    procedure = make.procedure("lumbar_puncture", status="completed", starts=clock.now() - timedelta(hours=3))
    labs.order_panel(procedure=procedure, panel="lp_basic", actor=Actor.system("tests"))
    return procedure


@pytest.fixture
def nurse() -> User:
    return make.user(Role.NURSE, full_name="Nora Brandt")


@pytest.fixture
def web(client: Client, nurse: User) -> Client:
    client.force_login(nurse)
    return client


def url(case: Procedure, name: str, *more: Any) -> str:
    return reverse(f"procedures:{name}", args=[case.code, *more])


def local(minutes_ago: float = 10) -> str:
    return timezone.localtime(clock.now() - timedelta(minutes=minutes_ago)).strftime("%Y-%m-%dT%H:%M")


def named(case: Procedure, code: str) -> LabTest:
    return case.tests.get(code=code)


def tube(case: Procedure, *codes: str) -> Specimen:
    tests = [named(case, code) for code in codes]
    return labs.collect(
        procedure=case,
        tubes=[Tube(container=tests[0].container, tests=tuple(t.pk for t in tests), label_checked=True)],
        collected_at=clock.now() - timedelta(minutes=30),
        actor=Actor.system("tests"),
    )[0]


def collection(web: Client, case: Procedure, **changes: Any) -> dict[str, Any]:
    """The collection page as it is offered, filled in as its fields stand."""
    form = web.get(url(case, "specimens")).context["form"]
    data: dict[str, Any] = {"rows": len(form.tubes), "collected_at": local()}
    for row in form.tubes:
        for name, value in row.initial.items():
            if value not in (None, False):
                data[row.add_prefix(name)] = "on" if value is True else value
    for field in form.test_fields:
        data[field.html_name] = field.initial
    return {**data, **changes}


def every_page(case: Procedure) -> dict[str, str]:
    test, specimen = named(case, "csf_culture"), tube(case, "csf_cell_count")
    pages = {name: url(case, name) for name in ("specimens",)}
    pages |= {name: url(case, name, test.pk) for name in ("test_cancel", "test_recollect")}
    pages |= {n: url(case, n, specimen.pk) for n in ("specimen_hand_over", "specimen_receive", "specimen_loss")}
    return pages


@pytest.mark.parametrize("role", [Role.SCHEDULER, Role.ADMINISTRATOR])
def test_who_sees_no_charts_finds_no_such_page(client: Client, case: Procedure, role: Role) -> None:
    pages = [url(case, "tests"), url(case, "labels"), *every_page(case).values()]
    client.force_login(make.user(role))
    assert {client.get(page).status_code for page in pages} == {404}


def test_the_director_reads_and_changes_nothing(client: Client, case: Procedure) -> None:
    pages = every_page(case)
    client.force_login(make.user(Role.DIRECTOR))
    page = client.get(url(case, "tests"))
    assert page.status_code == 200 and "Enter result" not in page.content.decode()
    assert client.get(url(case, "labels")).status_code == 200
    assert {client.get(address).status_code for address in pages.values()} == {403}
    assert client.post(url(case, "test_add"), {"what": "test:csf_ada"}).status_code == 403


def test_every_page_opens_for_a_nurse(web: Client, case: Procedure) -> None:
    pages = [url(case, "tests"), url(case, "labels"), *every_page(case).values()]
    assert {web.get(page).status_code for page in pages} == {200}


def test_a_tube_of_another_case_is_not_found(web: Client, case: Procedure) -> None:
    other = make.procedure("lumbar_puncture", status="completed")
    specimen = tube(case, "csf_cell_count")
    assert web.get(url(other, "specimen_receive", specimen.pk)).status_code == 404
    assert web.get(url(other, "test_cancel", specimen.tests.get().pk)).status_code == 404


def test_the_tests_page_says_of_each_test_where_it_is(web: Client, case: Procedure) -> None:
    tube(case, "csf_cell_count")
    page = web.get(url(case, "tests")).content.decode()
    assert "1 collected, 0 received" in page
    for test in case.tests.all():
        assert test.label in page


def test_more_is_ordered_as_a_test_or_as_a_panel(web: Client, case: Procedure) -> None:
    assert web.post(url(case, "test_add"), {"what": ""}).status_code == 422
    assert web.post(url(case, "test_add"), {"what": "test:igg_index"}).status_code == 303
    assert {"igg_index", "serum_igg", "serum_albumin"} <= set(case.tests.values_list("code", flat=True))
    assert web.post(url(case, "test_add"), {"what": "panel:lp_sah"}).status_code == 303
    assert case.tests.filter(code="csf_xanthochromia").exists()


def test_the_tubes_that_are_proposed_can_be_recorded_as_they_are(web: Client, case: Procedure) -> None:
    answer = web.post(url(case, "specimens"), collection(web, case))
    assert answer.status_code == 303
    assert not case.tests.filter(status="ordered").exists()
    assert [s.tube_number for s in case.specimens.all()] == [1, 2, 4, None]


def test_a_test_may_be_put_into_another_tube_and_a_tube_left_out(web: Client, case: Procedure) -> None:
    culture, cells = named(case, "csf_culture"), named(case, "csf_cell_count")
    data = collection(web, case, **{f"test_{culture.pk}": "0", f"test_{cells.pk}": ""})
    del data["tube3-take"]
    assert web.post(url(case, "specimens"), data).status_code == 303
    culture.refresh_from_db()
    cells.refresh_from_db()
    assert culture.specimen is not None and culture.specimen.container == "csf_tube_1"
    assert cells.status == "ordered"
    assert named(case, "serum_glucose").status == "ordered"


def test_a_laboratory_number_used_twice_is_said_beside_its_tube(web: Client, case: Procedure) -> None:
    data = collection(web, case, **{"tube0-accession": "L-77", "tube2-accession": "L-77", "tube1-volume_ml": "2.5"})
    answer = web.post(url(case, "specimens"), data)
    page = answer.content.decode()
    assert answer.status_code == 422 and not case.specimens.exists()
    assert "The laboratory number L-77 is on another tube already" in page
    assert 'href="#id_tube2-accession"' in page and 'value="2.5"' in page


def test_nonsense_on_the_collection_page_loses_nothing(web: Client, case: Procedure) -> None:
    data = collection(web, case, **{"tube0-volume_ml": "some", "tube1-accession": "L-78", "collected_at": "soon"})
    answer = web.post(url(case, "specimens"), data)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="some"' in page and 'value="L-78"' in page and 'value="soon"' in page
    assert web.post(url(case, "specimens"), {"rows": "x"}).status_code == 422


def test_too_little_and_an_unconfirmed_label_are_said_and_not_refused(web: Client, case: Procedure) -> None:
    answer = web.post(url(case, "specimens"), collection(web, case, **{"tube0-volume_ml": "0.5"}), follow=True)
    page = answer.content.decode()
    assert "less than the 2 mL the laboratory asks for" in page and "nobody has confirmed its label" in page


def test_a_second_click_on_record_is_a_conflict_in_words(web: Client, case: Procedure) -> None:
    data = collection(web, case)
    assert web.post(url(case, "specimens"), data).status_code == 303
    again = web.post(url(case, "specimens"), data)
    assert again.status_code in {409, 422}
    assert case.specimens.count() == 4


def test_a_tube_goes_from_hand_to_hand(web: Client, case: Procedure) -> None:
    first, second = tube(case, "csf_cell_count"), tube(case, "csf_culture")
    both = [first.pk, second.pk]
    sent = web.post(url(case, "specimen_hand_over", first.pk), {"specimens": both, "to": "Courier", "at": local(5)})
    assert sent.status_code == 303
    wrong = {"specimens": both, "confirmed_by": "Ito", "counted": "1", "at": local(1)}
    refused = web.post(url(case, "specimen_receive", first.pk), wrong)
    assert refused.status_code == 422 and "the laboratory counts 1" in refused.content.decode()
    assert 'value="Ito"' in refused.content.decode()
    assert web.post(url(case, "specimen_receive", first.pk), {**wrong, "counted": "2"}).status_code == 303
    assert set(case.specimens.values_list("handed_over_to", "received_note")) == {("Courier", "Ito")}
    assert named(case, "csf_culture").status == "received"


def test_receipt_before_collection_is_refused_in_words(web: Client, case: Procedure) -> None:
    specimen = tube(case, "csf_cell_count")
    data = {"specimens": [specimen.pk], "confirmed_by": "Ito", "at": local(300)}
    answer = web.post(url(case, "specimen_receive", specimen.pk), data)
    assert answer.status_code == 422 and "before the tube was collected" in answer.content.decode()


def test_a_rejected_tube_asks_for_a_decision_and_takes_both(web: Client, case: Procedure) -> None:
    specimen = tube(case, "csf_cell_count", "csf_culture")
    data = {"loss": "rejected", "code": "haemolysed", "reason": "pink serum"}
    other = {"loss": "rejected", "code": "other", "reason": ""}
    assert web.post(url(case, "specimen_loss", specimen.pk), {"loss": "rejected"}).status_code == 422
    assert web.post(url(case, "specimen_loss", specimen.pk), other).status_code == 422
    assert web.post(url(case, "specimen_loss", specimen.pk), data).status_code == 303
    page = web.get(url(case, "tests")).content.decode()
    assert "Rejected: decide" in page and "haemolysed" in page
    cells, culture = named(case, "csf_cell_count"), named(case, "csf_culture")
    again = web.post(url(case, "test_recollect", cells.pk), {"decision": "recollect", "reason": "tap again"})
    assert again["Location"] == url(case, "specimens")
    given_up = web.post(url(case, "test_recollect", culture.pk), {"decision": "cancel", "reason": "treated already"})
    assert given_up.status_code == 303
    assert named(case, "csf_culture").status == "cancelled"
    assert "tap again" in named(case, "csf_cell_count").ended_reason


def test_a_flawed_specimen_that_is_examined_all_the_same_says_so_beside_its_test(web: Client, case: Procedure) -> None:
    specimen = tube(case, "csf_cell_count")
    web.post(url(case, "specimen_loss", specimen.pk), {"loss": "rejected", "code": "too_little", "reason": ""})
    decide = url(case, "test_recollect", named(case, "csf_cell_count").pk)
    assert "accept the risk" in web.get(decide).content.decode()
    assert web.post(decide, {"decision": "accept", "reason": "cannot be tapped again"}).status_code == 303
    cells = named(case, "csf_cell_count")
    assert (cells.status, cells.ended_reason) == ("received", "")
    page = web.get(url(case, "tests")).content.decode()
    assert "examined all the same" in page and "too little" in page and "cannot be tapped again" in page


def test_a_lost_specimen_cannot_be_examined_all_the_same(web: Client, case: Procedure) -> None:
    specimen = tube(case, "csf_cell_count")
    web.post(url(case, "specimen_loss", specimen.pk), {"loss": "lost", "code": "not_found", "reason": ""})
    decide = url(case, "test_recollect", named(case, "csf_cell_count").pk)
    assert "accept the risk" not in web.get(decide).content.decode()
    assert web.post(decide, {"decision": "accept", "reason": "x"}).status_code == 422


def test_a_part_of_the_tubes_may_arrive_first_and_the_others_stay_asked_for(web: Client, case: Procedure) -> None:
    first, second = tube(case, "csf_cell_count"), tube(case, "csf_culture")
    data = {"specimens": [first.pk], "confirmed_by": "Ito", "counted": "1", "at": local()}
    page = web.post(url(case, "specimen_receive", first.pk), data, follow=True).content.decode()
    assert "has 1 of 2 tubes" in page and "1 are still on the way" in page
    open_ = case.follow_ups.filter(kind="specimen_not_received", closed_at__isnull=True)
    assert [f.about["specimen"] for f in open_] == [second.pk]


def test_a_label_carries_the_number_as_bars_and_the_sheet_has_two_sizes(web: Client, case: Procedure) -> None:
    page = web.get(url(case, "labels")).content.decode()
    assert page.count('class="bars"') == 4 and f'aria-label="{case.code}"' in page and "labels-a4" in page
    assert "labels-letter" in web.get(url(case, "labels"), {"paper": "letter"}).content.decode()


def test_labels_carry_two_identifiers_the_tube_and_no_address_of_the_patient(web: Client, case: Procedure) -> None:
    page = web.get(url(case, "labels")).content.decode()
    assert page.count("label-card") == 4  # three tubes of fluid and the serum
    assert case.patient.name in page and case.patient.mrn in page and "17 May 1984" in page
    assert case.patient.name not in url(case, "labels")
