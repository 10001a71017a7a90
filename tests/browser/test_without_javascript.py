"""Every step also works as a plain form: a browser with scripts switched off carries a case through."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from clinic.models import User
from procedures.models import Answer, MedicineEntry, Procedure, StageSignature
from tests.browser import story
from tests.factories.full import Full

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def plain(browser: Any, live_server: Any, login: Callable[[Any, User], None]) -> Iterator[Callable[[User], Any]]:
    """``plain(user)``: somebody whose browser runs no script."""
    contexts = []

    def person(user: User) -> story.Person:
        context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        login(page, user)
        return story.Person(page)

    yield person
    for context in contexts:
        context.close()


def test_a_procedure_is_requested_and_booked(full: Full, plain: Callable[..., Any]) -> None:
    sam = plain(full.cast.sam)
    sam.open("/new/")
    sam.fill("Name, record number or birth date", "comingson")
    sam.press("Find")
    sam.follow("Comingson, Sam")
    sam.follow("Abdominal paracentesis")
    sam.choose("Indication", "Relief of tense ascites")
    sam.choose("Responsible clinician", "Pia Physician, MD")
    sam.press("Show what this books and orders")
    assert "Patient's stay 180 min" in sam.part("What it books")
    sam.press("Request, then choose a slot")
    sam.press("Wednesday 18 November 13:00 ready 14:00, no courier Procedure room 1")
    assert sam.said.startswith("Booked. Fluid ready 14:00; no courier comes that day.")
    case = Procedure.objects.latest("pk")
    assert (case.status, case.variant) == ("scheduled", "large_volume")


def test_a_checklist_is_answered_line_by_line_and_signed(full: Full, plain: Callable[..., Any]) -> None:
    nora = plain(full.cast.nora)
    case = full.case("coming")
    nora.open(full.url("procedures:checklist", case="coming") + "?stage=pre_visit")
    nora.pick("Allergic to latex (gloves, balloons)?", "Yes")
    nora.press("Save")
    assert nora.said.startswith("Saved")
    assert Answer.objects.get(checklist__procedure=case, question="latex", superseded_by=None).value == "yes"
    nora.fill("Medicine", "Aspirin", within="Medicines")
    nora.unfold("More: planned stop")
    nora.fill("Dose in other words", "100 mg", within="Medicines")
    nora.press("Add another", within="Medicines")
    assert nora.corrections or "Still taken?" in nora.text
    assert nora.written("Dose in other words") == "100 mg"
    assert not MedicineEntry.objects.filter(checklist__procedure=case, name="Aspirin").exists()
    nora.pick("Still taken?", "still taking it", within="Medicines")
    nora.press("Add another", within="Medicines")
    assert "Aspirin" in nora.part("Medicines")
    assert MedicineEntry.objects.get(checklist__procedure=case, name="Aspirin").dose == "100 mg"
    assert nora.open_questions() == []
    nora.press("Sign “Before the visit”")
    assert StageSignature.objects.get(checklist__procedure=case, stage="pre_visit").signed_by == full.cast.nora


def test_a_record_is_written_and_signed_and_nothing_typed_is_lost(full: Full, plain: Callable[..., Any]) -> None:
    pia = plain(full.cast.pia)
    pia.open(full.url("procedures:record"))
    pia.fill("Volume removed in all", "a lot")
    pia.fill("Supervisor", "Dr Senior")
    pia.press("Save and check the answers")
    assert any("Volume removed in all" in line for line in pia.corrections)
    assert (pia.written("Volume removed in all"), pia.written("Supervisor")) == ("a lot", "Dr Senior")
    pia.fill("Volume removed in all", "6400")
    pia.press("Save and check the answers")
    assert "6400 mL" in pia.text
    pia.press("Sign the record")
    assert pia.said == "The record is signed."
    assert full.rich.records.latest("number").fields["volume_removed_ml"] == 6400


def test_a_critical_result_is_entered_twice_read_and_acted_upon(full: Full, plain: Callable[..., Any]) -> None:
    nora, pia = plain(full.cast.nora), plain(full.cast.pia)
    nora.open(full.url("procedures:tests"))
    nora.follow("Enter result: Culture, aerobic")
    nora.choose("Growth", "Growth")
    nora.pick("Status", "Final")
    nora.press("Save the result")
    assert "Type the critical value a second time" in nora.corrections[0]
    nora.fill("The critical value, typed a second time", "Growth")
    nora.press("Save the result")
    assert "is critical" in nora.said
    pia.open("/inbox/")
    pia.follow("Read the result: Culture, aerobic")
    pia.press("Sign this reading")
    assert [line.split(":")[0] for line in pia.corrections] == ["Interpretation", "Plan", "Tell the patient"]
    pia.pick("Interpretation", "critical")
    pia.pick("Plan", "treat")
    pia.fill("What exactly, for repeat, treat or refer", "Change the antibiotic")
    pia.pick("Tell the patient", "at once, about this result")
    pia.press("Sign this reading")
    assert "Read and signed." in pia.said
    assert "Tell the patient now" in " ".join(pia.promised)


def test_the_clock_of_a_demonstration_moves(full: Full, plain: Callable[..., Any]) -> None:
    sam = plain(full.cast.sam)
    before = story.now()
    sam.open("/board/")
    sam.press("+1 day", within="Demonstration clock")
    assert (story.now() - before).days == 1
    assert sam.heading.startswith("Thu 19 Nov")
