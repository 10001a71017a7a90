"""What both stories have in common, each as one person does it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from tests.browser.story import Person

MEDICINES = "Which medicines does the patient take, and when was the last dose of each?"
ALLERGIES = "What is the patient allergic to, and what happened?"
THINNER = "Anything that affects bleeding: blood thinner, platelet medicine, injection in the belly, aspirin?"


def register(sam: Person, **identity: str) -> None:
    """A new patient, looked for first as everybody is."""
    sam.open("/new/")
    sam.fill("Name, record number or birth date", identity["family"])
    sam.press("Find")
    assert "Nobody matches" in sam.text
    sam.follow("Register a patient")
    sam.fill("Family name", identity["family"])
    sam.fill("Given name", identity["given"])
    sam.fill("Birth date", identity["born"])
    sam.fill("Medical record number", identity["mrn"])
    sam.fill("Phone", identity["phone"])
    sam.press("Register")
    assert sam.said == f"Registered. Number {identity['mrn']}."


def request(sam: Person, kind: str, indication: str, *, books: str, orders: tuple[str, ...]) -> str:
    """Asks for the procedure and reads what that books and orders. The case's address."""
    sam.follow("Request a procedure")
    sam.follow(kind)
    sam.choose("Indication", indication)
    sam.choose("Responsible clinician", "Pia Physician, MD")
    assert books in sam.part("What it books")
    assert all(test in sam.part("Tests it orders") for test in orders)
    sam.press("Request, then choose a slot")
    assert sam.said == "Requested. Now choose a slot."
    return str(sam.page.url.replace("schedule/", ""))


def book(sam: Person, slot: datetime) -> None:
    """Takes one of the free slots; from then on the nurses owe the visit."""
    sam.unfold(f"{slot:%a} {slot.day} {slot:%b}")
    sam.press(f"{slot:%A} {slot.day} {slot:%B %H:%M} Room 1")
    assert sam.said == "Booked."
    assert "Scheduled" in sam.state
    assert "the nurses" in sam.promise("Carry out or record the case")


def before_the_visit(nora: Person, who: str, medicine: str, dose: str, answers: Mapping[str, str]) -> None:
    """The nurse takes the next of her queue and phones: one medicine, one allergy, the rest of the questions."""
    nora.open("/checklists/")
    assert "Not started" in nora.row(who)
    nora.follow(who)
    nora.fill("Medicine", medicine, within="Medicines")
    nora.unfold("More: planned stop")
    nora.fill("Dose in other words", dose, within="Medicines")
    nora.pick("Still taken?", "still taking it", within="Medicines")
    nora.tap("Add", within="Medicines")
    nora.fill("Substance", "Penicillin", within="Allergies")
    nora.fill("What happened", "Rash as a child", within="Allergies")
    nora.pick("How severe", "rash or other reaction", within="Allergies")
    nora.tap("Add", within="Allergies")
    nora.answer(answers)
    nora.press("Sign “Before the visit”")
    assert nora.said == "“Before the visit” is signed."


def stage(person: Person, case: str, name: str, answers: Mapping[str, str]) -> None:
    """The next stage of the checklist, answered and signed."""
    person.open(case)
    person.follow("Checklist", within="What you can do")
    assert person.heading == name
    person.answer(answers)
    person.press(f"Sign “{name}”")
    assert person.said == f"“{name}” is signed."


def arrive(sam: Person, who: str, slot: datetime) -> None:
    """Found on the day's board by whoever sits at the desk."""
    sam.open("/board/")
    sam.wait_until(slot)
    assert sam.row(who).startswith(f"{slot:%H:%M} {who}")
    assert "Scheduled Not ready" in sam.row(who)
    sam.follow(who)
    sam.follow("Patient has arrived")
    sam.press("The patient is here")
    assert sam.said == "Arrived."


def start_and_complete(pia: Person, case: str) -> None:
    """The physician starts, takes an hour, and says how it ended."""
    pia.open(case)
    pia.follow("Start")
    assert "Nothing stands in the way" in pia.text
    pia.press("Start now")
    assert "In progress" in pia.state
    pia.press("+1 h", within="Demonstration clock")
    pia.follow("Complete")
    pia.pick("Outcome", "Done")
    pia.pick("The patient goes", "Home")
    pia.press("Complete")
    assert "Completed" in pia.state


def collect(nora: Person, case: str, *, tubes: int) -> None:
    """The nurse labels the proposed tubes, gives them to the courier, and hears that they have arrived."""
    nora.open(case)
    nora.follow("Specimens and tests")
    nora.follow("Record tubes")
    for number in range(1, tubes + 1):
        nora.tick("Labelled before the patient, two identifiers", within=f"Tube row {number}")
    nora.press("Record tubes")
    assert nora.said == f"Recorded: {tubes} tubes. Their clocks run."
    nora.follow("Hand over")
    nora.fill("Handed to", "Max, courier")
    nora.press("Handed over")
    nora.follow("Received")
    nora.fill("Confirmed by", "Lena, chemistry")
    nora.fill("How many of the ticked tubes the laboratory counts", tubes)
    nora.press("Received")
    assert f"{tubes} collected, {tubes} received" in nora.text


def enter(nora: Person, case: str, test: str, values: Mapping[str, str], *, status: str = "Final") -> None:
    """A result by hand; ``values`` by label: a number with its unit, or one of the words offered."""
    nora.be_at(case)
    nora.follow("Specimens and tests")
    nora.follow(f"Enter result: {test}")
    for label, value in values.items():
        number, _space, unit = value.partition(" ")
        if number[0].isdigit():
            nora.fill(label, number)
            nora.choose(f"{label}: unit", unit)
        else:
            nora.choose(label, value)
    nora.pick("Status", status)
    nora.press("Save the result")


def tell(nora: Person, case: str, promise: str, results: tuple[str, ...]) -> None:
    """Nora reaches the patient on the phone and says what the physician wrote."""
    nora.open(case)
    nora.follow(promise)
    for result in results:
        nora.tick(f"{result} (final)")
    nora.pick("How", "phone")
    nora.pick("What happened", "reached and told")
    nora.fill("Spoke with", "the patient")
    nora.choose("Repeated it back in their own words", "yes")
    nora.press("Write it down")
    assert nora.said == "Written down."


def ask_at(nora: Person, moment: datetime, check: str) -> None:
    """When it is time it stands on the chase list; the danger signs are asked, and there are none."""
    nora.open("/chase/")
    nora.wait_until(moment)
    nora.follow(f"Ask about danger signs: {check}")
    assert "Call 911 now if" in nora.text
    nora.all_is_well()
    nora.fill("Who answered", "the patient")
    nora.press("Write it down")
    assert nora.said == "Written down."
