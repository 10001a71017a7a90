"""Clearance in the browser's terms: what is shown to whom, what a decision needs, what it does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from clinic import clock
from clinic.actor import Actor
from clinic.roles import Role
from procedures.domain.answers import Entry
from procedures.models import ClearanceDecision, Procedure, SafetyRun
from procedures.selectors import clearance as selector
from procedures.services import checklist_rows, checklists, rulesets
from tests import make
from tests.pages import as_role, fresh, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def stopped() -> Procedure:
    rulesets.publish(data=rulesets.read(), actor=Actor.system("tests"))
    make.opening_hours()
    case = make.procedure("lumbar_puncture", status="scheduled")
    checklist_rows.add_medicine(
        actor=make.actor(), procedure=case, name="Apixaban", dose="5 mg twice daily", status="ongoing"
    )
    return case


@pytest.fixture
def physician() -> Client:
    return as_role(Role.PHYSICIAN)


def sent(case: Procedure, **more: Any) -> dict[str, Any]:
    found = selector.of(case, clock.now())
    assert found is not None
    keys = [stood.finding.key for stood in found.uncleared]
    return {"seen": found.digest, "keys": keys, "reason": "Cannot wait", "decision": "proceed"} | more


def test_the_page_says_what_was_found_why_from_which_source_and_whom_to_ask(
    stopped: Procedure, physician: Client
) -> None:
    text = physician.get(url("clearance", stopped)).content.decode()
    for words in ("hold from", "As long as it is taken", "not approved by this clinic", "Decide so"):
        assert words in text
    assert "May it be paused for the procedure" in text
    nurse = as_role(Role.NURSE).get(url("clearance", stopped)).content.decode()
    assert "hold from" in nurse
    assert "Decide so" not in nurse


def test_what_is_missing_is_said_and_nothing_typed_is_lost(stopped: Procedure, physician: Client) -> None:
    answer = physician.post(
        url("clearance", stopped), sent(stopped, decision="correct_first", reason="Look <b>here</b>")
    )
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "Say what is corrected first" in text
    assert "Look &lt;b&gt;here&lt;/b&gt;" in text
    assert not ClearanceDecision.objects.exists()


def test_no_decision_is_chosen_beforehand(physician: Client) -> None:
    rulesets.publish(data=rulesets.read(), actor=Actor.system("tests"))
    case = make.procedure("lumbar_puncture", status="scheduled")
    values = {
        "platelets": Entry(value="45"),
        "platelets_at": Entry(value=f"{clock.now() - timedelta(days=1):%Y-%m-%dT%H:%M}"),
    }
    checklists.save_answers(actor=make.actor(), procedure=case, entries=values)
    page = physician.get(url("clearance", case))
    assert "Platelets between 40 and 50" in page.content.decode()
    assert not page.context["form"]["decision"].value()
    assert physician.post(url("clearance", case), {**sent(case), "decision": ""}).status_code == 422


def test_old_findings_are_a_conflict(stopped: Procedure, physician: Client) -> None:
    old = sent(stopped)
    checklist_rows.add_medicine(actor=make.actor(), procedure=stopped, name="Warfarin", status="ongoing")
    answer = physician.post(url("clearance", stopped), old)
    assert answer.status_code == 409
    assert "have changed since you saw them" in answer.content.decode()


def test_two_people_proceed_and_the_first_cannot_be_the_second(stopped: Procedure, physician: Client) -> None:
    assert physician.post(url("clearance", stopped), sent(stopped)).status_code == 303
    row = ClearanceDecision.objects.get()
    assert "Stop, cleared" not in physician.get(url("clearance", stopped)).content.decode()  # one is not enough
    sign = f"{url('clearance', stopped)}{row.pk}/sign/"
    assert "that of another person" in physician.get(sign).content.decode()
    assert physician.post(sign).status_code == 403
    director = as_role(Role.DIRECTOR)
    assert "I agree: sign" in director.get(sign).content.decode()
    assert director.post(sign).status_code == 303
    assert row.signature.by.has(Role.DIRECTOR)
    # the banner goes on saying what was passed over
    assert "Stop, cleared by two people" in physician.get(url("clearance", stopped)).content.decode()


def test_one_submit_holds_the_medicine_and_moves_the_booking(stopped: Procedure, physician: Client) -> None:
    page = physician.get(url("clearance", stopped)).context["form"]
    slot = next(value for value, _words in page.fields["slot"].choices if value)
    booking = page["booking"].value()
    answer = physician.post(
        url("clearance", stopped),
        sent(stopped, decision="hold_until", slot=slot, booking=booking, hold_medicines="on", agreed_with="Dr Heart"),
    )
    assert answer.status_code == 303
    assert fresh(stopped).stay.lower.isoformat() == slot.partition("|")[0]
    assert stopped.holds.get().agreed_with == "Dr Heart"
    assert SafetyRun.objects.filter(moment="booking").exists()


def test_cancelling_as_unsafe_cancels(stopped: Procedure, physician: Client) -> None:
    physician.post(url("clearance", stopped), sent(stopped, decision="cancel_unsafe"))
    assert fresh(stopped).status == "cancelled"


def test_the_emergency_page_says_what_it_passes_over(stopped: Procedure, physician: Client) -> None:
    text = physician.get(url("emergency", stopped)).content.decode()
    assert "It does not keep an emergency waiting" in text
    assert "hold from" in text
