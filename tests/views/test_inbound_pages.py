"""What laboratories sent, on pages: what waits, the message itself, and the laboratories with their codes."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from clinic.roles import Role
from followups.models import FollowUp
from procedures.models import CodeMapping, InboundItem, InboundMessage, Laboratory
from tests import make
from tests.factories import hl7, inbound
from tests.factories.inbound import Chart, owed, send, tapped, waiting
from tests.flows.words import moment

pytestmark = pytest.mark.django_db
LOCAL = "CSF_TP^Total protein^L"


@pytest.fixture(autouse=True)
def laboratory(time_machine: Any) -> Laboratory:
    time_machine.move_to(moment(7, "12:00"), tick=False)
    return inbound.laboratory()


@pytest.fixture
def nurse() -> Client:
    return logged_in(Role.NURSE)


def logged_in(role: Role) -> Client:
    client = Client()
    client.force_login(make.user(role), backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def unknown_code(value: str = "61", **more: Any) -> hl7.Oru:
    order = hl7.csf_protein(value, **more)
    return hl7.csf_oru(replace(order, observations=[replace(order.observations[0], code=LOCAL)]))


def test_an_unknown_code_is_attached_by_one_click_and_the_next_one_is_entered_by_itself(nurse: Client) -> None:
    chart = Chart(tapped("csf_protein"))
    message = send(unknown_code())
    assert waiting(message) == {"OBR[1]/OBX[1]": ["unknown_code"]}
    page = nurse.get("/results/unmatched/").content.decode()
    assert "Total protein" in page
    assert "Moreau" not in page
    text = nurse.get(f"/results/unmatched/{message.pk}/").content.decode()
    assert "Moreau" in text and chart.case.code in text and "We do not know what this laboratory means" in text
    item = InboundItem.objects.get()
    data = {"case": chart.case.code, "items": [item.pk], f"target_{item.pk}": "csf_protein.protein", "remember": "on"}
    answer = nurse.post(f"/results/unmatched/{message.pk}/attach/", data)
    assert (answer.status_code, answer["Location"]) == (303, "/results/unmatched/")
    assert chart.values("csf_protein") == {"protein": 61}
    assert owed(message) == {}
    # a second click finds it decided
    assert nurse.post(f"/results/unmatched/{message.pk}/attach/", data).status_code == 409
    assert send(unknown_code("44", reported="20261123113000")).state == "done"
    assert chart.values("csf_protein") == {"protein": 44}


def test_the_cases_own_code_in_the_message_is_said_to_agree(nurse: Client) -> None:
    chart = Chart(tapped("csf_protein"))
    message = send(unknown_code(placer=chart.case.code))
    page = nurse.get(f"/results/unmatched/{message.pk}/").content.decode()
    row = page[page.index("Tube or order") :]
    assert chart.case.code in row[: row.index("</tr>")]
    assert "agrees" in row[: row.index("</tr>")]


def test_what_was_typed_is_not_lost_when_it_cannot_be_saved(nurse: Client) -> None:
    chart = Chart(tapped("csf_protein"))
    message = send(unknown_code())
    item = InboundItem.objects.get()
    url = f"/results/unmatched/{message.pk}/"
    answer = nurse.post(f"{url}attach/", {"case": chart.case.code, "items": [item.pk], "reason": "typed"})
    assert answer.status_code == 422
    assert "Choose for each ticked result which test it is." in answer.content.decode()
    assert "typed" in answer.content.decode()
    answer = nurse.post(f"{url}reject/", {"case": chart.case.code, "items": [item.pk], "reason": ""})
    assert answer.status_code == 422
    assert "Say why." in answer.content.decode()


def test_one_part_is_attached_another_rejected_and_the_message_is_dealt_with(nurse: Client) -> None:
    chart = Chart(tapped("csf_protein"))
    order = hl7.csf_cell_count()
    odd = [replace(one, code=f"X{n}^Something {n}^L") for n, one in enumerate(order.observations)]
    message = send(hl7.csf_oru(replace(order, observations=odd)))
    first, second, third = InboundItem.objects.order_by("pk")
    url = f"/results/unmatched/{message.pk}/"
    data = {"case": chart.case.code, "items": [first.pk], f"target_{first.pk}": "other"}
    assert nurse.post(f"{url}attach/", data)["Location"] == url
    other = chart.test("other:X0")
    assert (other.label, other.not_ordered) == ("Something 0", True)
    current = chart.current("other:X0")
    assert current is not None
    assert current.level == "unknown"  # nobody judges it, so somebody reads it
    assert nurse.get(f"/cases/{chart.case.code}/tests/{other.pk}/results/").status_code == 200
    nurse.post(f"{url}reject/", {"items": [second.pk, third.pk], "reason": "Not ours"})
    message.refresh_from_db()
    assert message.state == "done"
    assert "Not ours" in nurse.get(f"/results/messages/{message.pk}/").content.decode()


def test_another_patient_is_looked_for_and_chosen(nurse: Client) -> None:
    chart = Chart(tapped("csf_protein"))
    stranger = hl7.Patient(numbers=(("9", "EXAMPLE HOSPITAL", "MR"),), family="Nobody", born="19000101")
    message = send(hl7.csf_oru(hl7.csf_protein(), patient=stranger))
    text = nurse.get(f"/results/unmatched/{message.pk}/").content.decode()
    assert "Nobody here fits" in text
    text = nurse.post(f"/results/unmatched/{message.pk}/look/", {"q": "Moreau"}).content.decode()
    assert f"?case={chart.case.code}" in text or "Chosen above" in text
    assert "differs" in text


def test_a_wrong_attachment_is_taken_back_and_waits_again(nurse: Client) -> None:
    chart = Chart(tapped("csf_protein"))
    message = send(unknown_code())
    item = InboundItem.objects.get()
    nurse.post(
        f"/results/unmatched/{message.pk}/attach/",
        {"case": chart.case.code, "items": [item.pk], f"target_{item.pk}": "csf_protein.protein"},
    )
    version = chart.current("csf_protein")
    assert version is not None
    assert nurse.get(f"/results/attached/{version.pk}/undo/").status_code == 200
    answer = nurse.post(f"/results/attached/{version.pk}/undo/", {"reason": "Another tap"})
    assert answer["Location"] == f"/results/unmatched/{message.pk}/"
    assert chart.current("csf_protein") is None
    assert waiting(message) == {"OBR[1]/OBX[1]": ["undone"]}
    nurse.post(f"/results/messages/{message.pk}/again/")  # reading it again does not enter it by itself
    assert waiting(message) == {"OBR[1]/OBX[1]": ["undone"]}


def test_a_message_shows_its_segments_as_text_and_a_document_as_a_download_alone(nurse: Client) -> None:
    tapped("csf_protein")
    html = base64.b64encode(b"<script>alert(1)</script>").decode()
    order = hl7.csf_protein()
    note = replace(order.observations[0], notes=["<i>slanted</i>"])
    document = hl7.Obx(code="99^Report^L", type="ED", value=f"LAB^text^html^Base64^{html}")
    message = send(hl7.csf_oru(replace(order, observations=[note, document])))
    text = nurse.get(f"/results/messages/{message.pk}/").content.decode()
    assert "&lt;i&gt;slanted&lt;/i&gt;" in text
    assert "<i>slanted" not in text
    line = next(int(part.split("/")[0]) for part in text.split("/document/")[1:])
    answer = nurse.get(f"/results/messages/{message.pk}/document/{line}/")
    assert answer.content == b"<script>alert(1)</script>"
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment;")
    assert (answer["X-Content-Type-Options"], answer["Content-Security-Policy"]) == (
        "nosniff",
        "sandbox; default-src 'none'",
    )
    assert nurse.get(f"/results/messages/{message.pk}/document/1/").status_code == 404


def test_what_cannot_be_read_is_shown_and_dealt_with(nurse: Client) -> None:
    message = send(b"<b>no message</b>")
    text = nurse.get(f"/results/messages/{message.pk}/").content.decode()
    assert "&lt;b&gt;no message&lt;/b&gt;" in text
    assert nurse.post(f"/results/messages/{message.pk}/close/", {"reason": ""}).status_code == 422
    assert nurse.post(f"/results/messages/{message.pk}/close/", {"reason": "A test of theirs"}).status_code == 303
    assert owed(message) == {}


def test_messages_are_found_by_number_day_and_state(nurse: Client) -> None:
    tapped("csf_protein")
    message = send(hl7.csf_oru(hl7.csf_protein()))
    url = f"/results/messages/{message.pk}/"
    assert url in nurse.get("/results/messages/").content.decode()
    for data, found in (
        ({"control_id": message.control_id}, True),
        ({"day": "2026-11-23", "state": "done"}, True),
        ({"day": "2026-11-22"}, False),
        ({"state": "waiting"}, False),
    ):
        assert (url in nurse.post("/results/messages/", data).content.decode()) is found


def test_a_physician_says_what_was_done_about_a_result_taken_back() -> None:
    chart = Chart(tapped("csf_glucose"))
    send(hl7.csf_oru(hl7.csf_glucose("20")))
    send(hl7.csf_oru(hl7.csf_glucose("20", status="W", reported="20261123110000"), sent="20261123110000"))
    promise = FollowUp.objects.get(kind="result_taken_back")
    assert (promise.level, promise.responsible_id) == ("critical", chart.case.responsible_id)
    url = f"/results/taken-back/{promise.about['version']}/"
    physician = logged_in(Role.PHYSICIAN)
    assert "A result was taken back" in physician.get(url).content.decode()
    assert physician.post(url, {"done": ""}).status_code == 422
    assert physician.post(url, {"done": "Nobody had acted; the laboratory was called"}).status_code == 303
    promise.refresh_from_db()
    assert promise.closed_because == "kept"


def test_a_laboratory_is_kept_with_its_codes_and_what_waits_is_read_again(nurse: Client) -> None:
    chart = Chart(tapped("csf_protein"))
    message = send(unknown_code())
    lab = Laboratory.objects.get()
    url = f"/laboratories/{lab.pk}/"
    assert "Read again the 1 message" in nurse.get(url).content.decode()
    assert nurse.post(f"{url}codes/add/", {"code": "CSF_TP"}).status_code == 422
    data = {"code": "CSF_TP", "system": "L", "target": "lumbar_puncture|csf_protein.protein"}
    assert nurse.post(f"{url}codes/add/", data).status_code == 303
    nurse.post(f"{url}again/")
    assert (waiting(message), chart.values("csf_protein")) == ({}, {"protein": 61})
    nurse.post(f"{url}codes/{CodeMapping.objects.get().pk}/remove/")
    assert send(unknown_code("70", reported="20261123113000")).state == "waiting"
    form = {"name": lab.name, "sending_facility": "X", "zone": "Europe/Nowhere", "authorities": "A ~ B"}
    answer = nurse.post(f"{url}change/", form)
    assert answer.status_code == 422
    assert "There is no such time zone" in answer.content.decode()
    assert "A ~ B" in answer.content.decode()
    good = {**form, "zone": "Europe/Paris", "authorities": "A = CLINIC", "is_active": "on"}
    assert nurse.post(f"{url}change/", good).status_code == 303
    lab.refresh_from_db()
    assert lab.authorities == {"A": "CLINIC"}
    second = {**good, "name": "Another", "sending_facility": "X"}
    assert nurse.post("/laboratories/new/", second).status_code == 422  # two under the same marks
    assert InboundMessage.objects.count() == 2
