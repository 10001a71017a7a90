"""Six litres of ascites, from the request to the closed case, through three browsers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.browser import chapters
from tests.browser.chapters import THINNER
from tests.browser.conftest import Team
from tests.browser.story import MONDAY, Person, now

# The same story is told at the services in tests/flows, and its pages have stories of their own.
# All of it by hand is the proof.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.proof]

SLOT = MONDAY + timedelta(days=1, hours=1)
BEFORE_THE_VISIT = {
    "Ever a reaction to a skin cleaner?": "No",
    "Pregnant now, possibly, or planning to be?": "Not pregnant",
    "How is that known?": "The patient says so",
    "Liver disease?": "Yes",
    "Human albumin: earlier reaction, or refusal of blood products?": "Neither",
    "What causes the fluid?": "Cirrhosis",
    "Caregiver: name and phone": "Otto Zimmermann, 202 555 0124",
    "Are more than 5 L expected?": "Yes",
    "Albumin": "Ordered",
    "Product": "25 %, vial of 50 mL (12.5 g)",
    "Grams ordered": "50",
    "How can we reach the patient after the procedure?": "Phone",
}
CONSENT = {
    "Consent": "Given",
    "Who signed?": "The patient",
    "Can the patient understand and decide today?": "Yes",
    "Interpreter": "Not needed",
    "Albumin is made from human blood: explained, and": "Accepted",
}
SIGN_IN = {
    THINNER: "Asked today: takes none",
    "Can the patient keep still?": "Yes",
    "Bladder empty?": "Yes",
    "Ultrasound: is there a safe pocket of fluid?": "Yes, seen today",
}
SIGN_OUT = {"Held medicines": "None was held", "Who reads the results?": "Pia Physician", "Albumin": "Given"}


def test_six_litres_are_drained_and_an_infection_is_found_treated_and_told(team: Team) -> None:
    sam, nora, pia = team.sam, team.nora, team.pia
    chapters.register(sam, family="Zimmermann", given="Ada", born="1961-05-17", mrn="M000123", phone="(202) 555-0123")
    case = chapters.request(
        sam,
        "Abdominal paracentesis",
        "Relief of tense ascites",
        books="Patient's stay 180 min",
        orders=("Cell count and differential", "Serum albumin, same day", "Culture, aerobic"),
    )
    chapters.book(sam, SLOT)
    chapters.before_the_visit(nora, "Zimmermann, Ada", "Spironolactone", "100 mg in the morning", BEFORE_THE_VISIT)
    chapters.arrive(sam, "Zimmermann, Ada", SLOT)
    chapters.stage(pia, case, "Consent", CONSENT)
    chapters.stage(nora, case, "Sign-in", SIGN_IN)
    chapters.stage(pia, case, "Time-out", {"Which quadrant?": "Left lower quadrant"})
    chapters.start_and_complete(pia, case)
    chapters.stage(nora, case, "Sign-out", SIGN_OUT)
    sign_the_record(pia, case)
    chapters.collect(nora, case, tubes=4)
    find_the_infection(nora, case)
    treat_it(pia, case)
    chapters.tell(nora, case, "Tell the patient now: 1 result", ("Cell count and differential",))
    read_the_chemistry(nora, pia, case)
    chapters.ask_at(nora, SLOT + timedelta(days=1), "After 24 hours: first tap, large volume or a complication")
    chapters.tell(nora, case, "Tell the patient: 3 results", ("Albumin", "Serum albumin, same day", "Total protein"))
    chapters.ask_at(nora, SLOT + timedelta(days=2), "After 48 hours")
    blood_of_the_days_after(pia, case)
    read_the_culture(nora, pia, case)
    close(sam, nora, case)


def sign_the_record(pia: Person, case: str) -> None:
    """Without grams of albumin it cannot be signed; nothing that was typed is lost; with 48 g it can."""
    pia.open(case)
    assert f"due {SLOT + timedelta(days=1, hours=1):%a %H}:" in pia.promise("Sign the procedure record")
    pia.follow("Procedure record")
    pia.fill("Ended (dressing on)", f"{now():%Y-%m-%dT%H:%M}")
    pia.choose("Position", "Lying on the back")
    pia.choose("Guidance", "Ultrasound during the puncture")
    pia.choose("Quadrant", "Left lower quadrant")
    pia.choose("Skin antiseptic", "Chlorhexidine in alcohol")
    pia.fill("Local anaesthetic", "Lidocaine 1 %, 10 mL")
    pia.choose("Needle or catheter", "Catheter over needle")
    pia.fill("Attempts (skin punctures)", 1)
    pia.fill("Volume removed in all", 6000)
    pia.choose("Appearance", "Cloudy")
    pia.tick("There was no complication")
    pia.press("Save and check the answers")
    assert "albumin in grams, or the reason why none was given" in pia.part("Before it can be signed")
    assert "6 to 8 g per litre is 36 to 48 g" in pia.part("Before it can be signed")
    assert not pia.offers("Sign the record")
    pia.follow("Change something")
    assert pia.written("Volume removed in all") == "6000"
    assert pia.written("Local anaesthetic") == "Lidocaine 1 %, 10 mL"
    pia.fill("Albumin given", 48)
    pia.choose("Albumin product", "25 %")
    pia.press("Save and check the answers")
    pia.press("Sign the record")
    assert pia.said == "The record is signed."
    assert not any("Sign the procedure record" in line for line in pia.promised)


def find_the_infection(nora: Person, case: str) -> None:
    """640 neutrophils: typed a second time before it is saved, and then the physician has an hour."""
    nora.wait_until(SLOT + timedelta(hours=4))
    values = {"Nucleated (white) cells": "800 /uL", "Neutrophils (PMN) share": "80 %"}
    chapters.enter(nora, case, "Cell count and differential", values)
    assert "spontaneous bacterial peritonitis until shown otherwise" in nora.text
    assert "typed a second time" in nora.corrections[0]
    assert nora.written("Nucleated (white) cells") == "800"
    nora.fill("The critical value, typed a second time", 800)
    nora.press("Save the result")
    assert "is critical: the responsible physician must hear of it now" in nora.said
    owed = nora.promised[0]
    assert owed.startswith("Read the result: Cell count and differential Pia Physician, MD")
    assert "Critical: due Tue 14:" in owed


def treat_it(pia: Person, case: str) -> None:
    """Found first in the inbox, read as critical, with a plan that is itself promised, and done."""
    pia.open("/inbox/")
    assert "Read the result: Cell count and differential Zimmermann, Ada" in pia.rows[0]
    pia.follow("Read the result: Cell count and differential")
    assert "640 /uL" in pia.text
    pia.pick("Interpretation", "critical")
    pia.pick("Plan", "treat")
    pia.fill("What exactly, for repeat, treat or refer", "Cefotaxime 2 g and albumin 1.5 g/kg today")
    pia.pick("Tell the patient", "at once, about this result")
    pia.fill("What the patient is told, in plain words", "The fluid is infected. You need an antibiotic today.")
    pia.press("Sign this reading")
    assert pia.said == "Read and signed. What you decided is now promised, with a date."
    assert "due Tue 21:" in pia.promise("Do what was decided: treat")
    assert "Critical: due Tue 21:" in pia.promise("Tell the patient now: 1 result")
    pia.follow("Do what was decided: treat")
    assert pia.heading == "Cefotaxime 2 g and albumin 1.5 g/kg today"
    pia.pick("What became of it", "It is done")
    pia.fill("What was done, or why not", "First dose and albumin given at 13:30")
    pia.press("Write it down")
    assert not any("Do what was decided" in line for line in pia.promised)


def read_the_chemistry(nora: Person, pia: Person, case: str) -> None:
    """Three normal finals are read on one screen, with the gradient computed beside them."""
    nora.open(case)
    nora.wait_until(SLOT + timedelta(days=1))
    chapters.enter(nora, case, "Albumin", {"Albumin": "1.1 g/dL"})
    chapters.enter(nora, case, "Serum albumin, same day", {"Albumin": "2.9 g/dL"})
    chapters.enter(nora, case, "Total protein", {"Total protein": "0.9 g/dL"})
    pia.open(case)
    pia.follow("Sign the normal results")
    assert "Serum-ascites albumin gradient (SAAG) 1.8 g/dL" in pia.text
    pia.fill("What the patient is told, in plain words", "The other values fit the liver disease that we know of.")
    pia.press("Sign these readings")
    assert pia.said == "3 results read and signed."


def blood_of_the_days_after(pia: Person, case: str) -> None:
    """Six litres: blood is asked for on day three to seven; it was taken at the practice and read there."""
    pia.wait_until(SLOT + timedelta(days=4))
    pia.open(case)
    pia.follow("Blood on day 3 to 7")
    assert pia.offers("Order them")
    pia.pick("If it is not taken here", "taken elsewhere, and read")
    pia.press("Write it down")
    assert len(pia.corrections) == 1  # one thing after the other; what was picked stays
    pia.fill("Read at", "Dr. Ortiz's practice, by phone")
    pia.fill("Taken on", f"{SLOT + timedelta(days=4):%Y-%m-%d}")
    pia.pick("Finding", "nothing to act on")
    pia.fill("What it means, in one line", "Sodium 134, creatinine 1.1 as before")
    pia.press("Write it down")
    assert not any("on time" in line for line in pia.promised)


def read_the_culture(nora: Person, pia: Person, case: str) -> None:
    """It is the last one; until it is there the case waits for it."""
    nora.open(case)
    assert "Waiting: due Tue 10:" in nora.promise("Result awaited: Culture, aerobic")
    nora.wait_until(SLOT + timedelta(days=5))
    chapters.enter(nora, case, "Culture, aerobic", {"Growth": "No growth"})
    pia.open(case)
    pia.follow("Sign the normal results")
    pia.press("Sign these readings")
    assert "Closed" not in pia.state


def close(sam: Person, nora: Person, case: str) -> None:
    """The week's call and the last result told: nothing is owed any more, and everybody can see it."""
    chapters.ask_at(nora, SLOT + timedelta(days=7), "After 7 days")
    assert [line.split(" Pia")[0] for line in nora.promised] == ["Tell the patient: 1 result"]
    assert "Closed" not in nora.state
    chapters.tell(nora, case, "Tell the patient: 1 result", ("Culture, aerobic",))
    assert "Completed Closed" in nora.state
    assert "Nothing is owed any more" in nora.part("What is promised")
    assert "Closed Done: Tue" in nora.part("Where this case stands")
    sam.open(case)
    assert "Completed Closed" in sam.state
