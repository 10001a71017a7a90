"""A clinic in the middle of a week with something on every page: nothing that a page can show is missing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import time, timedelta
from typing import Any

from django.urls import reverse

from clinic import clock
from clinic.actor import Actor
from clinic.models import Absence, ClinicHours, Closure, OnCall, OperatorSession, User
from clinic.roles import Role
from followups import engine
from followups.models import Action, FollowUp
from followups.services import demo_clock, promises
from procedures.domain.clearance import Decision
from procedures.interfaces.hl7 import processing
from procedures.models import (
    AllergyEntry,
    ClearanceDecision,
    InboundItem,
    InboundMessage,
    Laboratory,
    MedicineEntry,
    Patient,
    Procedure,
    ResultVersion,
    Series,
    Specimen,
    TakenBack,
)
from procedures.selectors import clearance as selector
from procedures.services import checklist_rows, clearance, inbound_decisions, patients, records, rulesets
from procedures.services.clearance import Wish
from procedures.services.inbound_decisions import Choice
from tests import make
from tests.factories import hl7, inbound
from tests.factories.people import Cast
from tests.factories.promises import message
from tests.flows.story import BEFORE_THE_NEEDLE, Story, moment


class Told(Story):
    """A story that is told to fill pages; the stories about promises look at every step."""

    def check(self) -> None:
        return


@dataclass
class Full:
    """The clinic on Wednesday at ten. ``codes``: cases by what they are."""

    cast: Cast
    codes: dict[str, str] = field(default_factory=dict)
    places: dict[str, Any] = field(default_factory=dict)
    #: By role: an absence of whoever plays it, and one for which they are asked to cover.
    away: dict[Role, int] = field(default_factory=dict)
    asked: dict[Role, int] = field(default_factory=dict)

    def case(self, name: str) -> Procedure:
        return Procedure.objects.get(code=self.codes[name])

    @property
    def rich(self) -> Procedure:
        """Under way after the needle, with everything at once."""
        return self.case("rich")

    @property
    def patient(self) -> Patient:
        return self.rich.patient

    def test(self, code: str) -> int:
        return int(self.rich.tests.get(code=code).pk)

    def version(self, code: str) -> int:
        return int(ResultVersion.objects.filter(test=self.test(code)).latest("number").pk)

    def promise(self, kind: str, *, case: str = "rich") -> int:
        rows = FollowUp.objects.filter(procedure=self.case(case), kind=kind, closed_at=None)
        return int(rows.earliest("pk").pk)

    @property
    def series(self) -> list[Series]:
        """One that goes on, one that has ended."""
        return list(Series.objects.order_by("status", "pk"))

    @property
    def on_the_way(self) -> Specimen:
        """A tube that nobody has given to a courier."""
        return self.case("running").specimens.earliest("pk")

    @property
    def clearance(self) -> int:
        return int(ClearanceDecision.objects.earliest("pk").pk)

    @property
    def waiting(self) -> int:
        """A message of which something waits."""
        return int(InboundMessage.objects.get(state="waiting").pk)

    @property
    def placed(self) -> int:
        """A version that somebody has attached."""
        return int(InboundItem.objects.get(decided_by__isnull=False).version_id or 0)

    @property
    def taken_back(self) -> int:
        return int(TakenBack.objects.get().version_id)

    @property
    def action(self) -> int:
        return int(Action.objects.get(procedure=self.rich, done_at=None).pk)

    @property
    def medicine(self) -> int:
        return int(MedicineEntry.objects.filter(checklist__procedure=self.case("coming")).latest("pk").pk)

    @property
    def allergy(self) -> int:
        return int(AllergyEntry.objects.filter(checklist__procedure=self.case("coming")).latest("pk").pk)

    def url(self, name: str, *args: Any, case: str = "rich") -> str:
        """A case's page."""
        return reverse(name, args=[self.codes[case], *args])


def fill(cast: Cast) -> Full:
    """Needs a demonstration (``settings.DEMO``): the clock is moved from step to step."""
    full = Full(cast)
    demo_clock.set_to(moment(0, "08:00"))
    full.places = _places(cast)
    rooms = {"clinic": full.places["room"], "radiology": make.room("Radiology", location="radiology")}
    for person in User.objects.all():
        User.objects.filter(pk=person.pk).update(email=f"{person.username}@clinic.test")
    story = Told(cast=cast, rooms=rooms, travel=demo_clock.set_to)
    _asked(full, story, "no_show", "paracentesis", "malignancy", (2, "08:00"))
    _rich(full, story)
    _others(full, story)
    _stopped(full, story)
    demo_clock.set_to(moment(2, "10:00"))
    _messages(full)
    _absences(full)
    engine.run_pass(clock.now())
    _people_and_promises(full)
    return full


