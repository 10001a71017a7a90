"""Apixaban forty hours before a lumbar puncture, by hand: stopped, held, moved, told, cleared, restarted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clinic.actor import Actor
from clinic.models import Room, User
from procedures.domain.answers import Entry
from procedures.models import Procedure
from procedures.services import bookings, checklist_rows, checklists, endings, moves, rulesets
from tests import checklist_answers, make
from tests.browser.conftest import Team
from tests.browser.story import MONDAY, Person

pytestmark = pytest.mark.django_db(transaction=True)

SLOT = MONDAY + timedelta(days=2, hours=2)
LAST_DOSE = SLOT - timedelta(hours=40)


def actor(name: str) -> Actor:
    return Actor.person(User.objects.get(username=name))


def booked() -> Procedure:
    """By scheduler and nurse: what is on the list of medicines is what the story is about."""
    rulesets.publish(data=rulesets.read(), actor=Actor.system("tests"))
    case = bookings.request(
        actor=actor("sam"), patient=make.patient(given="Ben", family="Okafor"), protocol="lumbar_puncture",
        indication="multiple_sclerosis", responsible=User.objects.get(username="pia"),
    )  # fmt: skip
    bookings.schedule(actor=actor("sam"), procedure=case, start=SLOT, room=Room.objects.get())
    checklist_rows.add_medicine(
        actor=actor("nora"), procedure=case, name="Apixaban", dose="5 mg twice daily", status="stopped",
        last_dose_at=LAST_DOSE,
    )  # fmt: skip
    return case


@pytest.mark.proof  # the suite tells it at the services: tests/flows/test_clearance_story.py
def test_a_stop_is_held_the_booking_moved_the_last_dose_told_and_the_medicine_restarted(team: Team) -> None:
    case = booked_on_monday_evening(team)
    hold(team.pia, case)
    tell(team.nora, case)
    on_the_day(team, case)
    restart(team.nora, case)


def booked_on_monday_evening(team: Team) -> Procedure:
    team.nora.open("/board/")
    team.nora.wait_until(LAST_DOSE)
    return booked()


def hold(pia: Person, case: Procedure) -> None:
    pia.open("/inbox/")
    assert "Decide on 1 stop before the needle" in pia.row("Okafor")
    pia.open(f"/cases/{case.code}/start/")
    assert "too soon after the last dose" in pia.text and not pia.offers("Start now")
    pia.follow("What the safety rules find")
    assert pia.heading == "May the needle go in?"
    assert "Earliest safe time: Thu 18:00, 72 h after the last dose" in pia.text
    assert "Apixaban" in pia.written("To copy; this program sends nothing.")
    pia.press("Decide so")
    assert pia.corrections
    pia.pick("Decision", "Hold until")
    pia.fill("Reason", "Wait for the apixaban to wear off")
    pia.pick("Hold until: move the booking to", "Fri 08:00, Room 1")
    pia.fill("Agreed with", "Dr Heart, 202 555 0199")
    pia.press("Decide so")
    assert "Decided: hold." in pia.said
    assert "Judged for Fri 08:00" in pia.text
    assert "Nothing that was found stands in the way." in pia.text


def tell(nora: Person, case: Procedure) -> None:
    nora.open(f"/cases/{case.code}/")
    assert nora.promise("Tell the patient when to take the last dose")
    nora.open(f"/cases/{case.code}/holds/")
    assert "Dr Heart" in nora.text and "last dose planned Mon 18:00" in nora.text
    nora.follow("Record that the patient was told")
    nora.fill("What the patient said back", "None since Monday evening, until you call")
    nora.press("Save")
    assert "None since Monday evening, until you call" in nora.text


def on_the_day(team: Team, case: Procedure) -> None:
    nora, pia = actor("nora"), actor("pia")
    checklist_answers.fill_and_sign(case, pia, "pre_visit", stent_or_clot=Entry(value="None"))
    team.pia.open(f"/cases/{case.code}/")
    team.pia.wait_until(MONDAY + timedelta(days=3, hours=23, minutes=30))
    fresh = Procedure.objects.get(pk=case.pk)
    moves.arrive(actor=actor("sam"), procedure=fresh)
    base = fresh.checklists.get().answers.filter(question="medicines", superseded_by=None).get().pk
    checklists.confirm(actor=nora, procedure=fresh, bases={"medicines": base})
    checklist_answers.fill_and_sign(fresh, pia, "consent", "sign_in", "time_out", can_keep_still=Entry(pick="=yes"))
    team.pia.open(f"/cases/{case.code}/start/")
    assert "Nothing stands in the way" in team.pia.text
    team.pia.choose("Operator", "Pia Physician, MD")
    team.pia.press("Start now")
    endings.complete(
        actor=pia, procedure=Procedure.objects.get(pk=case.pk), outcome="done", disposition="home", outcome_reason=""
    )


def restart(nora: Person, case: Procedure) -> None:
    nora.open(f"/cases/{case.code}/")
    assert "Restart the held medicine, or say why not" in nora.text
    nora.open(f"/cases/{case.code}/holds/")
    assert "h after the needle" in nora.text
    nora.follow("Say what became of it")
    nora.pick("What became of it?", "restarted")
    nora.press("Save")
    nora.open(f"/cases/{case.code}/")
    assert "Restart the held medicine" not in nora.part("What is promised")
