"""What goes with the patient, and what one person alone has begun."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from clinic.actor import Actor
from clinic.errors import Conflict, Invalid, NotPermitted
from clinic.models import AuditEntry
from followups.domain.kinds import Kind
from followups.selectors import overrides
from followups.services import transfers
from procedures.domain.states import Disposition, EncounterClass
from procedures.models import Countersignature, Transfer
from procedures.services import checklists, countersignatures, patients
from tests import make
from tests.checklist_answers import harmless
from tests.flows.story import BEFORE_THE_NEEDLE, Story

pytestmark = pytest.mark.django_db


def to_the_ward(story: Story) -> None:
    """An inpatient's tap; back to the ward at ten with a culture under way."""
    patient = make.patient(encounter_class=str(EncounterClass.INPATIENT))
    story.at(0, "09:00").request("paracentesis", "new_ascites", patient=patient, location="bedside")
    story.book(1, "09:00")
    story.at(1, "08:30").arrive()
    story.sign(*BEFORE_THE_NEEDLE)
    story.at(1, "09:00").start()
    story.at(1, "09:15").collect()
    story.at(1, "09:45").deliver()
    story.record()
    story.sign_record()
    story.looked_at = story.owed
    story.at(1, "10:00").complete(to=Disposition.WARD)


def handed(story: Story) -> list[str]:
    return [line for line in story.owed if "accept" in line]


def test_the_ward_accepts_on_the_phone_and_a_physician_after_the_discharge(story: Story) -> None:
    to_the_ward(story)
    assert handed(story) == ["physician/pia: name who accepts (ward) by Tue 17 Nov 14:00"]
    made = story.at(1, "10:10").offer("ward", name="Dr. Haddad", place="Ward 4", phone="555-0144")
    assert handed(story) == ["physician/pia: accept (ward) by Tue 17 Nov 14:10"]
    assert {row["kind"] for row in made.pending} == {"awaited_result", "symptom_check"}
    assert "Haddad" not in str(AuditEntry.objects.filter(action="transfer.offered").values("data", "reason"))

    nora = Actor.person(story.cast.nora)
    with pytest.raises(Invalid, match="Read the list back"):
        transfers.accept_by_phone(actor=nora, transfer=made, name="Dr. Haddad", read_back=False)
    with pytest.raises(NotPermitted):
        transfers.accept(actor=Actor.person(story.cast.pia), transfer=made)
    story.accepted_on_the_phone("Dr. Haddad")
    assert handed(story) == []
    assert story.why_ended(Kind.ACCEPT_TRANSFER) == {"kept"}

    # two days later home: what the ward accepted does not cover it
    patients.set_encounter_class(
        actor=nora, patient=story.at(3, "11:00").case.patient, encounter_class=EncounterClass.OUTPATIENT
    )
    assert handed(story) == ["physician/pia: name who accepts (discharge) by Fri 20 Nov 11:00"]
    offered = story.offer("discharge", to=story.cast.carl, take_over=True)
    assert handed(story) == ["physician/carl: accept (discharge) by Fri 20 Nov 11:00"]
    assert story.case.responsible == story.cast.pia  # offered is not accepted
    transfers.accept(actor=Actor.person(story.cast.carl), transfer=offered)
    story.check()
    assert handed(story) == []
    assert story.case.responsible == story.cast.carl
    assert {p.responsible for p in story.promises} == {story.cast.carl}
    assert AuditEntry.objects.filter(action="procedure.responsible_changed").count() == 1


def test_who_declines_is_followed_by_another_name_and_nobody_answers_twice(story: Story) -> None:
    to_the_ward(story)
    nora, carl = Actor.person(story.cast.nora), Actor.person(story.cast.carl)
    made = story.offer("ward", to=story.cast.carl)
    with pytest.raises(Conflict, match="has not answered yet"):
        story.offer("ward", to=story.cast.pia)
    transfers.decline(actor=carl, transfer=made, reason="Not on this ward")
    assert handed(story) == ["physician/pia: name who accepts (ward) by Tue 17 Nov 14:00"]
    assert story.promises[0].about["declined"] is True
    with pytest.raises(Conflict):
        transfers.accept_by_phone(actor=nora, transfer=made, name="Dr. Haddad", read_back=True)
    for change in ({"answer_reason": "another"}, {"to_phone": "1"}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Transfer.objects.filter(pk=made.pk).update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        made.delete()


def test_a_death_ends_the_handing_on_and_not_the_reading(story: Story) -> None:
    to_the_ward(story)
    patients.set_deceased(actor=Actor.person(story.cast.nora), patient=story.case.patient, at=story.case.completed_at)
    assert {p.kind for p in story.promises} == {Kind.AWAITED_RESULT}
    with pytest.raises(Conflict, match="has died"):
        story.offer("ward", to=story.cast.carl)


def test_an_emergency_start_is_signed_by_somebody_else_agreeing_or_not(story: Story) -> None:
    pia, carl = story.cast.pia, story.cast.carl
    story.at(0, "09:00").request("paracentesis", "infection_recheck", urgency="emergency", location="bedside")
    minimum = {q.code: harmless(q) for q in story.case.protocol_version.parsed.questions if q.minimum}
    checklists.save_answers(actor=Actor.person(pia), procedure=story.case, entries=minimum)
    story.emergency_start("Septic")
    (promise,) = [p for p in story.promises if p.kind == Kind.COUNTERSIGN_START]
    assert (promise.role, promise.responsible) == ("physician", None)

    case = story.case
    with pytest.raises(NotPermitted, match="somebody else signs"):
        countersignatures.countersign(actor=Actor.person(pia), procedure=case, agrees=True)
    with pytest.raises(IntegrityError), transaction.atomic():  # whatever the program does
        Countersignature.objects.create(
            procedure=case, start_at=case.started_at, by=pia, at=case.started_at, agrees=True
        )
    with pytest.raises(Invalid, match="do not agree"):
        story.countersign(by=carl, agrees=False)
    story.countersign(by=carl, agrees=False, comment="The INR could have waited ten minutes")
    assert Kind.COUNTERSIGN_START not in {p.kind for p in story.promises}
    assert story.why_ended(Kind.COUNTERSIGN_START) == {"kept"}
    written = AuditEntry.objects.get(action="procedure.start_not_agreed")
    assert written.action in overrides.AUDITED  # the director's page of overrides
    assert (written.subject_id, written.reason) == (case.pk, "The INR could have waited ten minutes")
    story.countersign(by=carl, agrees=False, comment="The INR could have waited ten minutes")  # a second click
    with pytest.raises(Conflict):
        story.countersign(by=carl, agrees=True)


def test_a_start_that_was_abandoned_and_begun_again_is_signed_anew(story: Story) -> None:
    story.at(0, "09:00").request("paracentesis", "infection_recheck", urgency="emergency", location="bedside")
    minimum = {q.code: harmless(q) for q in story.case.protocol_version.parsed.questions if q.minimum}
    checklists.save_answers(actor=Actor.person(story.cast.pia), procedure=story.case, entries=minimum)
    story.emergency_start("Septic")
    story.countersign()
    story.at(0, "09:10").abandon("Equipment missing")
    assert Kind.COUNTERSIGN_START not in {p.kind for p in story.promises}
    story.at(0, "09:30").emergency_start("Septic", operator=story.cast.carl)
    (promise,) = [p for p in story.promises if p.kind == Kind.COUNTERSIGN_START]
    assert promise.responsible == story.cast.pia  # carl began it this time
    story.countersign(by=story.cast.pia)
