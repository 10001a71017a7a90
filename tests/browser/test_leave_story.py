"""A physician is on leave when a culture grows at night: who covers and who is on call are asked, and she is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail

from clinic import clock
from clinic.models import OnCall, User
from clinic.roles import Role
from followups import engine
from followups.services import demo_clock
from tests import make
from tests.browser import chapters
from tests.browser.story import Person
from tests.factories.full import Told
from tests.factories.people import Cast
from tests.flows.story import moment

pytestmark = pytest.mark.django_db(transaction=True)

CULTURE = "Read the result: Culture, aerobic"


@pytest.fixture
def told(cast: Cast, settings: Any) -> Told:
    """Pia has drained ascites on Tuesday, and the bottles are in the laboratory."""
    settings.DEMO = True
    demo_clock.set_to(moment(0, "08:00"))
    make.opening_hours()
    for user in User.objects.all():
        User.objects.filter(pk=user.pk).update(email=f"{user.username}@clinic.test")
    story = Told(cast=cast, rooms={"clinic": make.room("Room 1")}, travel=demo_clock.set_to)
    story.request("paracentesis", "relief", patient=make.patient(given="Ada", family="Zimmermann"))
    story.book(1, "09:00")
    story.at(0, "14:00").sign("pre_visit", "consent")
    story.at(1, "08:45").arrive()
    story.sign("sign_in", "time_out")
    story.at(1, "09:00").start()
    story.at(1, "09:10").collect()
    story.at(1, "09:40").deliver()
    story.at(1, "10:20").complete()
    story.record()
    story.sign_record()
    return story


def test_a_culture_that_grows_at_night_reaches_whoever_covers_and_whoever_is_on_call(
    told: Told, at_a_computer: Callable[[User], Person], cast: Cast
) -> None:
    theo = make.user(Role.PHYSICIAN, username="theo", full_name="Theo Night", email="theo@clinic.test")
    pia, carl, nora = (at_a_computer(user) for user in (cast.pia, cast.carl, cast.nora))
    case = f"/cases/{told.code}/"
    go_on_leave(pia, carl)
    turn = {"starts_at": moment(1, "18:00"), "ends_at": moment(2, "08:00")}
    OnCall.objects.create(user=theo, role=str(Role.PHYSICIAN), **turn)

    demo_clock.set_to(moment(2, "02:00"))
    mail.outbox.clear()
    nora.open(case)
    chapters.enter(nora, nora.page.url, "Culture, aerobic", {"Growth": "Growth"})
    confirm(nora)
    engine.run_pass(clock.now())
    asked = {address for message in mail.outbox for address in message.to}
    assert {"carl@clinic.test", "theo@clinic.test"} <= asked
    assert "pia@clinic.test" not in asked

    take_and_read(carl, nora, case)
    demo_clock.set_to(moment(4, "09:00"))
    pia.open(case)
    assert not any(CULTURE in line for line in pia.promised)
    assert "Carl Cover, MD" in pia.part("Tests and results")


def go_on_leave(pia: Person, carl: Person) -> None:
    """Planned by herself, and accepted by Carl on his own account."""
    pia.open("/account/")
    pia.follow("Plan an absence")
    pia.fill("Away from", f"{moment(1, '16:00'):%Y-%m-%dT%H:%M}")
    pia.fill("Back at", f"{moment(4, '08:00'):%Y-%m-%dT%H:%M}")
    pia.choose("Who covers", "Carl Cover, MD")
    pia.press("Plan it")
    assert "Carl Cover, MD is asked to cover" in pia.said
    carl.open("/account/")
    assert "You are asked to cover for Pia Physician, MD" in carl.text
    carl.press("Accept")
    assert carl.said == "Accepted: you cover for Pia Physician, MD."


def confirm(nora: Person) -> None:
    """Any growth is critical: it is checked a second time."""
    nora.fill("The critical value, typed a second time", "Growth")
    nora.press("Save the result")
    assert "is critical" in nora.said


def take_and_read(carl: Person, nora: Person, case: str) -> None:
    """It is the first line of what he covers; he takes it, reads it, and decides."""
    carl.open("/inbox/?of=covered")
    assert "Covered for Pia Physician" in carl.text
    assert CULTURE in carl.rows[0]
    carl.follow(f"Take: {CULTURE}, Zimmermann, Ada")
    carl.press("Take it")
    assert "You have taken this task" in carl.said
    carl.open(case)
    assert "Carl Cover, MD (taken)" in carl.promise(CULTURE)
    carl.follow(CULTURE)
    carl.pick("Interpretation", "critical")
    carl.pick("Plan", "treat")
    carl.fill("What exactly, for repeat, treat or refer", "Cefotaxime 2 g now")
    carl.pick("Tell the patient", "at once, about this result")
    carl.fill("What the patient is told, in plain words", "The fluid is infected. You need an antibiotic now.")
    carl.press("Sign this reading")
    assert "Carl Cover, MD" in carl.promise("Do what was decided: treat")
    nora.open(case)
    assert not any(CULTURE in line for line in nora.promised)