def _places(cast: Cast) -> dict[str, Any]:
    make.opening_hours()
    now = clock.now()
    away = make.user(Role.NURSE, full_name="Anna Away")
    week = {"starts_at": now + timedelta(days=3), "ends_at": now + timedelta(days=10)}
    return {
        "rooms": (room := make.room("Procedure room 1")),
        "room": room,
        "hours": ClinicHours.objects.earliest("pk"),
        "closures": Closure.objects.create(first_day="2026-11-26", last_day="2026-11-27", reason="Thanksgiving"),
        "sessions": OperatorSession.objects.create(operator=cast.carl, weekday=1, starts=time(8), ends=time(12)),
        "on-call": OnCall.objects.create(user=cast.carl, role=str(Role.PHYSICIAN), **week),
        "absences": Absence.objects.create(user=away, surrogate=cast.nora, **week),
        "away": away,
        "laboratory": Laboratory.objects.create(
            name="Central laboratory", zone="America/New_York", is_default=True, last_pickups={"0": "16:15"}
        ),
    }


def _messages(full: Full) -> None:
    """A laboratory; a message that waits for its code, one that was placed by hand, a result that was taken back."""
    full.places["laboratory"] = inbound.laboratory()
    case = full.case("running")
    patient = case.patient
    numbers = ((patient.mrn, "EXAMPLE HOSPITAL", "MR"),)
    born = f"{patient.birth_date:%Y%m%d}"
    whom = hl7.Patient(numbers=numbers, family=patient.family_name, given=patient.given_name, born=born)
    taken = {"collected": "20261118093000", "received": "20261118094000", "reported": "20261118095000"}
    sent = {"patient": whom, "sent": "20261118095000"}
    count = hl7.csf_cell_count(**taken)
    own = replace(count, observations=[replace(count.observations[0], code="CELLS^Cells^L")])
    inbound.send(hl7.csf_oru(own, **sent))
    other = replace(count, observations=[hl7.Obx(code="ACE^Angiotensin^L", value="9", unit="U/L", status="F")])
    placed = inbound.send(hl7.csf_oru(other, **sent))
    choice = Choice(item=placed.items.get().pk, target=None)
    report = processing.report_of(placed)
    inbound_decisions.attach(
        message=placed, report=report, procedure=case, choices=[choice], actor=Actor.person(full.cast.nora)
    )
    for status in ("F", "W"):
        inbound.send(hl7.csf_oru(hl7.csf_gram(status=status, **taken), **sent))


def _absences(full: Full) -> None:
    """Everybody goes away later, uncovered, and is asked to cover for somebody before that."""
    soon, later = (clock.now() + timedelta(days=days) for days in (20, 40))
    for role in Role:
        somebody, me = make.user(role), full.cast.playing(role)
        for kept, away, surrogate, begin in ((full.asked, somebody, me, soon), (full.away, me, None, later)):
            week = {"starts_at": begin, "ends_at": begin + timedelta(days=5)}
            kept[role] = Absence.objects.create(user=away, surrogate=surrogate, **week).pk


def _rich(full: Full, story: Told) -> None:
    pia, nora = Actor.person(full.cast.pia), Actor.person(full.cast.nora)
    story.at(0, "09:00").request("paracentesis", "relief", patient=make.patient(interpreter_needed=True))
    full.codes["rich"] = story.code
    story.book(1, "09:00")
    story.order("ascites_cytology")
    _lines(story, nora)
    story.hold("Apixaban", last_dose=moment(0, "20:00"), agreed_with="Dr Heart, 202 555 0199")
    story.sign(*BEFORE_THE_NEEDLE)
    story.at(1, "08:45").arrive()
    story.sign("sign_in", "time_out")
    story.at(1, "09:00").start()
    story.at(1, "09:10").collect(accession="A-4711")
    story.at(1, "09:40").deliver()
    story.at(1, "10:20").complete()
    story.record(volume_removed_ml=6000, albumin_product="percent_25", albumin_given_g=48)
    story.sign_record()
    count = {"nucleated_cells": 520, "pmn_percent": 60}
    story.at(1, "12:40").result("ascites_cell_count", "preliminary", again="520", **count)
    story.review("ascites_cell_count", "critical", plan="treat", plan_detail="Ceftriaxone 2 g i.v.", tell="now")
    story.at(1, "13:00").try_to_tell("no_answer")
    story.at(1, "15:00").result("ascites_cell_count", again="540", nucleated_cells=540, pmn_percent=60)
    story.result("ascites_albumin", albumin=1.1)
    story.result("serum_albumin", albumin=2.9)
    story.at(1, "16:00").review("serum_albumin", patient_message="Your blood albumin is a little low.")
    story.at(1, "16:10").result("ascites_protein", protein=1.2)
    story.lose("ascites_cytology", "broke in the tube system")
    story.at(2, "09:15").result("ascites_culture", "preliminary", growth="no_growth_so_far")
    story.ask_symptoms("day_1", leak="clear")
    records.amend(procedure=story.case, actor=pia, reason="Volume was read wrongly")


