"""The record's pages: written, checked, signed, amended; what was typed is never lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clinic import clock
from clinic.models import AuditEntry, User
from clinic.roles import Role
from procedures.models import Procedure, ProcedureRecord
from tests import make

pytestmark = pytest.mark.django_db
PAGES = ("record", "record_note", "record_sign", "record_amend")


@pytest.fixture
def doctor() -> User:
    return make.user(Role.PHYSICIAN, full_name="Lea Haddad")


@pytest.fixture
def case(doctor: User) -> Procedure:
    return make.procedure(status="completed", starts=clock.now() - timedelta(hours=3), responsible=doctor)


@pytest.fixture
def web(client: Client, doctor: User) -> Client:
    client.force_login(doctor)
    return client


def url(case: Procedure, name: str = "record") -> str:
    return reverse(f"procedures:{name}", args=[case.code])


def local(hours_ago: float) -> str:
    return timezone.localtime(clock.now() - timedelta(hours=hours_ago)).strftime("%Y-%m-%dT%H:%M")


def complete(case: Procedure, **changes: Any) -> dict[str, Any]:
    """A form that can be signed, with the first answer of each required field."""
    data: dict[str, Any] = {
        "started_at": local(2),
        "ended_at": local(1),
        "operator": case.responsible_id,
        "no_complications": "on",
    }
    for item in case.protocol_version.parsed.record_fields:
        if item.required:
            data[item.code] = item.choices[0].code if item.choices else "1" if item.kind == "integer" else "text"
    return {**data, **changes}


def draft(case: Procedure) -> ProcedureRecord:
    return case.records.get(signed_at__isnull=True)


def login(client: Client, role: Role) -> Client:
    client.force_login(make.user(role))
    return client


# --- who ------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.SCHEDULER, Role.ADMINISTRATOR])
@pytest.mark.parametrize("name", PAGES)
def test_who_sees_no_charts_finds_no_such_page(client: Client, case: Procedure, role: Role, name: str) -> None:
    assert login(client, role).get(url(case, name)).status_code == 404


def test_the_director_reads_and_changes_nothing(web: Client, case: Procedure) -> None:
    web.post(url(case), complete(case))
    web.post(url(case, "record_sign"), {"seen": draft(case).saved_at.isoformat()})
    login(web, Role.DIRECTOR)
    page = web.get(url(case))
    assert page.status_code == 200 and "signed by Lea Haddad" in page.content.decode()
    assert web.get(url(case, "record_note")).status_code == 200
    assert web.post(url(case), complete(case)).status_code == 403
    assert web.post(url(case, "record_amend"), {"reason": "x"}).status_code == 403
    assert web.post(url(case, "record_sign"), {"seen": ""}).status_code == 403


def test_a_nurse_writes_and_does_not_sign(client: Client, case: Procedure) -> None:
    nurse = login(client, Role.NURSE)
    assert nurse.get(url(case)).status_code == 200
    assert nurse.post(url(case), complete(case)).status_code == 303
    assert nurse.get(url(case, "record_sign")).status_code == 403
    assert nurse.post(url(case, "record_sign"), {"seen": draft(case).saved_at.isoformat()}).status_code == 403
    assert draft(case).signed_at is None


def test_reading_a_chart_is_one_audit_line_and_the_hints_are_none(web: Client, case: Procedure) -> None:
    web.get(url(case))
    web.post(url(case, "record_hint"), {"volume_removed_ml": "6000"}, headers={"HX-Request": "true"})
    lines = AuditEntry.objects.filter(patient_id=case.patient_id, action="chart.read")
    assert lines.count() == 1


# --- writing --------------------------------------------------------------------------------


def test_the_page_is_drawn_from_the_protocol_with_units_beside_the_inputs(web: Client, case: Procedure) -> None:
    page = web.get(url(case)).content.decode()
    for item in case.protocol_version.parsed.record_fields:
        assert f'name="{item.code}"' in page
    assert '<span class="input-group-text">mL</span>' in page
    assert "There was no complication" in page and case.patient.name in page


def test_a_lumbar_puncture_has_its_own_fields(web: Client, doctor: User) -> None:
    lumbar = make.procedure("lumbar_puncture", status="completed", responsible=doctor)
    page = web.get(url(lumbar)).content.decode()
    assert "Opening pressure" in page and "volume_removed_ml" not in page


def test_a_procedure_that_is_only_a_file_is_written_and_signed_the_same_way(web: Client, doctor: User) -> None:
    third = make.procedure(
        "thoracentesis", status="completed", starts=clock.now() - timedelta(hours=3), responsible=doctor
    )
    assert web.post(url(third), complete(third)).status_code == 303
    answer = web.post(url(third, "record_sign"), {"seen": draft(third).saved_at.isoformat()})
    assert answer.status_code == 303 and third.records.get().signed_at is not None


def test_an_empty_page_can_be_saved(web: Client, case: Procedure) -> None:
    assert web.post(url(case), {}).status_code == 303
    assert draft(case).fields == {}


def test_text_in_a_number_loses_nothing_that_was_typed(web: Client, case: Procedure) -> None:
    answer = web.post(url(case), complete(case, volume_removed_ml="six litres", supervisor="Dr Okoye"))
    page = answer.content.decode()
    assert answer.status_code == 422 and not case.records.exists()
    assert 'value="six litres"' in page and 'value="Dr Okoye"' in page
    assert 'href="#id_volume_removed_ml"' in page and "This is not a number" in page


def test_a_time_that_is_none_loses_nothing_either(web: Client, case: Procedure) -> None:
    answer = web.post(url(case), complete(case, started_at="yesterday", assistant="N. Brandt"))
    assert answer.status_code == 422
    assert 'value="N. Brandt"' in answer.content.decode() and 'value="yesterday"' in answer.content.decode()


@pytest.mark.parametrize(("volume", "says"), [("5000", False), ("5001", True), ("6000", True)])
def test_the_hint_appears_while_one_types_and_saves_nothing(
    web: Client, case: Procedure, volume: str, says: bool
) -> None:
    answer = web.post(url(case, "record_hint"), {"volume_removed_ml": volume}, headers={"HX-Request": "true"})
    text = answer.content.decode()
    assert answer.status_code == 200 and "<html" not in text
    assert ("More than 5 L" in text) is says
    if volume == "6000":
        assert "6 L at 6–8 g per litre: 36–48 g." in " ".join(text.split())
    assert not case.records.exists()


def test_the_hint_stands_on_the_page_after_a_plain_save_too(web: Client, case: Procedure) -> None:
    web.post(url(case), complete(case, volume_removed_ml="6000", albumin_given_g="30"))
    text = " ".join(web.get(url(case)).content.decode().split())
    assert "36–48 g." in text and "Given: 30 g, less than that." in text
    assert "not yet approved by a clinician" in text


def test_a_stale_form_gets_409_with_both_and_overwrites_nothing(web: Client, case: Procedure) -> None:
    web.post(url(case), complete(case, assistant="first"))
    seen = draft(case).saved_at.isoformat()
    web.post(url(case), complete(case, assistant="second", seen=seen))
    answer = web.post(url(case), complete(case, assistant="third", seen=seen))
    page = answer.content.decode()
    assert answer.status_code == 409 and draft(case).assistant == "second"
    assert "third" in page and "second" in page and "Nothing of yours was saved over it" in page


# --- signing --------------------------------------------------------------------------------


def test_save_and_check_leads_to_the_answers_and_then_to_a_signature(web: Client, case: Procedure) -> None:
    answer = web.post(url(case), complete(case, volume_removed_ml="4000", then="sign"))
    assert answer["Location"] == url(case, "record_sign")
    page = web.get(answer["Location"]).content.decode()
    assert "4000 mL" in page and "Sign the record" in page
    signed = web.post(url(case, "record_sign"), {"seen": draft(case).saved_at.isoformat()})
    assert signed.status_code == 303 and signed["Location"] == reverse("followups:case", args=[case.code])
    assert case.records.get().signed_by_id == case.responsible_id


def test_what_is_missing_is_listed_with_links_and_nothing_is_signed(web: Client, case: Procedure) -> None:
    web.post(url(case), complete(case, volume_removed_ml="6000", site=""))
    page = web.get(url(case, "record_sign")).content.decode()
    assert "#id_albumin_given_g" in page and "#id_site" in page and "Sign the record" not in page
    answer = web.post(url(case, "record_sign"), {"seen": draft(case).saved_at.isoformat()})
    assert answer.status_code == 422 and "36 to 48 g" in answer.content.decode()
    assert draft(case).signed_at is None


def test_signing_what_was_changed_since_is_refused_with_409(web: Client, case: Procedure) -> None:
    web.post(url(case), complete(case))
    seen = draft(case).saved_at.isoformat()
    web.post(url(case), complete(case, assistant="other", seen=seen))
    assert web.post(url(case, "record_sign"), {"seen": seen}).status_code == 409
    assert draft(case).signed_at is None


def test_a_double_click_on_sign_ends_on_the_case_twice(web: Client, case: Procedure) -> None:
    web.post(url(case), complete(case))
    seen = draft(case).saved_at.isoformat()
    answers = [web.post(url(case, "record_sign"), {"seen": seen}) for _ in range(2)]
    assert [a.status_code for a in answers] == [303, 303] and case.records.count() == 1


def test_an_amendment_shows_its_reason_and_what_changed(web: Client, case: Procedure) -> None:
    web.post(url(case), complete(case, volume_removed_ml="4000"))
    web.post(url(case, "record_sign"), {"seen": draft(case).saved_at.isoformat()})
    assert web.post(url(case, "record_amend"), {"reason": ""}).status_code == 422
    assert web.post(url(case, "record_amend"), {"reason": "misread the bag"}).status_code == 303
    web.post(url(case), complete(case, volume_removed_ml="4200", seen=draft(case).saved_at.isoformat()))
    web.post(url(case, "record_sign"), {"seen": draft(case).saved_at.isoformat()})
    page = web.get(url(case)).content.decode()
    assert "misread the bag" in page
    assert "<del>4000 mL</del>" in page and "<ins>4200 mL</ins>" in page


def test_the_note_is_plain_text_in_one_click(web: Client, case: Procedure) -> None:
    web.post(url(case), complete(case, volume_removed_ml="4000"))
    answer = web.get(url(case, "record_note"))
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert "4000 mL" in answer.content.decode() and "DRAFT, NOT SIGNED" in answer.content.decode()
