"""A lumbar puncture for suspected multiple sclerosis: a held blood thinner, most results in a day, bands on day 7."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.browser import chapters
from tests.browser.chapters import THINNER
from tests.browser.conftest import Team
from tests.browser.story import MONDAY, Person, now

# The suite walks the other story from end to end by hand, and this one by services (tests/flows); its stop, its hold
# and its findings have stories of their own. All of it by hand is the proof.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.proof]

SLOT = MONDAY + timedelta(days=4, hours=2)
LAST_DOSE = MONDAY + timedelta(hours=12)
LOCAL = "%Y-%m-%dT%H:%M"
BEFORE_THE_VISIT = {
    "Ever a reaction to a skin cleaner?": "No",
    "Pregnant now, possibly, or planning to be?": "Not pregnant",
    "How is that known?": "Reliable contraception",
    "Stent, artificial valve or recent clot: what and when?": "Clot in the leg, March 2025",
    "Is meningitis suspected?": "No",
    "Imaging since the symptoms began: seen, without mass, obstructed ventricles or low tonsils?": (
        "Seen: none of these"
    ),
    "How can we reach the patient after the procedure?": "Phone",
}
CONSENT = {
    "Consent": "Given",
    "Who signed?": "The patient",
    "Can the patient understand and decide today?": "Yes",
    "Interpreter": "Not needed",
}
SIGN_IN = {
    THINNER: "Takes or took one; the last dose is known",
    "Which one, and what dose?": "Apixaban 5 mg",
    "When was the last dose taken?": f"{LAST_DOSE:{LOCAL}}",
    "Can the patient keep still?": "Yes",
    "Legs before the needle: strength, feeling, bladder": "Normal",
}
SIGN_OUT = {
    "Held medicines": "Restart time set for each, and the patient told",
    "Who reads the results?": "Pia Physician",
}
#: What the laboratory reports within 24 hours, all of it normal; each serum before the fluid that is compared with it.
FIRST_DAY = {
    "Cell count and differential": {"White (nucleated) cells": "3 /uL", "Red cells": "0 /uL"},
    "Serum glucose, drawn with the puncture": {"Glucose": "95 mg/dL"},
    "Glucose": {"Glucose": "62 mg/dL"},
    "Protein": {"Protein": "38 mg/dL"},
    "Gram stain": {"Result": "No organisms seen"},
    "Serum IgG": {"IgG": "1010 mg/dL"},
    "Serum albumin": {"Albumin": "4.2 g/dL"},
    "IgG index and synthesis": {"IgG in CSF": "3.1 mg/dL", "Albumin in CSF": "21 mg/dL"},
}


def test_most_results_come_within_a_day_and_the_bands_a_week_later_and_the_patient_hears_of_both(team: Team) -> None:
    sam, nora, pia = team.sam, team.nora, team.pia
    chapters.register(sam, family="Okafor", given="Ben", born="1991-03-02", mrn="M000456", phone="(202) 555-0188")
    case = chapters.request(
        sam,
        "Lumbar puncture",
        "Suspected multiple sclerosis",
        books="Patient's stay 90 min",
        orders=("Cell count and differential", "Oligoclonal bands", "Serum for oligoclonal bands", "IgG index"),
    )
    chapters.book(sam, SLOT)
    chapters.before_the_visit(nora, "Okafor, Ben", "Apixaban", "5 mg twice a day", BEFORE_THE_VISIT)
    hold_the_blood_thinner(nora, case)
    chapters.arrive(sam, "Okafor, Ben", SLOT)
    chapters.stage(pia, case, "Consent", CONSENT)
    chapters.stage(nora, case, "Sign-in", SIGN_IN)
    chapters.stage(pia, case, "Time-out", {"Which interspace?": "Interspace L3/4"})
    chapters.start_and_complete(pia, case)
    chapters.stage(nora, case, "Sign-out", SIGN_OUT)
    sign_the_record(pia, case)
    chapters.collect(nora, case, tubes=5)
    chapters.ask_at(nora, SLOT + timedelta(hours=6), "The same evening")
    restart(nora, case)
    read_the_first_day(nora, pia, case)
    chapters.ask_at(nora, SLOT + timedelta(days=1), "After 24 hours")
    chapters.ask_at(nora, SLOT + timedelta(days=2), "After 48 hours")
    read_the_culture(nora, pia, case)
    read_the_bands(nora, pia, case)
    close(sam, nora, case)


def hold_the_blood_thinner(nora: Person, case: str) -> None:
    """Decided by the physician, recorded by the nurse, said to the patient: from now on somebody owes the restart."""
    nora.open(case)
    nora.follow("Held medicines", within="What you can do")
    nora.follow("Apixaban")
    assert nora.written("Medicine") == "Apixaban"
    nora.choose("Decided by", "Pia Physician, MD")
    nora.fill("Agreed with", "Dr Heart, 202 555 0199")
    nora.fill("Planned last dose: date", f"{LAST_DOSE:%Y-%m-%d}")
    nora.fill("Planned last dose: time", f"{LAST_DOSE:%H:%M}")
    nora.press("Record as held")
    assert nora.said == "Recorded as held."
    nora.follow("Record that the patient was told")
    nora.press("Save")
    nora.open(case)
    assert "Pia Physician, MD" in nora.promise("Restart the held medicine, or say why not")


def sign_the_record(pia: Person, case: str) -> None:
    pia.open(case)
    pia.follow("Held medicines", within="What you can do")
    pia.follow("Set the time")
    pia.fill("Date", f"{SLOT:%Y-%m-%d}")
    pia.fill("Time", "17:00")
    pia.press("Save")
    pia.open(case)
    assert "due Fri 17:00" in pia.promise("Restart the held medicine, or say why not")
    pia.follow("Procedure record")
    pia.fill("Ended (dressing on)", f"{now():{LOCAL}}")
    pia.choose("Position", "Lying on the side, curled up")
    pia.choose("Guidance", "By landmarks")
    pia.choose("Interspace", "Interspace L3/4")
    pia.choose("Skin antiseptic", "Povidone-iodine")
    pia.fill("Local anaesthetic", "Lidocaine 1 %, 3 mL")
    pia.choose("Needle tip", "Atraumatic (pencil point)")
    pia.fill("Attempts (skin punctures)", 1)
    pia.fill("Opening pressure", "16")
    pia.choose("Position when the pressure was read", "On the side, legs stretched")
    pia.choose("Appearance", "Clear")
    pia.choose("Traumatic tap", "No")
    pia.choose("Leg strength at discharge", "As before")
    pia.choose("Feeling in the legs at discharge", "As before")
    pia.tick("There was no complication")
    pia.press("Save and check the answers")
    pia.press("Sign the record")
    assert pia.said == "The record is signed."


def restart(nora: Person, case: str) -> None:
    """An hour late it stands there as overdue, until somebody says that it was taken again."""
    nora.wait_until(SLOT + timedelta(hours=8))
    assert "overdue since Fri 17:00" in nora.promise("Restart the held medicine, or say why not")
    nora.follow("Restart the held medicine, or say why not", within="What is promised")
    nora.follow("Say what became of it")
    nora.pick("What became of it?", "restarted")
    nora.press("Save")
    nora.open(case)
    assert not any("Restart the held medicine" in line for line in nora.promised)


def read_the_first_day(nora: Person, pia: Person, case: str) -> None:
    """Everything but the bands and the culture is there after a day, and read on one screen."""
    nora.wait_until(SLOT + timedelta(hours=23))
    assert "due Sat 11:" in nora.promise("Result awaited: Glucose, Protein")
    for test, values in FIRST_DAY.items():
        chapters.enter(nora, case, test, values)
        assert f"{test} is saved as version 1." == nora.said
    chapters.enter(
        nora, case, "Bacterial culture", {"Growth": "No growth so far"}, status="Preliminary: more is to come"
    )
    pia.open(case)
    pia.follow("Sign the normal results")
    assert "Bacterial culture" not in pia.part("Read and normal")
    pia.fill("What the patient is told, in plain words", "No sign of an infection. One test is still to come.")
    pia.press("Sign these readings")
    assert pia.said == f"{len(FIRST_DAY)} results read and signed."


def read_the_culture(nora: Person, pia: Person, case: str) -> None:
    nora.wait_until(SLOT + timedelta(days=3, hours=2))
    chapters.enter(nora, case, "Bacterial culture", {"Growth": "No growth"})
    pia.open(case)
    pia.follow("Sign the normal results")
    pia.press("Sign these readings")
    assert "Result awaited: Oligoclonal bands" in pia.promise("Result awaited")
    assert "Oligoclonal bands" in pia.part("Where this case stands")


def read_the_bands(nora: Person, pia: Person, case: str) -> None:
    """Bands on day 7: abnormal, referred, and told now."""
    nora.open(case)
    nora.wait_until(SLOT + timedelta(days=7))
    chapters.enter(nora, case, "Serum for oligoclonal bands", {"Bands in serum": "0 no unit"})
    chapters.enter(nora, case, "Oligoclonal bands", {"Bands in CSF and not in serum": "6 no unit"})
    assert "Pia Physician, MD" in nora.promise("Read the result: Oligoclonal bands")
    pia.open(case)
    pia.follow("Read the result: Oligoclonal bands")
    assert "Abnormal" in pia.state
    pia.pick("Interpretation", "abnormal")
    pia.pick("Plan", "refer")
    pia.fill("What exactly, for repeat, treat or refer", "Neurology, multiple sclerosis clinic")
    pia.pick("Tell the patient", "at once, about this result")
    pia.fill("What the patient is told, in plain words", "The bands support what we suspected. Neurology will call.")
    pia.press("Sign this reading")
    pia.follow("Do what was decided: refer")
    pia.pick("What became of it", "It is done")
    pia.fill("What was done, or why not", "Referred, appointment on 28 January")
    pia.press("Write it down")
    pia.follow("Sign the normal results")
    pia.press("Sign these readings")


def close(sam: Person, nora: Person, case: str) -> None:
    """One call tells everything; with the week's questions nothing is owed any more."""
    chapters.ask_at(nora, SLOT + timedelta(days=7), "After 7 days")
    assert "Closed" not in nora.state
    told = (*FIRST_DAY, "Bacterial culture", "Serum for oligoclonal bands", "Oligoclonal bands")
    chapters.tell(nora, case, "Tell the patient now: 1 result", told)
    assert "Completed Closed" in nora.state
    assert "Nothing is owed any more" in nora.part("What is promised")
    sam.open(case)
    assert "Completed Closed" in sam.state