def _lines(story: Told, nora: Actor) -> None:
    checklist_rows.add_medicine(
        actor=nora, procedure=story.case, name="Spironolactone", dose="100 mg", status="ongoing", thins_blood=False
    )
    checklist_rows.add_allergy(
        actor=nora, procedure=story.case, substance="Penicillin", reaction="rash", severity="reaction"
    )


def _others(full: Full, story: Told) -> None:
    """One case in each of the other states."""
    nora = Actor.person(full.cast.nora)
    _asked(full, story, "coming", "lumbar_puncture", "multiple_sclerosis", (3, "09:00"))
    _lines(story, nora)
    story.answer_checklist("pre_visit")
    story.hold("Warfarin", last_dose=moment(1, "20:00"))
    _asked(full, story, "requested", "paracentesis", "new_ascites", None)
    _asked(full, story, "arrived", "paracentesis", "serial_relief", (2, "10:00"))
    story.sign(*BEFORE_THE_NEEDLE)
    story.arrive()
    _asked(full, story, "running", "lumbar_puncture", "meningitis", None, location="bedside")
    story.answer_checklist()
    story.emergency_start("Septic, cannot wait", operator=full.cast.carl)
    story.collect("csf_cell_count", "csf_gram")
    story.offer("responsible", to=full.cast.carl)
    _asked(full, story, "cancelled", "paracentesis", "malignancy", (4, "09:00"))
    story.cancel("Went to another hospital")
    story.code = full.codes["no_show"]
    story.no_show()
    make.series(case=full.case("coming"))
    make.series(status="ended", case=full.case("cancelled"))


def _stopped(full: Full, story: Told) -> None:
    """The safety rules are published last: a case with a stop, over which one physician would proceed."""
    rulesets.publish(data=rulesets.read(), actor=Actor.system("tests"))
    _asked(full, story, "stopped", "lumbar_puncture", "dementia", (4, "11:00"))
    checklist_rows.add_medicine(
        actor=Actor.person(full.cast.nora), procedure=story.case, name="Apixaban", dose="5 mg twice daily",
        status="ongoing",
    )  # fmt: skip
    found = selector.of(story.case, clock.now())
    assert found is not None
    keys = [stood.finding.key for stood in found.uncleared]
    wish = Wish(decision=Decision.PROCEED, keys=keys, seen=found.digest, reason="Cannot wait")
    clearance.decide(actor=Actor.person(full.cast.carl), procedure=story.case, wish=wish)


def _asked(
    full: Full, story: Told, name: str, protocol: str, indication: str, slot: tuple[int, str] | None, **more: Any
) -> None:
    family = f"{name.title().replace('_', '')}son"
    story.request(protocol, indication, patient=make.patient(given="Sam", family=family), **more)
    full.codes[name] = story.code
    if slot:
        story.book(*slot)


def _people_and_promises(full: Full) -> None:
    """Somebody who died, a task that was taken, one that was put off, a mail that did not arrive."""
    nora = Actor.person(full.cast.nora)
    died = full.case("no_show").patient
    patients.set_deceased(actor=nora, patient=died, at=clock.now() - timedelta(hours=1), reason="The ward called")
    calling = FollowUp.objects.get(pk=full.promise("symptom_check"))
    promises.take(actor=nora, follow_up=calling)
    calling.refresh_from_db()
    promises.note(actor=nora, follow_up=calling, text="Tried at nine, will try again at noon")
    waiting = FollowUp.objects.get(pk=full.promise("awaited_result"))
    promises.snooze(
        actor=nora, follow_up=waiting, until=clock.now() + timedelta(hours=2), reason="The laboratory calls back"
    )
    message(calling, to=full.cast.nora, state="failed")
