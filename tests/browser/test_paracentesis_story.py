"""Six litres of ascites, from the request to the closed case, through three browsers."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.browser import story
from tests.browser.conftest import Team
from tests.browser.story import Person

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE_THE_VISIT = {
    "Which medicines does the patient take, and when was the last dose of each?": "The list is complete",
    "What is the patient allergic to, and what happened?": "The list is complete",
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
    "Which medicines does the patient take, and when was the last dose of each?": "The list is complete",
    "What is the patient allergic to, and what happened?": "The list is complete",
    "Anything that affects bleeding: blood thinner, platelet medicine, injection in the belly, aspirin?": (
        "Asked today: takes none"
    ),
    "Can the patient keep still?": "Yes",
    "Bladder empty?": "Yes",
    "Ultrasound: is there a safe pocket of fluid?": "Yes, seen today",
}
TIME_OUT = {"Which quadrant?": "Left lower quadrant"}
SIGN_OUT = {"Held medicines": "None was held", "Who reads the results?": "Pia Physician", "Albumin": "Given"}
RECORD = {
    "Position": "Lying on the back",
    "Guidance": "Ultrasound during the puncture",
    "Quadrant": "Left lower quadrant",
    "Skin antiseptic": "Chlorhexidine in alcohol",
    "Needle or catheter": "Catheter over needle",
    "Appearance": "Cloudy",
}


def test_six_litres_are_drained_and_an_infection_is_found_treated_and_told(team: Team) -> None:
    sam, nora, pia = team.sam, team.nora, team.pia
    case = request(sam)
    slot = book(sam)
    checklist_before_the_day(nora, case)
    needle(team, case, slot)
    record(pia, case)


def request(sam: Person) -> str:
    """The scheduler registers the patient and asks for the tap. The case's address."""
    sam.open("/new/")
    sam.follow("Register a patient")
    sam.fill("Family name", "Zimmermann")
    sam.fill("Given name", "Ada")
    sam.fill("Birth date", "1961-05-17")
    sam.fill("Medical record number", "M000123")
    sam.fill("Phone", "(202) 555-0123")
    sam.press("Register")
    sam.follow("Request a procedure")
    sam.follow("Paracentesis")
    sam.choose("Indication", "Relief of tense ascites")
    sam.choose("Responsible clinician", "Pia Physician, MD")
    assert "Large volume, more than 5 L expected" in sam.text
    assert "Cell count and differential" in sam.part("Tests it orders")
    sam.press("Request, then choose a slot")
    assert sam.heading == "Choose a slot"
    return sam.page.url.replace("schedule/", "")


def book(sam: Person) -> datetime:
    sam.press("Tuesday 13 January 09:00 Room 1")
    assert "Scheduled" in sam.state
    print(sam.promised, sam.text)
    return story.MONDAY + timedelta(days=1, hours=1)


def checklist_before_the_day(nora: Person, case: str) -> None:
    nora.open(case)
    nora.follow("Checklist")
    nora.add_medicine()


def needle(team: Team, case: str, slot: datetime) -> None:
    pass


def record(pia: Person, case: str) -> None:
    pass
